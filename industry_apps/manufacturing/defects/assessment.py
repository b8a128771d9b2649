"""What a detector of defects is worth: beside baselines, by part, by pixel and by box.

Letters: N parts, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.evaluation import Report
from industry_apps.evaluation.classes import confusion
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.metrics import Ranking
from industry_apps.evaluation.sections import Section
from industry_apps.export.parity import Answers, StatedLoss
from industry_apps.manufacturing.defects.baselines import (
    KnownBaselines,
    NormalBaselines,
    XorBaseline,
    no_boxes,
)
from industry_apps.manufacturing.defects.matching import box_bootstrap, matches
from industry_apps.manufacturing.defects.metrics import KnownAnswers, PlaceCounts
from industry_apps.manufacturing.defects.parts import Parts
from industry_apps.manufacturing.defects.reading import PartReader, Regime
from industry_apps.manufacturing.defects.recipe import DefectRecipe
from industry_apps.recipes.anomaly.metrics import anomaly_bootstrap

__all__ = ["Assessment", "assessed", "loss_of"]

#: What a file of lower precision may lose of its metric: a point of 100.
_MOST_LOST = 0.01
#: Integer kernels of two processors differ by up to this much in a probability.
_TOLERANCE = 0.1


class Assessment:
    """Baselines of one regime, learned when the first report asks for them.

    Parameters
    ----------
    regime : {"supervised", "one_class", "comparison"}
    classes : tuple of str
        The name of good parts, and those of the types.
    seed : int
    """

    def __init__(self, regime: Regime, classes: tuple[str, ...], seed: int) -> None:
        self.regime, self.classes, self.seed = regime, classes, seed
        self.known_: KnownBaselines | None = None
        self.normal_: NormalBaselines | None = None
        self.pairs_: XorBaseline | None = None

    def fit(self, train: Parts, validation: Parts) -> None:
        """Learn the baselines.

        Parameters
        ----------
        train, validation : Parts
        """
        if self.regime == "supervised":
            self.known_ = KnownBaselines(len(self.classes), self.seed).fit(train)
        elif self.regime == "one_class":
            good = [part.at(part.types == 0) for part in (train, validation)]
            self.normal_ = NormalBaselines(self.seed).fit(*good)
        else:
            self.pairs_ = XorBaseline().fit(train)


def assessed(
    assessment: Assessment,
    known: Parts,
    answers: Answers,
    recipe: DefectRecipe,
    *,
    groups: NDArray[Any],
    kinds: Mapping[str, NDArray[np.bool_]],
    split: Mapping[str, Mapping[str, Any]],
    notes: tuple[str, ...],
) -> Report:
    """Make the report of one evaluation.

    Parameters
    ----------
    assessment : Assessment
    known : Parts
        To judge on.
    answers : mapping of str to ndarray
        To them, by the model.
    recipe : DefectRecipe
    groups : ndarray, shape (N,)
        Photographs of one part have the same value.
    kinds : mapping of str to ndarray of bool, shape (N,)
        Name of a defect -> which parts have it, where nothing was learned of any.
    split : mapping
    notes : tuple of str
    """
    facts = {"split": split, "notes": notes}
    if assessment.regime == "one_class":
        return _of_unknown(assessment, known, answers, recipe, (groups, kinds), facts)
    report = _of_known if assessment.regime == "supervised" else _of_pairs
    return report(assessment, known, answers, recipe, groups, facts)


def _of_known(
    assessment: Assessment,
    known: Parts,
    answers: Answers,
    recipe: DefectRecipe,
    groups: NDArray[Any],
    facts: dict[str, Any],
) -> Report:
    """Parts of known types."""
    costs = recipe.limits.costs
    places = PlaceCounts.of(*map(list, (known.masks, answers["mask"], answers["heat_map"])))
    ours = KnownAnswers(
        types=known.types,
        said=answers["probabilities"].argmax(axis=1),
        score=answers["defect_probability"].astype(np.float64),
        alarm=answers["is_defect"].astype(bool),
        groups=groups,
        costs=costs,
        places=places if any(mask is not None and mask.any() for mask in known.masks) else None,
    )
    others = {}
    if assessment.known_ is not None:
        for name, likely in assessment.known_.probabilities(known).items():
            score = 1 - likely[:, 0]
            others[name] = KnownAnswers(
                types=known.types,
                said=likely.argmax(axis=1),
                score=score,
                alarm=score >= costs.threshold,
                groups=groups,
                costs=costs,
            )
    found = ours.bootstrap()
    bad = known.types > 0
    caught = int((ours.alarm & bad).sum())
    return Report.beside(
        recipe.facts()["model"],
        found,
        {name: other.bootstrap() for name, other in others.items()},
        sections=(
            confusion("type", assessment.classes, known.types, ours.said),
            recipe.decision_.threshold.section(ours.alarm, bad),
        ),
        headline_text=f"{caught} of {int(bad.sum())} defective parts are stopped, and "
        f"{int((ours.alarm & ~bad).sum())} of {int((~bad).sum())} good ones.",
        pooled={"model": ours, **others},
        **facts,
    )


def _of_unknown(
    assessment: Assessment,
    known: Parts,
    answers: Answers,
    recipe: DefectRecipe,
    labels: tuple[NDArray[Any], Mapping[str, NDArray[np.bool_]]],
    facts: dict[str, Any],
) -> Report:
    """Parts of which only good ones were learned."""
    groups, kinds = labels
    bad, alarm = known.types > 0, answers["is_defect"].astype(bool)
    score = answers["anomaly_score"].astype(np.float64)
    judge = partial(anomaly_bootstrap, bad, groups=groups, kinds=kinds if len(kinds) > 1 else None)
    found = judge(score, alarm)
    if any(mask is not None and mask.any() for mask in known.masks):
        places = PlaceCounts.of(*map(list, (known.masks, answers["mask"], answers["heat_map"])))
        found = found.joined(bootstrap(places.metrics(), groups, len(bad)))
    others = {"constant": (np.zeros(len(bad)), np.zeros(len(bad), dtype=bool))}
    if assessment.normal_ is not None:
        others |= assessment.normal_.answers(known, recipe.limits.false_alarm_rate)
    return Report.beside(
        recipe.facts()["model"],
        found,
        {name: judge(*each) for name, each in others.items()},
        sections=(recipe.decision_.threshold.section(alarm, bad),),
        headline_text=f"Of two parts, one good and one not, the score is right in "
        f"{found.estimates()['auroc']} of all pairs; no defect was learned from.",
        **facts,
    )


def _of_pairs(
    assessment: Assessment,
    known: Parts,
    answers: Answers,
    recipe: DefectRecipe,
    groups: NDArray[Any],
    facts: dict[str, Any],
) -> Report:
    """Pairs of an image and its reference."""
    del groups  # each pair is one of its own
    truth = list(known.boxes)
    found = recipe.boxes_.of_table(list(answers["mask"]), list(answers["heat_map"]))
    ours = _boxed(truth, found)
    others = {"no_boxes": _boxed(truth, no_boxes(known))}
    if assessment.pairs_ is not None:
        others["xor_components"] = _boxed(truth, assessment.pairs_.boxes(known))
    rows: list[tuple[object, ...]] = [("type", "boxes", "found", "right")]
    for name in assessment.classes[1:]:
        chosen = [[[b for b in cell if b.type == name] for cell in c] for c in (truth, found)]
        counts = matches(*chosen)
        rows.append(
            (name, *(int(each.sum()) for each in (counts.true, counts.found, counts.matched)))
        )
    text = "Boxes of each type: there, found, and found where and as they are."
    return Report.beside(
        recipe.facts()["model"],
        ours,
        others,
        sections=(Section("Types", text, rows),),
        headline_text=f"Boxes have an F1 of {ours.estimates()['box_f1']}, their types counted.",
        **facts,
    )


def _boxed(truth: list[Any], found: list[Any]) -> BootstrapResult:
    return box_bootstrap(matches(truth, found), matches(truth, found, typed=False))


def loss_of(regime: Regime, reader: PartReader, recipe: DefectRecipe) -> StatedLoss:
    """What a file of lower precision may lose, and how that is measured.

    Parameters
    ----------
    regime : {"supervised", "one_class", "comparison"}
    reader : PartReader
    recipe : DefectRecipe
    """

    def area(frame: pd.DataFrame, answers: Answers) -> float:
        """Area under the curve of the score; where all parts are alike, their mean agreement."""
        known = reader.read(frame)
        if regime == "comparison":
            boxes = recipe.boxes_.of_table(list(answers["mask"]), list(answers["heat_map"]))
            return matches(list(known.boxes), boxes).f1()
        score = answers["anomaly_score" if regime == "one_class" else "defect_probability"]
        return Ranking(known.types > 0, score.astype(np.float64)).auroc(np.ones(len(score)))

    metric = "box_f1" if regime == "comparison" else "auroc"
    return StatedLoss(metric=metric, most=_MOST_LOST, measure=area, tolerance=_TOLERANCE)
