"""What is true of demand forecasts alone; the rest is in the conformance suite."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import load
from industry_apps.data.simulators import store_sales
from industry_apps.errors import LeakageError, ParameterError, SchemaError, TrainingError
from industry_apps.recipes import LearningOptions, TreeOptions
from industry_apps.retail import DemandForecaster
from industry_apps.runtime import Model

TREES = TreeOptions(rounds=20, num_leaves=8, learning_rate=0.2)
HORIZON = 7
HOURLY = "retail_m4_hourly"


def quick(**parameters: object) -> DemandForecaster:
    chosen = {"horizon": HORIZON, "trees": TREES, "learning": LearningOptions(origins=10)}
    return DemandForecaster(**{**chosen, "baselines": (), **parameters})


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    return store_sales(stores=2, products=4, days=150)


@pytest.fixture(scope="module")
def fitted(sales: pd.DataFrame) -> DemandForecaster:
    return quick().fit(sales)


@pytest.fixture(scope="module")
def informed(sales: pd.DataFrame) -> DemandForecaster:
    return quick(known=("price", "promotion"), static=("category",)).fit(sales)


@pytest.fixture(scope="module")
def file(fitted: DemandForecaster, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model(fitted.export(tmp_path_factory.mktemp("model") / "demand.onnx"))


def history(values: list[float], name: str = "A", first: str = "2022-03-01") -> pd.DataFrame:
    times = pd.date_range(first, periods=len(values), freq="D")
    return pd.DataFrame({"series": name, "time": times, "quantity": values})


def known_until(sales: pd.DataFrame, day: str) -> pd.DataFrame:
    """The table as it was after a day, with prices and promotions of the days behind it."""
    frame = sales[sales["time"] <= pd.Timestamp(day) + pd.Timedelta(days=HORIZON)].copy()
    frame.loc[frame["time"] > day, "quantity"] = np.nan
    return frame


def both(fitted: DemandForecaster, file: Model, frame: pd.DataFrame) -> pd.DataFrame:
    """The answer of the model, which has to be that of the file."""
    answer = fitted.predict(frame)
    pd.testing.assert_frame_equal(answer, file.predict(frame), rtol=1e-4, atol=1e-4)
    return answer


# What may be wrong with a table, and what comes of it.


def test_a_series_shorter_than_the_horizon_is_answered(fitted: DemandForecaster, file: Model):
    answer = both(fitted, file, history([20.0, 22.0, 21.0]))
    assert len(answer) == HORIZON
    assert answer["quantity_p50"].between(2, 60).all()


def test_a_series_of_zeros_is_forecast_as_zero(fitted: DemandForecaster, file: Model):
    assert (both(fitted, file, history([0.0] * 100)) == 0).all(axis=None)


def test_a_constant_series_is_forecast_as_it_is(fitted: DemandForecaster, file: Model):
    answer = both(fitted, file, history([40.0] * 100))
    np.testing.assert_allclose(answer, 40.0, rtol=0.02)


def test_a_gap_is_a_step_without_a_value(fitted: DemandForecaster, file: Model):
    full = history([float(10 + k % 7) for k in range(100)])
    gap = full["time"].between("2022-04-01", "2022-04-05")
    answer = both(fitted, file, full[~gap])
    empty = full.assign(quantity=full["quantity"].where(~gap))
    pd.testing.assert_frame_equal(answer, both(fitted, file, empty))
    assert answer.index.get_level_values("time").min() == pd.Timestamp("2022-06-09")


def test_a_period_twice_is_refused(fitted: DemandForecaster, file: Model):
    twice = pd.concat([history([1.0, 2.0, 3.0]), history([9.0], first="2022-03-02")])
    for ask in (fitted.predict, file.predict, quick().fit):
        with pytest.raises(SchemaError, match=r"'A' has 2 rows of 2022-03-02.*Keep the one"):
            ask(twice)


def test_two_moments_of_one_day_are_refused(fitted: DemandForecaster):
    frame = history([1.0, 2.0, 3.0])
    again = frame.assign(time=frame["time"] + pd.Timedelta(hours=9))
    with pytest.raises(SchemaError, match=r"row 3: got .*T09:00:00.*a day at 00:00:00, as in tr"):
        fitted.predict(pd.concat([frame, again]))


def test_a_negative_quantity_is_refused(fitted: DemandForecaster, file: Model):
    for ask in (fitted.predict, file.predict, quick().fit):
        with pytest.raises(SchemaError, match=r"'quantity', row 1: got -2\.0, expected.*>= 0"):
            ask(history([1.0, -2.0, 3.0]))


def test_prices_have_to_be_known_in_advance(informed: DemandForecaster, sales: pd.DataFrame):
    short = known_until(sales, "2022-05-01")
    short = short[short["time"] <= "2022-05-03"]
    with pytest.raises(
        SchemaError, match=r"'price' is known in advance.*2022-05-04.*step 3 of the forecast of 7"
    ):
        informed.predict(short)


def test_a_price_that_one_series_lacks_ahead_is_named(
    informed: DemandForecaster, sales: pd.DataFrame
):
    frame = known_until(sales, "2022-05-01")
    one = frame["series"] == "S01/P001"
    frame.loc[one & (frame["time"] > "2022-05-01"), "price"] = np.nan
    with pytest.raises(
        SchemaError, match=r"'price'.*'S01/P001' has no value.*leave the series out"
    ):
        informed.predict(frame)
    assert np.isfinite(informed.predict(frame[~one])).all(axis=None)


@pytest.mark.parametrize("size", [0.0, 1e-9])
def test_nothing_and_tiny_quantities_are_forecast(sales: pd.DataFrame, size: float, tmp_path: Path):
    tiny = sales.assign(quantity=sales["quantity"] * size)
    fitted = quick().fit(tiny)
    found = fitted.predict(tiny)
    usual = tiny["quantity"].mean()
    assert np.isfinite(found).all(axis=None)
    assert 0.3 * usual <= found["quantity_p50"].mean() <= 3 * usual
    served = Model(fitted.export(tmp_path / "tiny.onnx"))
    np.testing.assert_allclose(served.predict(tiny), found, rtol=1e-3)


def test_a_covariate_that_the_table_lacks_is_named(sales: pd.DataFrame):
    with pytest.raises(SchemaError, match=r"'prices'.*Did you mean 'price'"):
        quick(known=("prices",)).fit(sales)
    with pytest.raises(SchemaError, match=r"'category', first value: got 'bakery'"):
        quick(known=("category",)).fit(sales)
    with pytest.raises(ParameterError, match=r"'price' is named twice"):
        quick(known=("price",), past=("price",)).fit(sales)


def test_nothing_known_is_no_history(fitted: DemandForecaster):
    with pytest.raises(SchemaError, match=r"no history to forecast from"):
        fitted.predict(history([np.nan] * 10))


def test_a_history_shorter_than_two_horizons_teaches_nothing(sales: pd.DataFrame):
    days = sales["time"].unique()[:12]
    with pytest.raises(TrainingError, match=r"too short a history for a forecast of 7"):
        quick().fit(sales[sales["time"].isin(days)])


def test_a_test_part_that_overlaps_the_history_is_refused(
    fitted: DemandForecaster, sales: pd.DataFrame
):
    with pytest.raises(LeakageError):
        fitted.evaluate(sales.tail(100))


# What it does.


def test_a_new_product_is_forecast_by_what_it_is(informed: DemandForecaster, sales: pd.DataFrame):
    frame = known_until(sales, "2022-05-01")
    new = frame[(frame["series"] == "S01/P001") & (frame["time"] > "2022-05-01")]
    asked = pd.concat([frame, new.assign(series="S01/P999")])
    answer = informed.predict(asked).loc["S01/P999"]
    assert (answer["quantity_p90"] > answer["quantity_p10"]).all()


def test_promotions_raise_the_forecast(sales: pd.DataFrame):
    trees = TreeOptions(rounds=60, num_leaves=15, learning_rate=0.1)
    model = quick(known=("price", "promotion"), trees=trees).fit(sales)
    frame = known_until(sales, "2022-05-15")
    frame = frame[~frame["series"].str.endswith(("P002", "P004"))]
    ahead = frame["time"] > "2022-05-15"
    regular = frame.groupby("series")["price"].transform("max")

    def asked(promotion: bool) -> float:
        price = regular * (0.75 if promotion else 1.0)
        changed = frame.assign(
            promotion=frame["promotion"].where(~ahead, promotion),
            price=frame["price"].where(~ahead, price),
        )
        return float(model.predict(changed)["quantity_p50"].sum())

    assert asked(True) > 1.15 * asked(False)


def test_any_quantiles_can_be_asked_for(sales: pd.DataFrame, tmp_path: Path):
    model = quick(quantiles=(0.025, 0.5, 0.9, 0.95)).fit(sales)
    answer = model.predict(sales)
    names = ["quantity_p2_5", "quantity_p50", "quantity_p90", "quantity_p95"]
    assert list(answer.columns) == names
    assert (answer.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    read = Model(model.export(tmp_path / "x.onnx")).predict(sales)
    pd.testing.assert_frame_equal(answer, read, rtol=1e-4, atol=1e-4)
    report = quick(quantiles=(0.5,)).fit(sales).predict(sales)
    assert list(report.columns) == ["quantity_p50"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", "prophet"),
        ("step", "fortnight"),
        ("horizon", 0),
        ("quantiles", (0.9, 0.5)),
        ("quantiles", (0.1, 0.9)),
        ("baselines", ("arima",)),
        ("rivals", ("prophet",)),
        ("known", "price"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(sales: pd.DataFrame, name: str, value: object):
    with pytest.raises(ParameterError, match=f"'{name}' parameter of DemandForecaster"):
        quick(**{name: value}).fit(sales)


def test_columns_may_have_names_of_yours(sales: pd.DataFrame, fitted: DemandForecaster):
    names = {"series": "sku", "time": "day", "quantity": "sold"}
    mine = sales.rename(columns=names)
    answer = quick(columns=names).fit(mine).predict(mine)
    assert list(answer.index.names) == ["sku", "day"]
    np.testing.assert_allclose(answer, fitted.predict(sales))


def test_forecasts_become_orders(fitted: DemandForecaster, sales: pd.DataFrame):
    forecast = fitted.predict(sales)
    orders = fitted.order_quantities(forecast, unit_cost=2.0, price=5.0, salvage=1.0)
    assert orders.index.equals(forecast.index)
    assert (orders["order_quantity"] >= forecast["quantity_p50"] - 1e-6).all()
    assert (orders["order_quantity"] <= forecast["quantity_p90"] + 1e-6).all()


@pytest.mark.parametrize("method", ["bottom_up", "ols", "wls"])
def test_totals_equal_the_sum_of_their_parts(
    informed: DemandForecaster, sales: pd.DataFrame, method: str
):
    frame = known_until(sales, "2022-05-15")
    found = informed.reconcile(frame, by=("store",), method=method)["quantity_p50"]
    series = sorted(frame["series"].unique())
    day = found.index.get_level_values("time")[0]
    parts = {name: found[(name, day)] for name in series}
    assert found[("total", day)] == pytest.approx(sum(parts.values()))
    north = sum(value for name, value in parts.items() if name.startswith("S01"))
    assert found[("store=S01", day)] == pytest.approx(north)


def test_a_back_test_learns_anew_at_each_origin(sales: pd.DataFrame):
    report = quick().backtest(sales, origins=2, series=("S01/P001",))
    titles = {section.title: section for section in report.sections}
    origins = titles["Origins"].records()
    assert [row["origin"][:10] for row in origins] == ["2022-05-19", "2022-05-26"]
    assert report.metrics["mase"].value < report.baselines["seasonal_naive"]["mase"].value
    (draw,) = titles["Series"].figures
    assert "S01/P001" in str(draw().get_label())
    with pytest.raises(ParameterError, match="P001"):
        quick().backtest(sales, origins=1, series=("S01/P01",))
    with pytest.raises(SchemaError, match="hold no 50 origins"):
        quick().backtest(sales, origins=50)
    with pytest.raises(ParameterError, match="'origins' parameter of backtest"):
        quick().backtest(sales, origins=0)


def test_a_back_test_does_not_look_ahead(sales: pd.DataFrame):
    """What came after the origins is doubled: only errors change, not the forecasts."""
    last = sales["time"] > sales["time"].max() - pd.Timedelta(days=HORIZON)
    other = sales.assign(quantity=sales["quantity"].where(~last, 0.0))
    drawn = []
    for frame in (sales, other):
        report = quick().backtest(frame, origins=1, series=("S01/P001",))
        (axes,) = report.sections[-1].figures[0]().axes
        drawn.append({line.get_label(): line.get_ydata() for line in axes.lines}["forecast"])
    np.testing.assert_array_equal(*drawn)


def test_a_table_is_split_by_its_horizon(sales: pd.DataFrame):
    parts = quick().split(sales)
    days = [part["time"].nunique() for part in parts]
    assert days == [136, 7, 7]
    assert parts.train["time"].max() < parts.validation["time"].min() < parts.test["time"].min()


def test_a_missing_package_leaves_a_note_in_place_of_the_baseline(sales: pd.DataFrame):
    parts = quick().split(sales)
    model = quick(baselines=("auto_ets",)).fit(parts.train, parts.validation)
    with mock.patch(
        "industry_apps.recipes.forecasting.evaluation.assessment.find_spec", return_value=None
    ):
        report = model.evaluate(parts.test)
    assert "auto_ets" not in report.baselines
    assert any("industry-apps[benchmark]" in note for note in report.notes)


def test_another_model_can_be_the_rival(sales: pd.DataFrame):
    parts = quick().split(sales)
    model = quick(rivals=("trees",)).fit(parts.train, parts.validation)
    report = model.evaluate(parts.test)
    rules = {"seasonal_naive", "seasonal_mean", "seasonal_naive_28"}
    assert {*rules, "trees"} == set(report.baselines)
    assert "pinball" in report.margins["trees"]


@pytest.mark.real_data(HOURLY)
def test_hourly_series_of_the_competition(tmp_path: Path):
    """Some of its series; the official test is not looked at."""
    data = load(HOURLY)
    chosen = sorted(data.train["series"].unique())[::14]
    train, later = (part[part["series"].isin(chosen)] for part in (data.train, data.validation))
    trees = TreeOptions(rounds=100, num_leaves=31, learning_rate=0.1)
    model = DemandForecaster(trees=trees, baselines=()).fit(train)
    report = model.evaluate(later)
    assert report.metrics["mase"].value < 1.0
    assert report.margins["seasonal_naive"]["mase"].high < 0
    asked = pd.concat([train, later])
    served = Model(model.export(tmp_path / "hourly.onnx", check=later)).predict(asked)
    pd.testing.assert_frame_equal(served, model.predict(asked), rtol=1e-4, atol=1e-4)
