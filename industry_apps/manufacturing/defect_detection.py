"""Defect detection: is this part good, and where and what is wrong with it.

Asked at the end of a line, where every part is photographed and most are good. Three things may be
known, and each has its way of learning: photographs of defects with their types and masks
(supervised; Božič, Tabernik and Skočaj 2021, arXiv:2104.06064), good parts alone (a network that
finds what was pasted into them, Zavrtanik et al. 2021, arXiv:2108.07610, and a memory of their
patches, Roth et al. 2022, arXiv:2106.08265), or how the part should look (comparison with a
reference; Tang et al. 2019, arXiv:1902.06197). All networks begin with random weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split, split_by_group, split_random
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.costs import Costs
from industry_apps.evaluation.variants import Question
from industry_apps.export import Exportable, assemble
from industry_apps.features import GraphBuilder
from industry_apps.limits import NOT_NEGATIVE, OPEN_SHARE, Limit, integer
from industry_apps.manufacturing.defects.answers import KNOWN, SCORED
from industry_apps.manufacturing.defects.assessment import Assessment, assessed, loss_of
from industry_apps.manufacturing.defects.metrics import DEFECTS
from industry_apps.manufacturing.defects.options import DefectOptions
from industry_apps.manufacturing.defects.reading import PartReader, Regime, regime_of
from industry_apps.manufacturing.defects.recipe import DefectRecipe, Limits
from industry_apps.recipes.equal_rows import EqualRows
from industry_apps.recipes.imaging.columns import OfImages
from industry_apps.recipes.imaging.masks import Region, is_region
from industry_apps.runtime.answers import no_answers
from industry_apps.runtime.boxes import Box
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

_REGION = Limit(is_region, "a tuple of values or colours, or a mapping of names to these")
#: Images that one run of the file may hold: each makes wide tensors.
_ROWS_A_RUN = 16


class DefectDetector(OfImages, Application):
    """Whether a part is defective, what the defect is, and where it lies.

    Images are of any size and aspect, and mask and map are of the size of their image: small
    defects of large images are learned from windows of ``options.tile`` pixels.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"image": "photo", "part": "serial_number"}``.
    window : (float, float), optional
        Of images of more than 8 bits: the values that are black and white; by default the least
        and the largest of the training images. The file holds it.
    regime : {"auto", "supervised", "one_class", "comparison"}
        What is learned from: parts of known types of defect; good parts alone; or pairs of an
        image and a reference. By default it follows from the training data, and ``regime_`` and
        the report say which it is: pairs where there is a column ``reference``, good parts where
        ``defect`` says that all are, and else known types.
    good : str
        What ``defect`` says of a part without a defect.
    region : tuple or mapping, optional
        Which values of the masks are defects, where there are several besides 0; or which are
        which type: ``{"open": 1, "short": 2}``, of colours ``{"open": (255, 0, 0)}``.
    missed_defect_cost, false_alarm_cost : float
        What it costs to let a defect pass and to stop a good part; they set the threshold where
        defects are known.
    false_alarm_rate : float
        Wanted share of good parts that are stopped, in (0, 1): sets the threshold where the
        validation data have no defect.
    threshold : float, optional
        Your own, of ``defect_probability`` or ``anomaly_score``, in place of these. The file holds
        it. In [0, 1] where it is one of a probability.
    options : DefectOptions, optional
        Windows, network, memory and training.
    seed : int

    Notes
    -----
    Of ``defect``, ``boxes``, and masks whose types ``region`` names, one is needed. ``defect`` is a
    name, or True and False.
    In a ``mask`` 0 is good; with a ``defect`` beside it the other value is of that type. ``boxes``
    are lists of (left, top, right, bottom, type) in pixels. Where only labels are known, the
    mask that is answered follows from them alone, and is coarse. ``part``, where it is given, keeps
    the photographs of a part together in splits and intervals.

    An image of a single shade, as of a covered lens, shows no part: it is stopped by the file, and
    refused in training, as is a mask or reference of another size than its image. Without a good
    part nothing is learned. Of one alone the network and the memory learn, but to choose the
    threshold good validation parts are needed: as many as one over ``false_alarm_rate``, less one.
    Scores are not clipped. :class:`industry_apps.runtime.RegionBoxes` draws
    the boxes of an answer, here and on a serving machine alike.

    Examples
    --------
    >>> from industry_apps.manufacturing import DefectDetector
    >>> data = DefectDetector.sample()
    >>> detector = DefectDetector.fast().fit(data)
    >>> answer = detector.predict(data.test.head(2))
    >>> answer["mask"][0].shape == data.test["image"][0].shape
    True
    """

    name = "manufacturing.defect_detection"
    question = "Is this part good, and where is it not?"
    simulator = "manufacturing_part_simulator"
    subject = "part"
    schema = Schema(
        (
            Column("image", "image", "Photograph of the part", nullable=False),
            Column(
                "reference",
                "image",
                "Photograph or drawing of a good one, of the size of the image",
                role="identifier",  # but where images are compared with it
                nullable=False,
                required=False,
            ),
            Column(
                "defect",
                "category",
                "Type of the defect, or good; or whether there is one",
                role="identifier",
                nullable=False,
                required=False,
            ),
            Column(
                "mask",
                "image",
                "Where it lies",
                role="identifier",
                nullable=False,
                required=False,
            ),
            Column(
                "boxes",
                "text",
                "Lists of (left, top, right, bottom, type)",
                role="identifier",
                required=False,
            ),
            Column("part", "category", "Which part it is", role="identifier", required=False),
        )
    )
    outputs = KNOWN
    traits = Traits(inputs=("image",), precisions=("float32", "int8"))
    problem = DEFECTS
    defaults = MappingProxyType({"options": DefectOptions()})

    regime: Literal["auto", "supervised", "one_class", "comparison"] = "auto"
    good: str = "good"
    region: Annotated[Region, _REGION] | None = None
    missed_defect_cost: Annotated[float, NOT_NEGATIVE] = 20.0
    false_alarm_cost: Annotated[float, NOT_NEGATIVE] = 1.0
    false_alarm_rate: Annotated[float, OPEN_SHARE] = 0.05
    threshold: float | None = None
    options: DefectOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """A narrow network and few epochs on known defects: a fit of seconds."""
        training = TrainingOptions(
            max_epochs=6, batch_size=16, learning_rate=1e-2, precision="float32", progress=False
        )
        options = DefectOptions(
            tile=40,
            width=6,
            depth=2,
            block=1,
            draws=320,
            pasted_first=False,
            patches=50,
            training=training,
        )
        return cls(regime="supervised", options=options)

    def split(self, frame: pd.DataFrame) -> Split:
        """Split photographs of yours at random, all those of a part into one part of the data.

        Parameters
        ----------
        frame : DataFrame
            With ``defect``, ``mask`` or ``boxes``.
        """
        part, defect = self._name("part"), self._name("defect")
        if part in frame:
            return split_by_group(frame, group=part, seed=self.seed)
        if defect in frame:
            return split_random(frame, target=defect, seed=self.seed)
        marked = "/defective"
        reader = PartReader(self._own_schema(), self._named(), self.good, self.region)
        has = reader.are_defective(frame)
        parts = split_random(frame.assign(**{marked: has}), target=marked, seed=self.seed)
        return Split(*(each.drop(columns=marked) for each in parts))

    def boxes(self, frame: pd.DataFrame) -> list[list[Box]]:
        """Boxes of the defects of each image, the surest first, as of the answers of the file.

        Parameters
        ----------
        frame : DataFrame
            As for :meth:`predict`.

        Raises
        ------
        SchemaError, NotFittedError
        """
        answers = self.predict(frame)
        return self.recipe_.boxes_.of_table(list(answers["mask"]), list(answers["heat_map"]))

    def learn_on(
        self, corrected: pd.DataFrame, train: pd.DataFrame, validation: pd.DataFrame | None = None
    ) -> Self:
        """Learn on from the weights as they are, with images whose labels somebody has corrected.

        Parameters
        ----------
        corrected : DataFrame
            With labels; they are added to the others, and count like them.
        train, validation : DataFrame
            What was learned from and chosen on before, of the same regime and types.

        Raises
        ------
        SchemaError, LeakageError, TrainingError, NotFittedError
        """
        self._check_fitted()
        self._start = self.recipe_.network_, self.classes_, self.regime_
        try:
            return self.fit(pd.concat([train, corrected], ignore_index=True), validation)
        finally:
            del self._start

    def studies(self) -> Mapping[str, Question]:
        """How much a split leaks that does not keep parts together; how fast a line may run."""
        from industry_apps.manufacturing.defects.studies import leaking_split, line_speed

        return {
            "shipped_split": lambda data: (leaking_split(self, data),),
            "line_speed": lambda data: (line_speed(self, data),),
        }

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.regime_: Regime = regime_of(self.regime, train, self._named(), self.good, self.region)
        self._check_threshold()
        if validation is None:
            train, validation = self._parts(train, None)
        self.parts_ = self._check_subjects(self._subjects(train), validation)
        self.reader_ = self._reader_of(train)
        self.classes_ = (self.good, *self.reader_.types)
        known = {
            name: self.reader_.read(part, training=True)
            for name, part in (("train", train), ("validation", validation))
        }
        self.split_ = {name: part.described(self.reader_.types) for name, part in known.items()}
        self.rows_ = EqualRows(*(part.seen() for part in known.values()))
        options = self.options or DefectOptions()
        training = replace(options.training, seed=self.seed)
        self.recipe_ = DefectRecipe(
            self.schema_,
            self.outputs_,
            self.classes_,
            self.regime_,
            replace(options, training=training),
            Limits(
                costs=self._costs,
                false_alarm_rate=self.false_alarm_rate,
                threshold=self.threshold,
            ),
        ).fit(**known, start=self._weights())
        self.assessment_ = Assessment(self.regime_, self.classes_, self.seed)
        self.check_ = validation

    def _reader_of(self, train: pd.DataFrame) -> PartReader:
        """What reads tables like those of training, whose columns the file reads."""
        names = self._named()
        regime = regime_of(self.regime, train, names, self.good, self.region)
        inputs = ("image", "reference")[: 1 + (regime == "comparison")]
        columns = [self._image_column(train, name) for name in inputs]
        read = [replace(column, role="feature", required=True) for column in columns]
        self.schema_ = Schema((read[0], *(replace(c, beside=read[0].name) for c in read[1:])))
        return PartReader(self.schema_, names, self.good, self.region).learned(train, regime)

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        if validation is None:
            train, validation = self._parts(train, None)
        self.assessment_.fit(*(self.reader_.read(part) for part in (train, validation)))

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.schema_.to_arrays(frame)
        return self.recipe_.answers(arrays) if len(frame) else no_answers(self.outputs_)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        self._check_subjects(self.parts_, frame)
        known = self.reader_.read(frame)
        answers = self.recipe_.answers(known.arrays)
        part = self._name("part")
        groups = self._people(frame) if part not in frame else frame[part].to_numpy()
        return assessed(
            self.assessment_,
            known,
            answers,
            self.recipe_,
            groups=groups,
            kinds=self.reader_.kinds(frame),
            split={**self.split_, "test": known.described(self.classes_[1:])},
            notes=(
                f"The regime is {self.regime_!r}"
                + (", as the training data are." if self.regime == "auto" else "."),
                *self.rows_.shared(known.seen()),
            ),
        )

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Mapping[str, str]:
        return self.recipe_.write(builder, inputs)

    def _facts(self) -> dict[str, Any]:
        return self.recipe_.facts()

    def _exportable(self, precision: str = "float32") -> Exportable:
        if precision == "float32":
            return replace(super()._exportable(), rows_a_run=_ROWS_A_RUN)
        model = assemble(
            self,
            partial(self.recipe_.write, precision=precision),
            {**self._facts(), "split": self.split_},
            rows_a_run=_ROWS_A_RUN,
            precision=precision,
            loss=loss_of(self.regime_, self.reader_, self.recipe_),
        )
        return replace(model, facts={**model.facts, "speed": self.recipe_.speed_})

    @property
    def outputs_(self) -> Schema:
        """A score in place of a probability, where no defect was ever seen."""
        regime = self.__dict__.get("regime_", self.regime)
        return SCORED if regime == "one_class" else self.outputs

    @property
    def _costs(self) -> Costs:
        return Costs.of(self, false_alarm="false_alarm_cost", missed="missed_defect_cost")

    def _check_threshold(self) -> None:
        """Refuse a threshold that no probability reaches."""
        threshold = self.threshold
        if threshold is None or self.regime_ == "one_class" or 0 <= threshold <= 1:
            return
        raise ParameterError(
            "The 'threshold' parameter of DefectDetector must be in [0, 1] where defects are "
            "known: it is one of 'defect_probability', and 'anomaly_score' is answered in the "
            f"regime 'one_class' alone. Got {threshold!r}."
        )

    def _named(self) -> dict[str, str]:
        """Names of this class -> names in the table."""
        return {name: self._name(name) for name in self.schema.names}

    def _weights(self) -> Any:
        """Those to learn on from, where that was asked for."""
        if "_start" not in self.__dict__:
            return None
        network, classes, regime = self._start
        if (classes, regime) != (self.classes_, self.regime_):
            raise SchemaError(
                f"The tables to learn on from are of the regime {self.regime_!r} and the classes "
                f"{list(self.classes_)}; learned were {regime!r} and {list(classes)}. Give the "
                "same training data as before, with the corrected images beside them, or fit anew."
            )
        return network
