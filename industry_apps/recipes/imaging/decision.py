"""From log-odds of classes and their maps to what is answered, written as nodes.

Calibration, decision, the set of classes that cannot be ruled out, and the map of what speaks
for the answer. Letters: B rows, K classes, H and W places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation.costs import just_above
from industry_apps.features import GraphBuilder
from industry_apps.features.image import write_resized
from industry_apps.recipes.class_calibration import ClassCalibration

#: A map is drawn out to 1 unless its largest place adds less than this to the log-odds.
_FAINTEST = 0.1
_WHITE = 255.0

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDecision:
    """How log-odds become probabilities, an answer, doubt, and a map.

    Parameters
    ----------
    classes : tuple of str
        K names.
    calibration : ClassCalibration
    costs : tuple of float
        What it costs to miss each class: the answer is the class whose probability times its
        cost is the largest.
    limits : tuple of float
        A class is ruled out where its probability is below its limit. Where the answer is not
        the only class left, it is doubtful.
    sharing : tuple of str
        Classes too rare for a limit of their own: theirs is that of all classes together, which
        is right for an image on average, not for each class.

    References
    ----------
    Vovk (2012), Conditional validity of inductive conformal predictors, arXiv:1209.2673; Sadinle,
    Lei, Wasserman (2019), Least ambiguous set-valued classifiers, arXiv:1609.00451.
    """

    classes: tuple[str, ...]
    calibration: ClassCalibration
    costs: tuple[float, ...]
    limits: tuple[float, ...]
    sharing: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls,
        odds: _Floats,
        target: NDArray[np.intp],
        classes: tuple[str, ...],
        *,
        costs: Mapping[str, float] | None,
        coverage: float,
    ) -> Self:
        """Learn from rows that the networks have not seen.

        Parameters
        ----------
        odds : ndarray of shape [rows, K]
        target : ndarray of int, shape [rows]
            Each class occurs.
        classes : tuple of str
        costs : mapping of str to float, optional
            Class -> what it costs to miss it; by default the inverse of its share, so that
            each class counts alike however rare it is.
        coverage : float
            Share of each class that its limit must not rule out, in (0, 1). It takes ``1 / (1 -
            coverage)`` rows of a class to know its limit; of rarer ones see ``sharing``.
        """
        calibration = ClassCalibration.fit(odds, target)
        probability = calibration.apply(odds)
        shares = np.bincount(target, minlength=len(classes)) / len(target)
        own = {name: 1 / share for name, share in zip(classes, shares, strict=True)}
        true = np.take_along_axis(probability, target[:, None], axis=1)[:, 0]
        limits = [_limit(true[target == number], coverage) for number in range(len(classes))]
        of_all = _limit(true, coverage)
        sharing = [name for name, limit in zip(classes, limits, strict=True) if limit is None]
        return cls(
            classes=classes,
            calibration=calibration,
            costs=tuple(float((own if costs is None else costs)[name]) for name in classes),
            limits=tuple((of_all or 0.0) if limit is None else limit for limit in limits),
            sharing=tuple(sharing),
        )

    def loss(self, odds: _Floats, target: NDArray[np.intp]) -> float:
        """Mean log-loss of the probabilities of rows."""
        probability = self.calibration.apply(odds)
        true = np.take_along_axis(probability, target[:, None], axis=1)
        return float(-np.log(np.maximum(true, 1e-300)).mean())

    def write(
        self, builder: GraphBuilder, odds: str, novelty: str, maps: Sequence[DrawnMap]
    ) -> dict[str, str]:
        """Append what is answered.

        Parameters
        ----------
        builder : GraphBuilder
        odds, novelty : str
            Tensors [B, K] and [B, 1]; above 1 an image is unlike the others.
        maps : sequence of DrawnMap
            What adds to the log-odds at each place; one or more.

        Returns
        -------
        dict of str to str
            "finding" (string), "probability", "abstain" (bool), "novelty" -> [B, 1];
            "probabilities" -> [B, K]; "heat_map" (uint8) -> [B, height, width] of the image.
        """
        node, constant = builder.node, builder.constant
        probabilities = self.calibration.write(builder, odds)
        costs = constant(np.array([self.costs], dtype=np.float32))
        number = node("ArgMax", node("Mul", probabilities, costs), attributes={"axis": 1})
        limits = constant(np.array([self.limits], dtype=np.float32))
        left = builder.cast(node("GreaterOrEqual", probabilities, limits), np.int64)
        count = node("ReduceSum", left, constant(np.array([1])))
        one = constant(np.float32(1))
        held = node("GatherElements", left, number, attributes={"axis": 1})
        alone = node("And", node("Equal", held, count), node("Equal", count, constant(np.array(1))))
        return {
            "finding": node("Gather", constant(np.array(self.classes, dtype=object)), number),
            "probability": node("GatherElements", probabilities, number, attributes={"axis": 1}),
            "abstain": node("Or", node("Not", alone), node("Greater", novelty, one)),
            "novelty": novelty,
            "probabilities": probabilities,
            "heat_map": self._write_map(builder, maps, number),
        }

    def _write_map(self, builder: GraphBuilder, maps: Sequence[DrawnMap], number: str) -> str:
        """What speaks for the answer rather than for the other classes, from 0 to 255."""
        node, constant = builder.node, builder.constant
        every = constant(np.arange(len(self.classes))[None])
        chosen = builder.cast(node("Equal", number, every), np.float32)  # [B, K]
        # Less the mean of the classes, which all classes share and softmax does not see.
        weights = node("Sub", chosen, constant(np.float32(1 / len(self.classes))))
        spread = node("Unsqueeze", weights, constant(np.array([2, 3])))  # [B, K, 1, 1]
        one, axis = [], constant(np.array([1]))
        for each in maps:
            places = node("ReduceSum", node("Mul", each.places, spread), axis)  # [B, 1, H, W]
            one.append(each.write(builder, places))
        wide = node("Relu", node("Sum", *one))
        most = node("ReduceMax", wide, constant(np.array([2, 3])))
        shown = node("Div", wide, node("Max", most, constant(np.float32(_FAINTEST))))
        greys = node("Round", node("Mul", shown, constant(np.float32(_WHITE))))
        return builder.cast(node("Squeeze", greys, constant(np.array([1]))), np.uint8)

    def facts(self) -> dict[str, object]:
        """As JSON values for the model file."""
        return {
            "classes": ", ".join(self.classes),
            "temperature": self.calibration.temperature,
            **{f"cost_of_missing_{n}": c for n, c in zip(self.classes, self.costs, strict=True)},
            **{f"ruled_out_below_{n}": c for n, c in zip(self.classes, self.limits, strict=True)},
            "ruled_out_by_the_limit_of_all_classes": ", ".join(self.sharing),
        }


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """How the places of a map are drawn over an image.

    Parameters
    ----------
    places : str
        Tensor [B, K, H, W].
    image : str
        Tensor [B, height, width, C], of whose height and width the map is to be.
    size : int
        Pixels of both sides that the places see.
    stride : int or None
        Pixels from a place to the next, the first at the corner; None where places are cells
        side by side.
    """

    places: str
    image: str
    size: int
    stride: int | None

    def write(self, builder: GraphBuilder, places: str) -> str:
        """Draw [B, 1, H, W] to [B, 1, height, width], each place where the network sees it."""
        sides = builder.node("Shape", self.image, attributes={"start": 1, "end": 3})
        if self.stride is None:
            return write_resized(builder, places, sides)
        scales = builder.constant(np.array([1, 1, self.stride, self.stride], dtype=np.float32))
        settings = {"mode": "linear", "coordinate_transformation_mode": "asymmetric"}
        drawn = builder.node("Resize", places, "", scales, attributes=settings)
        cut = (np.array(each) for each in ([0, 0], [self.size, self.size], [2, 3]))
        square = builder.node("Slice", drawn, *map(builder.constant, cut))
        return write_resized(builder, square, sides)


def _limit(probability: _Floats, coverage: float) -> float | None:
    """The highest limit that rules out no more than the share allowed, of rows yet unseen.

    None where the rows are too few to rule anything out.
    """
    rising = np.sort(probability)
    dropped = int(np.floor((len(rising) + 1) * (1 - coverage)))
    if dropped < 1:
        return None
    return max(0.0, -just_above(-np.append(rising, 0.0), -rising[dropped - 1]))
