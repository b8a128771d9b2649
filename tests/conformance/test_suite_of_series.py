"""Each check of applications of windows finds the mistake that it is there for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParityError, SchemaError
from industry_apps.finance.trading.performance_intervals import POLICY
from industry_apps.runtime import Model
from industry_apps.testing import check_application, yield_checks
from tests.conformance.store_forecast import StoreForecast
from tests.conformance.store_sales import StoreSales, sales


class AllStores(StoreSales):
    __doc__ = StoreSales.__doc__
    # Answers the stores of a day together, and is proven with its training history in front.
    together = True
    keeps_history = True


class OwnClocks(StoreSales):
    __doc__ = StoreSales.__doc__
    # Answers each store as of the last day on which it has a row.
    as_of = "series"


@pytest.mark.parametrize("kind", [StoreSales, AllStores, OwnClocks, StoreForecast])
def test_an_application_of_windows_that_keeps_the_contract_passes_all_checks(kind):
    results = check_application(kind)
    assert {found.status for found in results} == {"passed"}
    names = [found.check for found in results]
    assert names[0] == "export_parity"
    assert len(set(names)) == len(names) > 45
    assert not {"one_record_equals_batch", "index_is_kept", "missing_target_is_refused"} & {*names}


class PredictsOtherThanItCertifies(StoreSales):
    def predict(self, frame):
        answer = super().predict(frame)
        return answer.assign(forecast=answer["forecast"] * np.float32(0.99))


class ExportsRecords(StoreSales):
    """Trained on windows, with a file that has none."""

    def export(self, path, *, precision="float32", check=None):
        from tests.conformance.parcel_delay import ParcelDelay

        parcels = ParcelDelay.sample()
        self.parity_ = None
        return ParcelDelay().fit(parcels).export(path, check=parcels)


class ProvesLittle(StoreSales):
    def _exportable(self, precision="float32"):
        return replace(super()._exportable(precision), moments=1)


class KeepsTheIndex(StoreSales):
    def _indexed(self, frame):
        answers, index = super()._indexed(frame)
        return answers, frame.index[: len(index)]


class NamesNoSeries(StoreSales):
    def _indexed(self, frame):
        answers, index = super()._indexed(frame)
        return answers, index.rename(None)


class InOrderOfAppearance(StoreSales):
    """Right as long as the table is sorted."""

    def _indexed(self, frame):
        return super()._indexed(frame)[0], pd.Index(frame["store"].unique(), name="store")


class ReadsTheWholeTable(StoreSales):
    def _indexed(self, frame):
        answers, index = super()._indexed(frame)
        return {**answers, "forecast": answers["forecast"] + len(frame)}, index


class Remembers(StoreSales):
    """Knows what will be sold where it was asked about a later day before."""

    def _fit(self, train, validation):
        super()._fit(train, validation)
        self.sold_ = {}

    def _indexed(self, frame):
        panel = self._panel(frame)
        tomorrow = int(panel.times[-1]) + 86_400
        keys = [(store, day) for day in panel.times.tolist() for store in panel.series]
        known = np.nan_to_num(panel.columns["sold"].ravel(), nan=1.0)
        self.sold_ |= dict(zip(keys, known, strict=True))
        answers, index = super()._indexed(frame)
        told = zip(panel.series, answers["forecast"], strict=True)
        forecast = np.array([self.sold_.get((store, tomorrow), usual) for store, usual in told])
        return {**answers, "forecast": forecast}, index


class CountsStoresToCome(AllStores):
    """Is told how many stores there will be by the table that all moments are taken from."""

    def _answers(self, frame):
        answers = super()._answers(frame)
        return {**answers, "forecast": answers["forecast"] + np.float32(len(frame["sold"]))}

    def _answered_node(self, builder, forecast):
        stores = builder.cast(builder.node("Size", forecast), np.float32)
        return builder.node("Add", forecast, stores)


class ComparesStores(StoreSales):
    """Declares that a store stands alone, and looks at the others."""

    def _answers(self, frame):
        answers = super()._answers(frame)
        return {**answers, "forecast": answers["forecast"] / answers["forecast"].max()}

    def _answered_node(self, builder, forecast):
        return builder.node("Div", forecast, builder.node("ReduceMax", forecast))


class ComparesStoresOfOtherDays(ComparesStores):
    """The same, of stores of which each has a last day of its own."""

    as_of = "series"


class NeedsAFullWindow(StoreSales):
    def _indexed(self, frame):
        if self._panel(frame).present[-1].all():
            return super()._indexed(frame)
        raise SchemaError("A store is not open any more. Leave it out.")


class NeedsTwoDays(StoreSales):
    def _indexed(self, frame):
        self._panel(frame).times[-2]
        return super()._indexed(frame)


class KeepsTheLast(StoreSales):
    def _panel(self, frame):
        return super()._panel(frame.drop_duplicates(["store", "day"], keep="last"))


class IgnoresZones(StoreSales):
    def _panel(self, frame):
        day = [pd.Timestamp(each).replace(tzinfo=None) for each in frame["day"]]
        return super()._panel(frame.assign(day=day) if frame["day"].dtype == object else frame)


class AnswersNothingAtAll(StoreSales):
    def _indexed(self, frame):
        if frame.empty:
            raise SchemaError("Not so.")
        return super()._indexed(frame)


class LearnsFromTwoDays(StoreSales):
    def _fit(self, train, validation):
        given = self._given(train)
        super()._fit(train if given else sales("2024-01-01", 60), validation)

    def _given(self, train):
        return train["day"].nunique() > self.days


class SaysNothingOfDays(LearnsFromTwoDays):
    def _given(self, train):
        if train["day"].nunique() <= self.days:
            raise SchemaError("The history does not fit.")
        return True


class AnswersNaN(StoreSales):
    """Of a store that was not open in the window."""

    def _fit(self, train, validation):
        super()._fit(train, validation)
        self.typical_ = np.float32(np.nan)


class FillsMissingDays(StoreSales):
    def _panel(self, frame):
        day = [pd.Timestamp(0) if pd.isna(each) else each for each in frame["day"]]
        return super()._panel(frame.assign(day=day))


class ClipsSales(StoreSales):
    def _panel(self, frame):
        sold = pd.to_numeric(frame["sold"], errors="coerce").replace(np.inf, np.nan)
        return super()._panel(frame.assign(sold=sold.clip(lower=0)))


MISTAKES = [
    (PredictsOtherThanItCertifies, "export_parity", r"series 'store .', up to 2024-04"),
    (ProvesLittle, "export_parity", "6 series have 34 moments .* the certificate is"),
    (ExportsRecords, "index_is_the_series", "its file does not"),
    (KeepsTheIndex, "index_is_the_series", "asked for the series .* of 'store', answered with"),
    (NamesNoSeries, "index_is_the_series", "answered with"),
    (InOrderOfAppearance, "row_order_does_not_matter", "Ordered and shuffled, trained model"),
    (ReadsTheWholeTable, "steps_before_the_window_do_not_matter", "cut before the window"),
    (Remembers, "no_look_ahead", "before and after later rows were known differ"),
    (CountsStoresToCome, "no_look_ahead", "table that ends and a panel that goes on differ"),
    (ComparesStores, "series_alone", "among others and alone differ"),
    (ComparesStoresOfOtherDays, "series_alone", "among others and alone differ"),
    (NeedsAFullWindow, "series_that_begin_late_or_end_early", "not open any more"),
    (NeedsTwoDays, "one_moment", "out of bounds"),
    (KeepsTheLast, "duplicated_rows", "A row twice, trained model: answered"),
    (IgnoresZones, "mixed_time_zones", "Two time zones, trained model: answered"),
    (AnswersNothingAtAll, "empty_table", "the error names no rows: Not so"),
    (LearnsFromTwoDays, "short_history_is_refused", "two moments: fit raised nothing"),
    (SaysNothingOfDays, "short_history_is_refused", "does not ask for a longer history"),
    (AnswersNaN, "declared_outputs_only", "'forecast'.* expected a value"),
    (FillsMissingDays, "missing_values", "day = None, trained model: answered"),
    (ClipsSales, "infinite_numbers", "sold = inf, trained model: answered"),
    (ClipsSales, "numbers_out_of_range", "sold = -1, trained model: answered"),
]


@pytest.mark.parametrize(
    ("kind", "name", "message"), MISTAKES, ids=[f"{kind.__name__}" for kind, *_ in MISTAKES]
)
def test_a_mistake_with_windows_is_found(kind, name, message):
    check = dict(yield_checks(kind))[name]
    with pytest.raises((AssertionError, ParityError, SchemaError, LookupError), match=message):
        check()


def test_a_file_that_reads_tables_otherwise_is_found(monkeypatch):
    found = Model._predict_file
    monkeypatch.setattr(Model, "_predict_file", lambda *asked: found(*asked).assign(forecast=1.0))
    with pytest.raises(AssertionError, match="A table and a CSV file of it differ"):
        dict(yield_checks(StoreSales))["all_ways_agree"]()


class HonestlyNoBetter(StoreSales):
    """Of a problem whose report may say that nothing was found."""

    problem = POLICY

    def _evaluate(self, frame):
        made = super()._evaluate(frame)
        metrics = {"rank_ic": made.metrics["average_precision"]}
        margins = {
            name: {"rank_ic": found["average_precision"]} for name, found in made.margins.items()
        }
        return replace(made, metrics=metrics, margins=margins)


def test_an_honest_negative_is_accepted_where_the_task_allows_it():
    checks = dict(yield_checks(HonestlyNoBetter))
    checks["beats_trivial_baseline"]()
    checks["reports_intervals_and_baselines"]()
