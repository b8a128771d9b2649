"""The simulator of card transactions keeps the handbook's definition, figure by figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import card_transactions, loan_applications
from industry_apps.errors import ParameterError

START = pd.Timestamp("2018-04-01")
SMALL = {"customers": 60, "terminals": 120, "days": 40, "radius": 20.0}


@pytest.fixture(scope="module")
def full() -> pd.DataFrame:
    frame = card_transactions()
    return frame.assign(day=(frame["time"] - START).dt.days)


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    return card_transactions(**SMALL)


def test_the_defaults_give_the_data_of_the_handbook(full: pd.DataFrame) -> None:
    assert len(full) == 1_754_155
    assert full["is_fraud"].sum() == 14_681
    window = full[full["time"].between("2018-06-11", "2018-09-14 23:59:59")]
    assert (len(window), window["is_fraud"].sum()) == (919_767, 8_195)


def test_the_first_transactions_are_those_of_the_handbook(full: pd.DataFrame) -> None:
    assert full["time"].head(3).dt.strftime("%H:%M:%S").tolist() == [
        "00:00:31",
        "00:02:10",
        "00:07:56",
    ]
    assert full["customer"].head(3).tolist() == ["C00596", "C04961", "C00002"]
    assert full["amount"].head(3).tolist() == [57.16, 81.51, 146.00]


def test_scenario_one_is_every_large_amount(full: pd.DataFrame) -> None:
    assert full.loc[full["amount"] > 220, "is_fraud"].all()
    assert (full.loc[full["scenario"] == 1, "amount"] > 220).all()


def test_scenario_two_takes_every_transaction_of_a_terminal_for_28_days(
    full: pd.DataFrame,
) -> None:
    for day in (0, 50, 181):
        drawn = np.random.RandomState(day).choice(10_000, 2, replace=False)
        names = [f"T{i:05d}" for i in drawn]
        hit = full[full["terminal"].isin(names) & full["day"].between(day, day + 27)]
        assert hit["is_fraud"].all()
        assert hit["scenario"].isin([2, 3]).all()


def test_scenario_three_takes_a_third_of_a_customers_transactions_for_14_days(
    full: pd.DataFrame,
) -> None:
    for day in (0, 50, 150):
        drawn = np.random.RandomState(day).choice(5_000, 3, replace=False)
        names = [f"C{i:05d}" for i in drawn]
        hit = full[full["customer"].isin(names) & full["day"].between(day, day + 13)]
        assert (hit["scenario"] == 3).sum() >= len(hit) // 3 > 0
    third = full[full["scenario"] == 3]
    usual = full[~full["is_fraud"]].groupby("customer")["amount"].mean()
    ratio = (third["amount"] / third["customer"].map(usual)).median()
    assert ratio == pytest.approx(5, rel=0.1)


def test_a_customer_pays_at_its_own_terminals_at_its_own_amounts(full: pd.DataFrame) -> None:
    profile = np.random.RandomState(0).uniform([0, 0, 5, 0], [100, 100, 100, 4], size=(5_000, 4))
    places = np.random.RandomState(1).uniform(0, 100, size=(10_000, 2))
    home = profile[full["customer"].str[1:].astype(int).to_numpy(), :2]
    shop = places[full["terminal"].str[1:].astype(int).to_numpy()]
    assert (np.hypot(*(home - shop).T) < 5).all()
    genuine = full[~full["is_fraud"]]
    assert (genuine["amount"] >= 0).all()
    means = genuine.groupby("customer")["amount"].mean()
    expected = pd.Series(profile[:, 2], index=[f"C{i:05d}" for i in range(5_000)])[means.index]
    assert np.corrcoef(means, expected)[0, 1] > 0.95


def test_columns_types_and_order(small: pd.DataFrame) -> None:
    assert {name: str(kind) for name, kind in small.dtypes.items()} == {
        "transaction_id": "int64",
        "time": "datetime64[ns]",
        "customer": "object",
        "terminal": "object",
        "amount": "float64",
        "is_fraud": "bool",
        "scenario": "int8",
    }
    assert small["time"].is_monotonic_increasing
    assert small["transaction_id"].tolist() == list(range(len(small)))
    assert small["customer"].str.fullmatch(r"C\d{5}").all()
    assert small["terminal"].str.fullmatch(r"T\d{5}").all()
    assert (small["is_fraud"] == (small["scenario"] > 0)).all()
    assert small["scenario"].between(0, 3).all()
    assert (small["amount"] == small["amount"].round(2)).all()
    assert small["time"].between(START, START + pd.Timedelta(days=40)).all()


def test_the_same_seed_gives_the_same_table_and_another_seed_another(
    small: pd.DataFrame,
) -> None:
    np.random.default_rng().random()
    pd.testing.assert_frame_equal(small, card_transactions(**SMALL))
    other = card_transactions(**SMALL, seed=1)
    assert len(other) != len(small) or not other["amount"].equals(small["amount"])


def test_the_global_generators_are_left_alone() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state is the subject
    card_transactions(customers=5, terminals=5, days=2, radius=50.0)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_the_start_moves_the_dates_and_nothing_else(small: pd.DataFrame) -> None:
    moved = card_transactions(**SMALL, start="2024-01-01")
    shift = pd.Timestamp("2024-01-01") - START
    pd.testing.assert_frame_equal(small.assign(time=small["time"] + shift), moved)


def test_no_terminal_near_anybody_gives_an_empty_table_of_the_same_types(
    small: pd.DataFrame,
) -> None:
    empty = card_transactions(customers=3, terminals=2, days=1, radius=1e-9)
    assert len(empty) == 0
    assert (empty.dtypes == small.dtypes).all()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("customers", 2), ("terminals", 1), ("days", 0), ("seed", -1), ("radius", 0.0)],
)
def test_a_parameter_outside_its_limits_is_named(parameter: str, value: float) -> None:
    with pytest.raises(ParameterError, match=parameter):
        card_transactions(**{**SMALL, parameter: value})


def test_simulated_loans_are_the_same_for_the_same_seed() -> None:
    first, again, other = loan_applications(500), loan_applications(500), loan_applications(500, 1)
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_simulated_loans_default_for_what_the_docstring_says() -> None:
    loans = loan_applications(20_000)
    burden = loans["amount"] / loans["duration"] / loans["income"]
    rate = loans["is_default"].groupby(pd.qcut(burden, 4, labels=False)).mean()
    assert rate.is_monotonic_increasing
    assert loans.groupby("past_delays")["is_default"].mean().loc[:3].is_monotonic_increasing
    by_sex = loans.groupby("sex")[["income", "is_default"]].mean()
    assert by_sex.loc["female", "income"] < by_sex.loc["male", "income"]
    assert loans["amount"].min() > 0
    assert loans["income"].isna().mean() == pytest.approx(0.04, abs=0.01)


def test_loans_of_nobody_are_refused() -> None:
    with pytest.raises(ParameterError, match="applicants > 0"):
        loan_applications(0)
