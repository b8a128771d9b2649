"""The questions about images, asked of a small data set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from industry_apps.data import sample
from industry_apps.errors import ParameterError
from industry_apps.healthcare import (
    ImageGenerator,
    ImagingClassifier,
    generative_report,
    image_studies,
)
from industry_apps.recipes.imaging import generation as image_generation
from industry_apps.training import TrainingOptions

pytestmark = pytest.mark.generative

QUICK = TrainingOptions(max_epochs=3, batch_size=32, learning_rate=4e-3, progress=False)


@pytest.fixture(scope="module")
def data():
    return sample("healthcare_scan_simulator")


def test_both_questions_are_answered_on_the_test_part(data):
    classifier = ImagingClassifier.fast()
    options = replace(classifier.options, training=replace(QUICK, max_epochs=4))
    gain, told = generative_report(
        data,
        positive="spot",
        generator=ImageGenerator(width=8, training=QUICK),
        classifier=classifier.set_params(options=options),
        sizes=(80,),
        seeds=(0, 1),
        strange={"white": np.full((20, 24, 24, 1), 255, np.uint8)},
    )
    (row,) = gain.records()
    assert row["real_images"] == row["generated"] == 80
    assert row["real"]["low"] <= row["real"]["value"] <= row["real"]["high"]
    difference = row["both"]["value"] - row["real"]["value"]
    assert row["both_less_real"]["value"] == pytest.approx(difference)
    kinds = {row["images"]: row for row in told.records()}
    assert list(kinds)[:2] == ["white", "noise"]
    assert kinds["white"]["vae"]["value"] > 0.95


def test_a_finding_that_nobody_has_is_refused(data):
    with pytest.raises(ParameterError, match=r"the finding 'shadow'. There are: band, clear, spot"):
        generative_report(data, positive="shadow")


def test_both_generators_are_asked_whatever_the_columns_are_called(data, monkeypatch):
    monkeypatch.setattr(image_generation, "_TRAINING", QUICK)
    monkeypatch.setattr(image_studies, "_LEAST_STEPS", 0)
    monkeypatch.setattr(image_studies, "_STUDIED", (60, 10**6))  # more than there are: left out
    theirs = {"image": "scan", "finding": "label"}
    parts = {name: getattr(data, name) for name in ("train", "validation", "test")}
    named = replace(data, **{name: part.rename(columns=theirs) for name, part in parts.items()})
    questions = ImagingClassifier(columns=theirs).studies()
    titles = [section.title for section in questions["generated_images"](named)]
    assert titles == [
        f"{question} ({model})"
        for model in ("vae", "diffusion")
        for question in ("Generated images in training", "Strange images")
    ]


def test_networks_of_images_are_compared(data, monkeypatch):
    both = {name: image_studies._NETWORKS[name] for name in ("resnet18", "convnext")}
    monkeypatch.setattr(image_studies, "_NETWORKS", both)
    options = replace(ImagingClassifier.fast().options, training=QUICK)
    (section,) = ImagingClassifier(options=options).studies()["networks"](data)
    assert section.title == "Networks of width 8"
    ours, other, *baselines = section.records()
    assert (ours["model"], other["model"]) == ("resnet18", "convnext")
    assert baselines[0]["model"] == "prior"
