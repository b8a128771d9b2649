"""What is particular to fingers: the core is found, turned prints are turned back, real ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import rotate, shift

from industry_apps.cybersecurity import FingerprintVerifier
from industry_apps.data.simulators import finger_prints
from industry_apps.errors import LeakageError, ParameterError, TrainingError
from industry_apps.features.running import WrittenGraph
from industry_apps.recipes.verification.fingers import FingerOptions
from industry_apps.recipes.verification.ridges import RidgeFlow
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import one_by_one


@pytest.fixture(scope="module")
def data():
    return FingerprintVerifier.sample()


@pytest.fixture(scope="module")
def fitted(data):
    return FingerprintVerifier.fast().fit(data)


@pytest.fixture(scope="module")
def flow():
    """Images -> directions around the core."""
    column = Column("image", "image", nullable=False, channels=1)
    graph = WrittenGraph(
        Schema((column,)),
        lambda builder, inputs: {"flow": RidgeFlow("image", 9, 12).write(builder, inputs["image"])},
        Schema((Column("flow", "number", size=None),)),
    )
    return lambda images: graph.run({"image": column.to_array(one_by_one(images))})[0]


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_a_print_that_is_moved_and_turned_has_the_same_flow(flow):
    frame = finger_prints(persons=6, impressions=1, width=224, height=256, seed=2)
    images = [image.astype(float) for image in frame["image"]]
    ground = [float(np.median(image[:8])) for image in images]
    pairs = zip(images, ground, strict=True)
    moved = [shift(rotate(i, 12, reshape=False, cval=g), (9, -7), cval=g) for i, g in pairs]
    plain = flow(frame["image"])
    other = flow([image.clip(0, 255).astype(np.uint8) for image in moved])
    alike = [cosine(one, two) for one, two in zip(plain, other, strict=True)]
    strangers = [cosine(plain[n], other[n - 1]) for n in range(6)]
    assert np.median(alike) > 0.97
    assert max(strangers) < 0.97


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3)])
def test_odd_images_are_answered(flow, shape):
    assert np.isfinite(flow([np.full(shape, 9, np.uint8)])).all()


def test_simulated_fingers_repeat():
    first, again = (finger_prints(persons=2, impressions=2, width=96, height=96) for _ in range(2))
    assert all(np.array_equal(*both) for both in zip(first["image"], again["image"], strict=True))
    with pytest.raises(ParameterError, match="96 pixels"):
        finger_prints(width=32)


def test_alignment_beats_edges_that_are_not_aligned(fitted, data):
    report = fitted.evaluate(data)
    assert report.metrics["eer"].value < report.baselines["edges_cosine"]["eer"].value - 0.05


def test_fingers_on_both_sides_and_too_few_are_refused(fitted, data):
    with pytest.raises(LeakageError, match="person"):
        fitted.evaluate(data.train)
    with pytest.raises(TrainingError, match="expected 3"):
        FingerprintVerifier.fast().fit(data.train.drop_duplicates("person"))


@pytest.mark.parametrize("places", [4, 8, 33, 9.0])
def test_places_are_limited(places):
    with pytest.raises(ParameterError, match="odd int"):
        FingerOptions(places=places)
