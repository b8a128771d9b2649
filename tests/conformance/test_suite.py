"""Each check of the suite finds the mistake that it is there for."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParityError, SchemaError
from industry_apps.evaluation import Estimate
from industry_apps.testing import CheckResult, answers, check_application, yield_checks
from tests.conformance.parcel_delay import ParcelDelay, parcels
from tests.conformance.traced_parcel import TracedParcel


@pytest.mark.parametrize("kind", [ParcelDelay, TracedParcel])
def test_an_application_that_keeps_the_contract_passes_all_checks(kind):
    results = check_application(kind)
    assert {found.status for found in results} == {"passed"}
    assert results[0].check == "export_parity"
    assert len({found.check for found in results}) == len(results) > 30


def by_name(results: list[CheckResult]) -> dict[str, CheckResult]:
    return {found.check: found for found in results}


class DocumentedNowhere(ParcelDelay):
    """No word about parameters."""


class ExportsAnotherModel(ParcelDelay):
    def _margin_node(self, builder, inputs):
        node = super()._margin_node(builder, inputs)
        return builder.node("Mul", node, builder.constant(np.float32(1.01)))


class PredictsOtherThanItCertifies(ParcelDelay):
    def predict(self, frame):
        answer = super().predict(frame)
        return answer.assign(late_probability=answer["late_probability"] * 0.99)


class AnswersMore(ParcelDelay):
    def predict(self, frame):
        return super().predict(frame).assign(score=0.0)


class AnswersBeyondOne(ParcelDelay):
    def predict(self, frame):
        return super().predict(frame).assign(late_probability=1.5)


class AnswersFlagsAsNumbers(ParcelDelay):
    def predict(self, frame):
        return super().predict(frame).astype({"is_late": float})


class NamesAnother(ParcelDelay):
    def _facts(self):
        return {"application": "test.other"}


class SeedsNothing(ParcelDelay):
    def _fit(self, train, validation):
        super()._fit(train, validation)
        self.typical_ += np.random.default_rng().normal()


class LooksAtTheBatch(ParcelDelay):
    def predict(self, frame):
        answer = super().predict(frame)
        mean = answer["late_probability"].mean()
        return answer.assign(late_probability=(answer["late_probability"] + mean) / 2)


class LooksAtTheOrder(ParcelDelay):
    def predict(self, frame):
        answer = super().predict(frame)
        return answer.assign(late_probability=np.linspace(0, 1, len(frame)))


class CountsColumnsFromTheLeft(ParcelDelay):
    def predict(self, frame):
        answer = super().predict(frame)
        return answer.assign(late_probability=float(frame.columns[0] == "weight"))


class LikesFewColumns(ParcelDelay):
    def predict(self, frame):
        answer = super().predict(frame)
        return answer.assign(late_probability=1 / len(frame.columns))


class CallsACarrierMissing(ParcelDelay):
    slow = "NA"

    @classmethod
    def sample(cls):
        made = super().sample()
        # Where training has it, it is a carrier in a CSV file too.
        return replace(made, test=made.test.replace({"carrier": {"slow": "NA"}}))


class LosesTheIndex(ParcelDelay):
    def predict(self, frame):
        return super().predict(frame).reset_index(drop=True)


class WritesIntoTheTable(ParcelDelay):
    def predict(self, frame):
        frame["weight"] = frame["weight"].fillna(self.typical_)
        return super().predict(frame)


class SamplesAnew(ParcelDelay):
    @classmethod
    def sample(cls):
        made = super().sample()
        seed = np.random.default_rng().integers(10**9)
        return replace(made, test=parcels(seed, first="1970-03-12"))


class NoBetterThanTheTrivial(ParcelDelay):
    def _evaluate(self, frame):
        made = super()._evaluate(frame)
        return replace(
            made,
            margins={"prevalence": {k: replace(v, low=-0.1) for k, v in made.metrics.items()}},
        )


class StandsBesideOneBaseline(ParcelDelay):
    def _evaluate(self, frame):
        made = super()._evaluate(frame)
        return replace(made, baselines={"prevalence": made.baselines["prevalence"]})


class KnowsNoInterval(ParcelDelay):
    def _evaluate(self, frame):
        made = super()._evaluate(frame)
        metrics = {name: replace(found, low=np.nan) for name, found in made.metrics.items()}
        return replace(made, metrics=metrics)


class IsCertain(ParcelDelay):
    def _evaluate(self, frame):
        made = super()._evaluate(frame)
        metrics = {name: Estimate(*[found.value] * 3) for name, found in made.metrics.items()}
        return replace(made, metrics=metrics)


class MeasuresSomethingElse(ParcelDelay):
    def _evaluate(self, frame):
        made = super()._evaluate(frame)
        return replace(made, metrics={"luck": made.metrics["average_precision"]})


class HasNoTrivialBaseline(ParcelDelay):
    def _evaluate(self, frame):
        made = super()._evaluate(frame)
        return replace(made, baselines={"weight": made.baselines["weight"]})


class DefaultsToAList(ParcelDelay):
    def __init__(self, *, threshold: float = 0.5, carriers: list[str] = []) -> None:  # noqa: B006
        self.threshold = threshold
        self.carriers = carriers


class TakesParametersInOrder(ParcelDelay):
    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold


class ChangesItsParameter(ParcelDelay):
    def _fit(self, train, validation):
        super()._fit(train, validation)
        self.threshold = 0.4


class LearnsWithoutUnderscore(ParcelDelay):
    def _fit(self, train, validation):
        super()._fit(train, validation)
        self.median = self.typical_


class AcceptsNonsense(ParcelDelay):
    def fit(self, train, validation=None):
        given, self.threshold = self.threshold, 0.5
        super().fit(train, validation)
        self.threshold = given
        return self


class AcceptsAnyPrecision(ParcelDelay):
    def export(self, path, *, precision="float32", check=None):
        return super().export(path, check=check)


class AnswersUnfitted(ParcelDelay):
    def _check_fitted(self):
        self.typical_, self.schema_ = 1.0, self.schema.inputs()


class ComputesInInit(ParcelDelay):
    def __init__(self, *, threshold: float = 0.5) -> None:
        self.threshold = threshold
        self.limit = threshold


class DeclaresTexts(ParcelDelay):
    traits = replace(ParcelDelay.traits, inputs=(*ParcelDelay.traits.inputs, "text"))


def _cleaned(frame: pd.DataFrame) -> pd.DataFrame:
    """What well-meaning code does to hostile records."""
    weight = pd.to_numeric(frame["weight"], errors="coerce").replace([np.inf, -np.inf], np.nan)
    return frame.assign(weight=weight.clip(0, 100))


class Cleans(ParcelDelay):
    def _answers(self, frame):
        return super()._answers(_cleaned(frame))


class FillsMissingTimes(ParcelDelay):
    def _answers(self, frame):
        day = [pd.Timestamp(0) if pd.isna(value) else value for value in frame["day"]]
        return super()._answers(frame.assign(day=day))


class KnowsItsCarriers(ParcelDelay):
    def _answers(self, frame):
        known = frame["carrier"].isin(["slow", "fast"]) | frame["carrier"].isna()
        if not known.all():
            raise KeyError(frame["carrier"][~known].iloc[0])
        return super()._answers(frame)


class CutsLongStrings(ParcelDelay):
    def _answers(self, frame):
        if frame["carrier"].map(lambda value: isinstance(value, str) and len(value) > 1000).any():
            raise MemoryError("too long")
        return super()._answers(frame)


class MakesUpColumns(ParcelDelay):
    def predict(self, frame):
        return super().predict(frame if "weight" in frame else frame.assign(weight=1.0))


class NeedsRecords(ParcelDelay):
    def _answers(self, frame):
        frame["weight"].iloc[0]
        return super()._answers(frame)


class LearnsFromNothing(ParcelDelay):
    def _fit(self, train, validation):
        known = len(train) and train.get("late", pd.Series([True])).any()
        super()._fit(train if known else parcels(0), validation)


class TripsOverTheTarget(ParcelDelay):
    def _fit(self, train, validation):
        train["late"].sum()
        super()._fit(train, validation)


class HalfFitted(ParcelDelay):
    def _fit(self, train, validation):
        self.schema_, self.typical_ = self.schema.inputs(), 1.0
        super()._fit(train, validation)

    def _check_fitted(self):
        if not hasattr(self, "typical_"):
            super()._check_fitted()


class SaysLittle(ParcelDelay):
    def _answers(self, frame):
        try:
            return super()._answers(frame)
        except SchemaError:
            raise SchemaError("The table does not fit.") from None


MISTAKES = [
    (ExportsAnotherModel, "export_parity", "not written"),
    (PredictsOtherThanItCertifies, "export_parity", r"differently in \d+ of 400 rows"),
    (AnswersMore, "declared_outputs_only", "'score'.* declared are"),
    (AnswersBeyondOne, "declared_outputs_only", "1.5.* expected a number <= 1"),
    (AnswersFlagsAsNumbers, "declared_outputs_only", "is_late has the dtype float64"),
    (NamesAnother, "file_describes_itself", "test.other"),
    (SeedsNothing, "same_seed_same_answers", "Two fits with the same seed differ"),
    (LooksAtTheBatch, "one_record_equals_batch", "Batch and one record, trained model"),
    (LooksAtTheOrder, "row_order_does_not_matter", "Ordered and shuffled differ"),
    (CountsColumnsFromTheLeft, "column_order_does_not_matter", "Column orders"),
    (LikesFewColumns, "further_columns_do_not_matter", "Further columns"),
    (CallsACarrierMissing, "files_are_answered_as_frames", "Frame and csv file differ"),
    (LosesTheIndex, "index_is_kept", "answered with RangeIndex"),
    (WritesIntoTheTable, "inputs_are_not_mutated", "weight"),
    (SamplesAnew, "sample_repeats", "weight"),
    (NoBetterThanTheTrivial, "beats_trivial_baseline", "less that of 'prevalence' is"),
    (StandsBesideOneBaseline, "reports_intervals_and_baselines", "Too few baselines"),
    (KnowsNoInterval, "reports_intervals_and_baselines", "lies in no interval"),
    (IsCertain, "reports_intervals_and_baselines", "has no width"),
    (MeasuresSomethingElse, "reports_intervals_and_baselines", "no meaning is declared of .'luck'"),
    (HasNoTrivialBaseline, "beats_trivial_baseline", "Of .'prevalence',., no baseline"),
    (DefaultsToAList, "parameters_are_explicit", "'carriers' can be changed"),
    (TakesParametersInOrder, "parameters_are_explicit", "'threshold' is not keyword-only"),
    (ChangesItsParameter, "fit_keeps_parameters", "changed the parameter 'threshold'"),
    (LearnsWithoutUnderscore, "fit_keeps_parameters", "'median'"),
    (AcceptsNonsense, "bad_parameters_are_refused", r"threshold \(accepted\)"),
    (AcceptsAnyPrecision, "unknown_precision_is_refused", "'nonsense' was accepted"),
    (AnswersUnfitted, "asks_to_be_fitted", "Before fit, predict raised AttributeError"),
    (DocumentedNowhere, "is_documented", "no section 'Examples'"),
    (DeclaresTexts, "takes_the_kinds_it_declares", "'text'"),
    (ComputesInInit, "scikit_learn_no_attributes_set_in_init", "limit"),
    (FillsMissingTimes, "missing_values", "day = None, trained model: answered"),
    (Cleans, "infinite_numbers", "weight = inf, trained model: answered"),
    (Cleans, "numbers_out_of_range", "weight = -1, trained model: answered"),
    (Cleans, "values_of_another_type", "weight = 'twelve', trained model: answered"),
    (SaysLittle, "values_of_another_type", "the error lacks 'weight'"),
    (KnowsItsCarriers, "unseen_categories", "never seen before"),
    (CutsLongStrings, "million_characters", "too long"),
    (MakesUpColumns, "missing_columns", "without weight, trained model: answered"),
    (NeedsRecords, "empty_table", "out-of-bounds"),
    (LearnsFromNothing, "single_class_is_refused", "a single class: fit raised nothing"),
    (HalfFitted, "single_class_is_refused", "After a fit refused for a single class, predict"),
    (TripsOverTheTarget, "missing_target_is_refused", "late"),
]


@pytest.mark.parametrize(
    ("kind", "name", "message"), MISTAKES, ids=[f"{kind.__name__}" for kind, *_ in MISTAKES]
)
def test_a_mistake_is_found(kind, name, message):
    check = dict(yield_checks(kind))[name]
    with pytest.raises((AssertionError, ParityError, LookupError, MemoryError), match=message):
        check()


def test_a_file_that_needs_a_training_library_is_found(monkeypatch):
    monkeypatch.setattr(answers, "TRAINING_LIBRARIES", ("onnxruntime",))
    check = dict(yield_checks(ParcelDelay))["runs_without_training_libraries"]
    with pytest.raises(AssertionError, match="onnxruntime"):
        check()


def test_an_explanation_of_nothing_is_found(monkeypatch):
    monkeypatch.setattr("industry_apps.runtime.Model.explain", lambda self, record: {"weight": 0.1})
    check = dict(yield_checks(ParcelDelay))["explains_each_column"]
    with pytest.raises(AssertionError, match="carrier"):
        check()


class KnownToSampleAnew(SamplesAnew):
    known_failures = {"sample_repeats": "drawn anew each time"}  # noqa: RUF012


class KnownForNothing(ParcelDelay):
    known_failures = {"sample_repeats": "once it did not", "no_such_check": "?"}  # noqa: RUF012


def test_a_known_failure_is_expected():
    found = by_name(check_application(KnownToSampleAnew))["sample_repeats"]
    assert (found.status, found.reason) == ("expected failure", "drawn anew each time")
    with pytest.raises(FrozenInstanceError):
        found.status = "passed"


def test_a_known_failure_that_passes_or_does_not_exist_is_a_failure():
    found = by_name(check_application(KnownForNothing, raise_failures=False))
    assert found["sample_repeats"].status == "failed"
    assert "Remove it" in found["sample_repeats"].reason
    assert found["no_such_check"].status == "failed"
    with pytest.raises(
        AssertionError, match=r"fails 2 of \d+ checks:\n.*sample_repeats(.|\n)*no_such"
    ):
        check_application(KnownForNothing)
