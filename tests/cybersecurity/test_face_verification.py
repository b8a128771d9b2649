"""What is particular to faces: what is refused, other channels, real photographs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.cybersecurity import FaceVerifier
from industry_apps.data import load
from industry_apps.errors import LeakageError, ParameterError, SchemaError, TrainingError
from industry_apps.recipes.verification.faces import FaceOptions
from industry_apps.recipes.verification.metrics import all_pairs
from industry_apps.runtime import Model


@pytest.fixture(scope="module")
def data():
    return FaceVerifier.sample()


@pytest.fixture(scope="module")
def fitted(data):
    return FaceVerifier.fast().fit(data)


def test_light_and_contrast_do_not_count(fitted, data):
    images = data.test.head(20)
    darker = images.assign(image=[(image * 0.6 + 20).astype(np.uint8) for image in images["image"]])
    one, two = (np.array(fitted.predict(f)["embedding"].tolist()) for f in (images, darker))
    assert (one * two).sum(axis=1).min() > 0.9


def test_quality_tells_what_is_no_face(fitted, data):
    faces = fitted.predict(data.test)["quality"]
    assert (faces >= 1).mean() > 0.9
    image = data.test["image"].iloc[0]
    odd = [np.full((32, 32), 99, np.uint8), np.zeros((32, 32), np.uint8), image[::-1], 255 - image]
    odd.append(np.hstack([image[:, ::2], data.test["image"].iloc[-1][:, ::2]]))
    assert (fitted.predict(pd.DataFrame({"image": odd}))["quality"] < 1).all()


def test_colour_images_are_read(data):
    train = data.train.assign(image=[np.stack([i, i // 2, i], 2) for i in data.train["image"]])
    fitted = FaceVerifier.fast().fit(train)
    assert fitted.column_.channels == 3


def test_the_threshold_is_chosen_on_persons_left_out_of_learning(data):
    fitted = FaceVerifier.fast().set_params(false_accept_rate=0.05).fit(data.train)
    facts = fitted.recipe_.facts()
    low, high = facts["false_accept_rate_95"]
    assert low <= 0.05 <= high
    assert facts["enrolment_threshold"] < facts["threshold"]
    images = fitted.predict(data.test)
    found = all_pairs(
        np.array(images["embedding"].tolist()), pd.factorize(data.test["person"])[0]
    ).rates_at(facts["threshold"])["false_match_rate"](np.ones(len(images)))
    assert 0.005 < found < 0.2


def test_persons_on_both_sides_are_refused(fitted, data):
    with pytest.raises(LeakageError, match="person"):
        fitted.evaluate(data.train)
    with pytest.raises(LeakageError, match="person"):
        FaceVerifier.fast().fit(data.train, data.train.head(20))


def test_too_few_persons_are_refused(data):
    with pytest.raises(TrainingError, match="expected 3"):
        FaceVerifier.fast().fit(data.train.drop_duplicates("person"))
    few = data.train[data.train["person"].isin(data.train["person"].unique()[:2])]
    with pytest.raises(TrainingError, match="2 persons"):
        FaceVerifier.fast().fit(few)


def test_a_part_without_pairs_is_refused(fitted, data):
    with pytest.raises(SchemaError, match="two samples or more"):
        fitted.evaluate(data.test.drop_duplicates("person"))


@pytest.mark.parametrize("size", [30, 8, 28.0])
def test_sizes_are_limited(size):
    with pytest.raises(ParameterError, match="multiple of 4"):
        FaceOptions(size=size)


def test_the_file_says_what_its_threshold_means(fitted, tmp_path):
    model = Model(fitted.export(tmp_path / "faces.onnx"))
    told = model.metadata["verification"]
    assert told["false_accept_rate"] == 0.01
    assert "Not for access control without" in model.metadata["intended_use"]


@pytest.mark.real_data("att_faces")
def test_faces_of_persons_not_learned_from():
    data = load("att_faces")
    assert not set(data.train["person"]) & set(data.test["person"])
    assert data.train["person"].nunique() == data.test["person"].nunique() == 20
    fitted = FaceVerifier(options=FaceOptions(copies=1)).fit(data)
    report = fitted.evaluate(data)
    assert report.metrics["eer"].value < 0.1
    assert report.metrics["eer"].value < report.baselines["fisherfaces"]["eer"].value
