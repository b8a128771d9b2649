"""Medical imaging: what is to be seen on an image, how sure that is, and where it lies.

Asked by researchers who read radiographs, sections and photographs in numbers. Small residual
networks trained from scratch (He et al. 2016, arXiv:1512.03385) are the usual reference on small
images (Yang et al. 2023, MedMNIST v2, doi:10.1038/s41597-022-01721-8); a kernel machine of
oriented gradients (Dalal and Triggs 2005) counts beside them, on few images the more. Whoever acts
on an answer has to know when not to: doubt is a conformal set of classes other than the finding
alone (Vovk 2012, arXiv:1209.2673), or an image unlike those of training (Lee et al. 2018,
arXiv:1807.03888), and the map shows what spoke for the answer (Zhou et al. 2016,
arXiv:1512.04150).

For research, not for diagnosis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.classes import CLASSES, class_bootstrap, confusion
from industry_apps.evaluation.metrics import Ranking
from industry_apps.evaluation.sections import Section
from industry_apps.evaluation.variants import Question
from industry_apps.export import Exportable, assemble
from industry_apps.export.parity import Answers, StatedLoss
from industry_apps.features import FeatureGraph, GraphBuilder
from industry_apps.features.image import Pixels
from industry_apps.healthcare.intended_use import INTENDED_USE
from industry_apps.healthcare.patients import PATIENT, split_patients
from industry_apps.limits import CLASS_COSTS, integer
from industry_apps.recipes.equal_rows import EqualRows
from industry_apps.recipes.imaging.baselines import BASELINE_SIZE, ImageBaselines
from industry_apps.recipes.imaging.columns import OfImages
from industry_apps.recipes.imaging.recipe import ImagingOptions, ImagingRecipe, Pictures, Precision
from industry_apps.runtime.answers import no_answers, shaped
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

_LOWER: tuple[Precision, ...] = ("int8", "bfloat16")
#: What a file of lower precision may lose of the area under the curve: half a point of 100.
_MOST_LOST = 0.005
#: Integer kernels of two processors differ by up to this much in a probability.
_TOLERANCE = 0.1
#: Images of one run of the file.
_ROWS_A_RUN = 256


class ImagingClassifier(OfImages, Application):
    """What an image shows: the finding, its probability, whether to abstain, and a map of where.

    For research, not for diagnosis. Grey, colour and multi-channel images of any size and of
    any number of classes; each file is of one number of channels.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"finding": "label"}``.
    window : (float, float), optional
        Of images of more than 8 bits: the values that are black and white, as of a CT window; by
        default the least and the largest of the training images. The file holds it.
    missed_costs : mapping of str to float, optional
        Class -> what it costs to miss it, > 0: the answer is the class whose probability times
        its cost is the largest. By default the inverse of its share of the validation images,
        so that a rare class counts as much as a frequent one.
    options : ImagingOptions, optional
        Network, augmentation, coverage, training.
    seed : int

    Notes
    -----
    A column ``patient``, where there is one, keeps the images of a patient together in splits
    and intervals; a patient on both sides of a split is refused.

    Abstaining is decided class by class on validation images: of new images like those, no
    more than the share that ``options.coverage`` leaves has its true class ruled out; a class of
    too few shares the limit of all, and the report says so. Of such images the same share is
    abstained from as unlike the training images (``novelty`` above 1), and of blurred, brightened
    or foreign ones more; the study ``trust`` measures how many.

    Examples
    --------
    >>> from industry_apps.healthcare import ImagingClassifier
    >>> data = ImagingClassifier.sample()
    >>> classifier = ImagingClassifier.fast().fit(data)
    >>> sorted(classifier.predict(data.test.head(50))["finding"].unique())
    ['band', 'clear', 'spot']
    """

    name = "healthcare.medical_imaging"
    question = "What does this image show, and where?"
    simulator = "healthcare_scan_simulator"
    subject = "patient"
    schema = Schema(
        (
            Column(
                "image",
                "image",
                "Values [height, width, channels], or an encoded PNG or JPEG",
                nullable=False,
            ),
            Column(
                "finding",
                "category",
                "What somebody who knows has seen on it",
                role="identifier",
                nullable=False,
                required=False,
            ),
            PATIENT[0],
        )
    )
    outputs = Schema(
        (
            Column(
                "finding",
                "category",
                "The class whose probability times cost of missing it is the largest",
                nullable=False,
            ),
            Column.probability("probability", "Of the finding, calibrated"),
            Column(
                "abstain",
                "boolean",
                "The finding is not the only class that cannot be ruled out, or novelty is above 1",
                nullable=False,
            ),
            Column(
                "novelty",
                "number",
                "How unlike the training images it is; above 1 more than usual images are",
                low=0,
                nullable=False,
            ),
            Column.probability(
                "probabilities", "Of all classes, in the order of `classes` in the file", size=None
            ),
            Column(
                "heat_map",
                "image",
                "What speaks for the finding, 0 to 255, of the size of the image",
                channels=1,
                nullable=False,
            ),
        )
    )
    traits = Traits(inputs=("image",), precisions=("float32", *_LOWER))
    problem = CLASSES

    missed_costs: Annotated[Mapping[str, float], CLASS_COSTS] | None = None
    options: ImagingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """A narrow network and few epochs: a fit of seconds."""
        training = TrainingOptions(
            max_epochs=12, batch_size=32, learning_rate=5e-3, patience=12, progress=False
        )
        return cls(
            options=ImagingOptions(network="resnet10", width=8, averaging=0.9, training=training)
        )

    def split(self, frame: pd.DataFrame) -> Split:
        """Split images of yours at random, all those of a patient into one part.

        Parameters
        ----------
        frame : DataFrame
            With the finding; without a column ``patient`` each image counts as one patient.
        """
        patient, finding = self._name("patient"), self._name("finding")
        return split_patients(frame, patient=patient, target=finding, seed=self.seed)

    def studies(self) -> Mapping[str, Question]:
        """How far to trust it; which network sees most; whether generated images help."""
        from industry_apps.healthcare.image_studies import (
            both_generators,
            compared_networks,
            trust_report,
        )

        return {
            "trust": lambda data: trust_report(self, data),
            "networks": lambda data: (compared_networks(self, data),),
            "generated_images": lambda data: both_generators(self.columns, data),
        }

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        train, validation = self._known(train, validation)
        others = train.head(0) if validation is None else validation
        self.patients_ = self._check_subjects(self._subjects(train), others)
        self.column_ = self._image_column(train)
        self.schema_ = Schema((self.column_,))
        names = self._labels(train)
        self.classes_ = tuple(sorted(set(names)))
        self._check_costs()
        options = self.options or ImagingOptions()
        training = replace(options.training, seed=self.seed)
        parts = {
            name: self._pictures(part)
            for name, part in (("train", train), ("validation", validation))
            if part is not None
        }
        self.split_ = {name: self._described(part) for name, part in parts.items()}
        self.rows_ = EqualRows(*map(_seen, parts.values()))
        self.recipe_ = ImagingRecipe(
            self.column_,
            self.classes_,
            self.outputs,
            replace(options, training=training),
            self.missed_costs,
        ).fit(parts["train"], parts.get("validation"))
        self.baselines_ = ImageBaselines(len(self.classes_), self.seed)
        aside = train if self.recipe_.aside_ is None else train.iloc[self.recipe_.aside_]
        self.check_ = aside if validation is None else validation

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        pictures = self._pictures(self._known(train, validation)[0])
        plan = FeatureGraph(self.schema_, [Pixels(self.column_.name, BASELINE_SIZE)])
        self.reading_ = plan.learn({self.column_.name: pictures.images})
        self.baselines_.fit(self._small(pictures), pictures.target)

    def _known(
        self, train: pd.DataFrame, validation: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Training and validation images; without patients the recipe sets the latter aside."""
        if validation is None and self._name("patient") not in train:
            return train, None
        return self._parts(train, validation)

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        images = self.schema_.to_arrays(frame)[self.column_.name]
        if not len(images):
            return no_answers(self.outputs)
        return shaped(self.outputs, self.recipe_.answer(images))

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        self._check_subjects(self.patients_, frame)
        pictures, groups = self._pictures(frame), self._people(frame)
        found = shaped(self.outputs, self.recipe_.answer(pictures.images))
        number = {name: place for place, name in enumerate(self.classes_)}
        for name, place in number.items():
            if not (pictures.target == place).any():
                raise SchemaError(
                    f"Column {self._name('finding')!r}: none of the {len(frame)} images to judge "
                    f"on shows {name!r}, so nothing can be said of it. Add images of it."
                )
        said = np.array([number[name] for name in found["finding"]])
        ours = class_bootstrap(pictures.target, found["probabilities"], said, groups=groups)
        others = {
            name: class_bootstrap(pictures.target, scores, scores.argmax(axis=1), groups=groups)
            for name, scores in self._baseline_scores(pictures).items()
        }
        right = said == pictures.target
        return Report.beside(
            self.recipe_.facts()["model"],
            ours,
            others,
            split={**self.split_, "test": self._described(pictures)},
            sections=(
                _doubt_section(right, found["abstain"]),
                confusion("finding", self.classes_, pictures.target, said),
            ),
            headline_text=f"{right.mean():.1%} of {len(right)} images are classified correctly.",
            notes=(
                "Each class counts alike in the answer, however rare it is."
                if self.missed_costs is None
                else f"The answer weighs what it costs to miss a class: {dict(self.missed_costs)}.",
                *_rare_note(self.recipe_.answers_.decision_.sharing),
                *self.rows_.shared(_seen(pictures)),
            ),
        )

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Mapping[str, str]:
        return self.recipe_.write(builder, inputs)

    def _facts(self) -> dict[str, Any]:
        return {**self.recipe_.facts(), "intended_use": INTENDED_USE}

    def _exportable(self, precision: str = "float32") -> Exportable:
        if precision == "float32":
            return replace(super()._exportable(), rows_a_run=_ROWS_A_RUN)
        loss = StatedLoss(metric="auroc", most=_MOST_LOST, measure=self._area, tolerance=_TOLERANCE)
        model = assemble(
            self,
            partial(self.recipe_.write, precision=cast(Precision, precision)),
            {**self._facts(), "split": self.split_},
            rows_a_run=_ROWS_A_RUN,
            precision=precision,
            loss=loss,
        )
        return replace(model, facts={**model.facts, "speed": self.recipe_.speed_})

    def _area(self, frame: pd.DataFrame, answers: Answers) -> float:
        """Mean over the classes of the area under the curve of each against the others."""
        target = self._pictures(frame).target
        every = np.ones(len(target))
        scores = answers["probabilities"].astype(np.float64)
        return float(
            np.mean(
                [
                    Ranking(target == number, scores[:, number]).auroc(every)
                    for number in range(len(self.classes_))
                ]
            )
        )

    def _labels(self, frame: pd.DataFrame) -> NDArray[np.object_]:
        label = Column(name=self._name("finding"), kind="category", nullable=False)
        return Schema((label,)).to_arrays(frame)[label.name]

    def _pictures(self, frame: pd.DataFrame) -> Pictures:
        if frame.empty:
            raise SchemaError("The table has no rows. Give some images with their finding.")
        names = self._labels(frame)
        unknown = sorted(set(names) - set(self.classes_))
        if unknown:
            row = int((names == unknown[0]).argmax())
            raise SchemaError(
                f"Column {self._name('finding')!r}, row {row}: got {unknown[0]!r}, expected one of "
                f"{list(self.classes_)}, which the training images show. Correct it, or add "
                "training images of it."
            )
        number = {name: place for place, name in enumerate(self.classes_)}
        target = np.array([number[name] for name in names], dtype=np.intp)
        return Pictures(self.schema_.to_arrays(frame)[self.column_.name], target)

    def _baseline_scores(self, pictures: Pictures) -> dict[str, NDArray[np.float64]]:
        known = self.baselines_.models_
        return self.baselines_.probabilities(self._small(pictures)) if known else {}

    def _small(self, pictures: Pictures) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self.reading_.run({self.column_.name: pictures.images})[
            "pixels"
        ]
        return found

    def _described(self, pictures: Pictures) -> dict[str, int]:
        counts = np.bincount(pictures.target, minlength=len(self.classes_))
        named = {name: int(count) for name, count in zip(self.classes_, counts, strict=True)}
        return {"rows": len(pictures.target), **named}

    def _check_costs(self) -> None:
        if self.missed_costs is not None and set(self.missed_costs) != set(self.classes_):
            raise ParameterError(
                f"The 'missed_costs' parameter of {type(self).__name__} must name each class of "
                f"the training images, {list(self.classes_)}. Got {dict(self.missed_costs)!r} "
                "instead."
            )


def _seen(part: Pictures) -> pd.DataFrame:
    return pd.DataFrame({"image": list(part.images), "finding": part.target})


def _rare_note(rare: tuple[str, ...]) -> tuple[str, ...]:
    """Which classes have no limit of their own."""
    if not rare:
        return ()
    names = ", ".join(map(repr, rare))
    return (
        f"Of {names} there are too few validation images for a limit of their own: that of all "
        "classes rules them out, so they may be missed without doubt more often than others.",
    )


def _doubt_section(right: NDArray[np.bool_], doubtful: NDArray[np.bool_]) -> Section:
    """How often the answer is right, where the model abstains and where it does not."""
    rows = [
        (name, int(part.sum()), float(right[part].mean()) if part.any() else None)
        for name, part in (("answered", ~doubtful), ("abstained", doubtful))
    ]
    text = "The model abstains where the finding is not the only class that cannot be ruled out."
    return Section("Doubt", text, [("answer", "images", "correct"), *rows])
