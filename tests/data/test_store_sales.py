"""The simulator of sales does what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import card, sample
from industry_apps.data.simulators import store_sales
from industry_apps.errors import ParameterError


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    return store_sales(stores=4, products=8, days=730)


def test_the_same_seed_gives_the_same_table():
    small = {"stores": 2, "products": 4, "days": 60}
    pd.testing.assert_frame_equal(store_sales(**small), store_sales(**small))
    assert not store_sales(**small).equals(store_sales(**small, seed=1))


def test_each_series_has_one_row_a_day(sales: pd.DataFrame):
    assert not sales.duplicated(["series", "time"]).any()
    assert (sales["quantity"].dropna() >= 0).all()
    assert 0.01 < sales["quantity"].isna().mean() < 0.03


def test_a_promotion_sells_more_at_a_lower_price(sales: pd.DataFrame):
    usual = sales[sales["series"] == "S01/P001"].groupby("promotion")
    assert usual["quantity"].mean()[True] > 1.5 * usual["quantity"].mean()[False]
    assert usual["price"].mean()[True] < usual["price"].mean()[False]


def test_shops_are_nearly_empty_on_christmas_day(sales: pd.DataFrame):
    christmas = sales["time"].dt.strftime("%m-%d") == "12-25"
    assert sales["holiday"][christmas].all()
    assert sales["quantity"][christmas].mean() < 0.3 * sales["quantity"].mean()


def test_some_products_sell_seldom_one_is_new_and_one_store_was_closed(sales: pd.DataFrame):
    seldom = sales["series"].str.endswith(("P004", "P008"))
    assert (sales["quantity"][seldom] == 0).mean() > 0.5 > (sales["quantity"][~seldom] == 0).mean()
    new = sales[sales["series"].str.endswith("P002")]
    assert new["time"].min() - sales["time"].min() == pd.Timedelta(days=657)
    days = sales[sales["series"] == "S04/P001"]["time"]
    assert days.diff().max() == pd.Timedelta(days=11)
    assert sales[sales["series"] == "S01/P001"]["time"].diff().max() == pd.Timedelta(days=1)


@pytest.mark.parametrize("wrong", [{"stores": 1}, {"products": 0}, {"days": 59}, {"seed": -1}])
def test_parameters_that_make_no_sense_are_refused(wrong: dict):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        store_sales(**wrong)


def test_its_card_says_that_it_is_simulated_and_describes_each_column():
    facts = card("retail_sales_simulator")
    assert facts.kind == "simulated"
    data = sample(facts.id)
    assert set(facts.columns) == set(data.train.columns)
    assert np.all([len(part) for part in (data.train, data.validation, data.test)])
