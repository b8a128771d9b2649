"""Molecules that are written: what is particular to them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ModelFileError, ParameterError, TrainingError
from industry_apps.evaluation.generation import WrittenMolecules, canonical
from industry_apps.healthcare import MoleculeGenerator
from industry_apps.runtime import SequenceWriter
from industry_apps.training import ReinforceOptions

pytest.importorskip("rdkit")

SERVE = """
import sys
sys.modules.update(dict.fromkeys(("torch", "rdkit", "onnx", "pandas", "sklearn")))
from industry_apps.runtime import SequenceWriter
print(*SequenceWriter(sys.argv[1]).sample(20, seed=3), sep="\\n")
"""


@pytest.fixture(scope="module")
def data():
    return MoleculeGenerator.sample()


@pytest.fixture(scope="module")
def generator(data):
    return MoleculeGenerator.fast().fit(data)


def test_most_written_molecules_are_valid_and_seeds_repeat(generator):
    found = generator.sample_molecules(200, seed=1, temperature=0.7)
    assert np.mean([each is not None for each in canonical(found)]) > 0.8
    assert found == generator.sample_molecules(200, seed=1, temperature=0.7)
    assert found != generator.sample_molecules(200, seed=2, temperature=0.7)


def test_molecules_are_written_without_torch(generator, tmp_path):
    path = generator.export_writer(tmp_path / "writer.onnx")
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:20] == generator.sample_molecules(20, seed=3)


def test_the_step_model_is_the_trained_one(generator, data):
    writer = generator.writer_.writer()
    codes = generator.writer_.codes({"smiles": data.test["smiles"].to_numpy(dtype=object)[:20]})
    state, total = np.zeros((20, 64), dtype=np.float32), np.zeros(20)
    for place in range(codes.shape[1] - 1):
        told, state = writer.step(codes[:, place : place + 1], state)
        follows = codes[:, place + 1]
        total += np.where(follows > 0, told[np.arange(20), follows], 0)
    asked = generator.predict(data.test.head(20))["log_likelihood"]
    np.testing.assert_allclose(total, asked, atol=1e-3)


def test_beam_search_finds_likelier_molecules_than_chance(generator):
    best = generator.writer_.writer().best(8)
    scores = [score for _, score in best]
    assert scores == sorted(scores, reverse=True)
    sampled = pd.DataFrame({"smiles": generator.sample_molecules(50, seed=0)})
    assert scores[0] >= generator.predict(sampled)["log_likelihood"].max() - 1e-4
    said = generator.predict(pd.DataFrame({"smiles": [text for text, _ in best]}))
    np.testing.assert_allclose(said["log_likelihood"], scores, atol=1e-3)


@pytest.mark.parametrize("text", ["", "[Xx]", "word 字 😀", "C" * 500, None])
def test_what_is_not_made_of_known_tokens_has_no_likelihood(generator, text):
    found = generator.predict(pd.DataFrame({"smiles": ["Cc1ccc(C)cc1C", text]}))
    assert found["readable"].tolist() == [True, False]
    assert found["log_likelihood"].isna().tolist() == [False, True]


def test_reinforcement_raises_the_score_and_leaves_the_prior(generator):
    def fluorine(smiles: str) -> float:
        return float("F" in smiles)

    before = generator.sample_molecules(200, seed=0)
    options = ReinforceOptions(steps=40, batch_size=32, sigma=20.0, learning_rate=2e-3)
    tuned = generator.toward(fluorine, options)
    after = tuned.sample_molecules(200, seed=0)
    assert generator.sample_molecules(200, seed=0) == before
    share = [np.mean(["F" in each for each in texts]) for texts in (before, after)]
    assert share[1] > share[0] + 0.1
    assert len(tuned.scores_) == 40


def test_metrics_of_written_molecules():
    found = WrittenMolecules(["CCO", "OCC", "C(", "c1ccccc1", ""], {"CCO"}).estimates()
    values = {name: estimate.value for name, estimate in found.items()}
    assert values["validity"] == pytest.approx(3 / 5)
    assert values["uniqueness"] == pytest.approx(2 / 3)
    assert values["novelty"] == pytest.approx(1 / 2)
    assert 0 < values["internal_diversity"] <= 1
    nothing = WrittenMolecules(["", "C("], set()).estimates()
    assert nothing["validity"].value == nothing["uniqueness"].value == 0


def test_molecules_of_rare_tokens_only_cannot_be_learned(data):
    with pytest.raises(TrainingError, match="token"):
        MoleculeGenerator.fast().fit(data.train.head(3), data.validation.head(3))


def test_wrong_parameters_and_files_are_refused(generator, tmp_path):
    with pytest.raises(ParameterError, match="temperature"):
        generator.sample_molecules(3, temperature=0.0)
    with pytest.raises(ModelFileError, match="step model"):
        SequenceWriter(tmp_path / "nothing.onnx")
    with pytest.raises(ParameterError, match="'sigma'"):
        ReinforceOptions(sigma=-1)
