"""Scores of molecules, and a generator that is turned toward them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from industry_apps.errors import ParameterError, UnknownNameError
from industry_apps.healthcare import (
    MoleculeGenerator,
    PropertyPredictor,
    drug_likeness,
    likeness,
    log_p_window,
    predicted_window,
)
from industry_apps.runtime import Model
from industry_apps.training import ReinforceOptions

pytest.importorskip("rdkit")

FEW_SCAFFOLDS = 1_000
TUNING = ReinforceOptions(
    steps=40, batch_size=32, sigma=40.0, learning_rate=2e-3, of_a_kind=FEW_SCAFFOLDS
)
NONE_OF_THESE = ("", "C(", "hello", "C(C)(C)(C)(C)C")


@pytest.fixture(scope="module")
def generator():
    return MoleculeGenerator.fast().fit(MoleculeGenerator.sample())


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    data = PropertyPredictor.sample()
    path = tmp_path_factory.mktemp("predictor") / "value.onnx"
    return Model(PropertyPredictor.fast().fit(data).export(path, check=data))


def mean_of(score, molecules):
    return np.mean([score(each) for each in molecules])


def test_a_window_is_one_inside_and_falls_outside():
    score = log_p_window(1.0, 1.4, slack=0.2)
    assert [log_p_window(-10, 10)(each) for each in ("CCO", "c1ccccc1")] == [1, 1]
    ethanol = -0.0014  # Wildman and Crippen's log P
    assert score("CCO") == pytest.approx(math.exp(-0.5 * ((1 - ethanol) / 0.2) ** 2))
    assert log_p_window(1, 3)("CCO") > log_p_window(2, 3)("CCO")


@pytest.mark.parametrize("text", NONE_OF_THESE)
def test_what_is_no_molecule_scores_nothing(text, predictor):
    window = predicted_window(predictor, "value", -99, 99)
    scores = (drug_likeness, likeness("CCO"), log_p_window(-99, 99), window)
    assert [score(text) for score in scores] == [0] * 4


def test_a_predicted_score_is_that_of_the_file(predictor):
    value = predictor.predict({"smiles": "CCO"})["value"]
    assert predicted_window(predictor, "value", value, math.inf)("CCO") == 1
    beyond = predicted_window(predictor, "value", value + 0.1, math.inf, slack=0.1)("CCO")
    assert beyond == pytest.approx(math.exp(-0.5), rel=1e-3)


def test_wrong_windows_and_targets_are_refused(predictor):
    with pytest.raises(ParameterError, match="from 3 to 1"):
        log_p_window(3, 1)
    with pytest.raises(ParameterError, match="is no molecule"):
        likeness("C(")
    with pytest.raises(ParameterError, match="slack 0"):
        predicted_window(predictor, "value", 0, 1, slack=0)
    with pytest.raises(UnknownNameError, match=r"Unknown target 'vaule'. Did you mean 'value'"):
        predicted_window(predictor, "vaule", 0, 1)


def test_a_generator_is_turned_toward_a_window(generator):
    score = log_p_window(-2, 0)
    before = generator.sample_molecules(200, seed=0)
    after = generator.toward(score, TUNING).sample_molecules(200, seed=0)
    assert mean_of(score, after) > mean_of(score, before) + 0.1


def test_a_generator_is_turned_toward_a_prediction(generator, predictor):
    before = generator.sample_molecules(200, seed=0)
    values = [predictor.predict({"smiles": each}) for each in before]
    known = [each["value"] for each in values if each["readable"]]
    score = predicted_window(predictor, "value", float(np.quantile(known, 0.9)), math.inf)
    after = generator.toward(score, TUNING).sample_molecules(200, seed=0)
    assert mean_of(score, after) > mean_of(score, before) + 0.1
