"""Each check of models, splits, baselines, limits and streams finds its mistake."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import Split, split_by_group
from industry_apps.data.leakage import check_leakage
from industry_apps.errors import ParameterError, ParityError
from industry_apps.export.parity import StatedLoss
from industry_apps.limits import OPEN_SHARE, Limit, is_number
from industry_apps.schema import Column, Schema
from industry_apps.testing import check_application, yield_checks
from industry_apps.testing.variants import variants_of
from tests.conformance.counted_parcel import CountedParcel, Counts
from tests.conformance.parcel_delay import ParcelDelay
from tests.conformance.store_sales import StoreSales

SPLIT, BASELINES = "split_leaks_nothing", "first_evaluate_learns_the_baselines"
LIMITS, STREAM = "limits_are_kept", "stream_equals_batch"


class TwoModels(ParcelDelay):
    model: Literal["plain", "steep"] = "plain"

    def _margins(self, arrays):
        return super()._margins(arrays) * (2 if self.model == "steep" else 1)


class ExportsOneModel(TwoModels):
    """Exports the plain one, whichever was trained."""


class FallsBack(TwoModels):
    def _fit(self, train, validation):
        self.model = "plain"
        super()._fit(train, validation)


class TwoRules(StoreSales):
    rule: Literal["mean", "double"] = "mean"

    def _answers(self, frame):
        answers = super()._answers(frame)
        return {**answers, "forecast": answers["forecast"] * (2 if self.rule == "double" else 1)}


class InHalf(ParcelDelay):
    """Exports what it is asked for, under the name of float32."""

    traits = replace(ParcelDelay.traits, precisions=("float32", "float16"))


class HalfRefused(InHalf):
    def _exportable(self, precision="float32"):
        if precision != "float32":
            raise ParameterError("float16 is not there yet.")
        return super()._exportable()


class NotOnThisMachine(InHalf):
    def _exportable(self, precision="float32"):
        if precision != "float32":
            raise ParameterError("onnxruntime has no float16 on this machine.")
        return super()._exportable()


class LosesTooMuch(InHalf):
    half = False

    def _exportable(self, precision="float32"):
        self.half = precision != "float32"
        loss = StatedLoss(metric="accuracy", most=0.001, measure=self._accuracy, tolerance=1.0)
        made = super()._exportable(precision)
        return replace(made, precision=precision, loss=loss) if self.half else made

    def _accuracy(self, frame, answers):
        return float(np.mean(answers["is_late"] == frame["late"]))

    def _margin_node(self, builder, inputs):
        margin = super()._margin_node(builder, inputs)
        return builder.node("Neg", margin) if self.half else margin


class DealsRowsTwice(ParcelDelay):
    def split(self, frame):
        train, validation, test = super().split(frame)
        return Split(train, validation, pd.concat([test, test.head(1)]))


class SplitsAtRandom(ParcelDelay):
    def split(self, frame):
        mixed = frame.sample(frac=1, random_state=0)
        return Split(mixed[:200], mixed[200:300], mixed[300:])


class SetsNothingAside(ParcelDelay):
    def split(self, frame):
        return Split(frame, frame.head(0), frame.head(0))


class JudgesWhatItLearned(ParcelDelay):
    def _evaluate(self, frame):
        self.last_ = pd.Timestamp(0) - pd.Timedelta(days=1000)
        return super()._evaluate(frame)


class SendersApart(ParcelDelay):
    """Splits by sender, and refuses senders that it knows."""

    schema = Schema(
        (
            Column("sender", "category", role="identifier"),
            *(c for c in ParcelDelay.schema if c.name != "day"),
            Column("day", "number", role="feature"),
        )
    )

    @classmethod
    def sample(cls):
        data = super().sample()
        parts = {}
        for name in ("train", "validation", "test"):
            part = getattr(data, name)
            days = (part["day"] - pd.Timestamp(0)).dt.days.astype(np.float32)
            parts[name] = part.assign(day=days, sender=np.arange(len(part)) % 20)
        return replace(data, **parts)

    def split(self, frame):
        return split_by_group(frame, group="sender")

    def _fit(self, train, validation):
        super()._fit(train, validation)
        self.known_ = train[["sender"]]

    def _evaluate(self, frame):
        self._check(frame)
        self.last_ = -np.inf
        return super()._evaluate(frame)

    def _check(self, frame):
        check_leakage(self.known_, frame, group="sender")


class MeetsSendersAgain(SendersApart):
    def _check(self, frame):
        """Whoever it was."""


class LearnsBaselinesAtOnce(ParcelDelay):
    def _fit(self, train, validation):
        super()._fit(train, validation)
        self._fit_baselines(train, validation)


class SaysNothingOfBaselines(ParcelDelay):
    def evaluate(self, data):
        return replace(super().evaluate(data), notes=())


class JudgesBesideOtherRows(ParcelDelay):
    """Learns baselines from a copy of the tables, whatever became of these."""

    def fit(self, train, validation=None):
        if isinstance(train, Split):
            train = Split(*(part.copy() for part in train))
        return super().fit(train, validation)


class LosesBaselinesInAPickle(ParcelDelay):
    def __setstate__(self, state):
        super().__setstate__(state)
        self._loaded = True

    def _evaluate(self, frame):
        if hasattr(self, "_loaded"):
            self.rivals_ = ()
        return super()._evaluate(frame)


class ClipsItsThreshold(ParcelDelay):
    threshold: Annotated[float, OPEN_SHARE] = 0.5

    def fit(self, train, validation=None):
        if is_number(self.threshold) and not np.isnan(self.threshold):
            self.threshold = min(max(self.threshold, 0.01), 0.99)
        return super().fit(train, validation)


class TakesMoreThanItSays(ParcelDelay):
    threshold: Annotated[float, Limit(is_number, "a number in (0, 1)")] = 0.5


class TakesLessThanItSays(ParcelDelay):
    threshold: Annotated[float, Limit(lambda v: v in (0.5, 1e-9), "a number in [0, 1)")] = 0.5


class CountsItself(CountedParcel):
    @staticmethod
    def new_state():
        return _Late()


class _Late(Counts):
    def update(self, record):
        told = super().update(record)
        return {**told, "earlier": told["earlier"] + 1}

    def enrich(self, frame):
        told = super().enrich(frame)
        return told.assign(earlier=told["earlier"] - 1)


class BeginsAnew(CountedParcel):
    def enrich(self, parcels):
        return self.new_state().enrich(parcels)


class AnswersStreamsOtherwise(CountedParcel):
    def predict(self, frame):
        answer = super().predict(frame)
        if len(frame) > 1:
            answer["late_probability"] *= 0.9
        return answer


MISTAKES = [
    (ExportsOneModel, "export_parity[model=steep]", "late_probability"),
    (FallsBack, "export_parity[model=steep]", "Trained with model='steep', it says 'plain'"),
    (TwoRules, "export_parity[rule=double]", "forecast"),
    (InHalf, "export_parity[precision=float16]", "in float16, the file says float32"),
    (HalfRefused, "export_parity[precision=float16]", "'float16' was refused: .* not there yet"),
    (LosesTooMuch, "export_parity[precision=float16]", "loses .* of accuracy"),
    (DealsRowsTwice, SPLIT, r"The parts have \d+ rows, \d+ different ones"),
    (SplitsAtRandom, SPLIT, "'day': a part ends at .*, the next begins at"),
    (SetsNothingAside, SPLIT, r"The parts \['test'\] have no rows"),
    (JudgesWhatItLearned, SPLIT, "Records have day, .* raised no LeakageError"),
    (MeetsSendersAgain, SPLIT, "Records have sender, .* raised no LeakageError"),
    (LearnsBaselinesAtOnce, BASELINES, "fit has called _fit_baselines"),
    (SaysNothingOfBaselines, BASELINES, "does not say why it has no baselines"),
    (JudgesBesideOtherRows, BASELINES, "changed since fit: evaluate raised no LeakageError"),
    (LosesBaselinesInAPickle, BASELINES, r"\['prevalence'\] with its split"),
    (ClipsItsThreshold, LIMITS, r"threshold=-1, which is not a number in \(0, 1\): .*accepted"),
    (TakesMoreThanItSays, LIMITS, r"threshold=1.5 \(its limit, .*, takes it\)"),
    (TakesLessThanItSays, LIMITS, r"threshold=0 \(its limit, .*, refuses it\)"),
    (CountsItself, STREAM, "'earlier': update and enrich differ"),
    (BeginsAnew, STREAM, "enrich in two calls and in one differ"),
    (AnswersStreamsOtherwise, STREAM, "Table, trained model, and stream differ"),
]


@pytest.mark.parametrize(
    ("kind", "name", "message"), MISTAKES, ids=[f"{kind.__name__}" for kind, *_ in MISTAKES]
)
def test_a_mistake_is_found(kind, name, message):
    with pytest.raises((AssertionError, ParityError), match=message):
        dict(yield_checks(kind))[name]()


def test_an_application_of_a_stream_passes_all_checks():
    results = check_application(CountedParcel)
    assert {found.status for found in results} == {"passed"}
    assert STREAM in [found.check for found in results]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (TwoModels, "export_parity"),
        (SendersApart, SPLIT),
        (NotOnThisMachine, "export_parity[precision=float16]"),
    ],
)
def test_what_is_right_passes(kind, name):
    dict(yield_checks(kind))[name]()


def test_every_choice_of_a_model_is_a_variant():
    from industry_apps.healthcare import ImagingClassifier, MoleculeGenerator

    assert list(variants_of(MoleculeGenerator)) == ["notation=selfies", "network=transformer"]
    networks = ("resnet18", "resnet50", "convnext")
    assert list(variants_of(ImagingClassifier)) == [f"options.network={name}" for name in networks]
