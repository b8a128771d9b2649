"""The space of molecules: they come back, seeds repeat, the search finds better ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import sample
from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.healthcare import MoleculeSpace
from industry_apps.healthcare.molecules.scores import drug_likeness
from industry_apps.healthcare.molecules.written import canonical
from industry_apps.training import TrainingOptions

pytest.importorskip("rdkit")

pytestmark = pytest.mark.generative

QUICK = TrainingOptions(
    max_epochs=20, batch_size=32, learning_rate=1e-2, progress=False, precision="float32"
)


@pytest.fixture(scope="module")
def data():
    return sample("healthcare_smiles_simulator")


@pytest.fixture(scope="module")
def space(data):
    return MoleculeSpace(units=64, latent=16, spellings=0, training=QUICK).fit(data)


@pytest.fixture(scope="module")
def start(data):
    return data.test["smiles"].tolist()[:10]


def test_the_report_says_how_many_molecules_come_back(space, data):
    found = {row["metric"]: row for row in space.report(data, samples=100).records()}
    assert found["reconstruction"]["restored"]["value"] > 0.2
    assert found["reconstruction"]["drawn"]["value"] < 0.05
    assert found["similarity"]["restored"]["value"] > found["similarity"]["drawn"]["value"] + 0.2
    assert found["reconstruction"]["real"] is None
    assert found["validity"]["drawn"]["value"] >= 0.98


def test_equal_points_are_equal_molecules_and_the_batch_does_not_matter(space, start):
    points = space.encode(start)
    alone = np.concatenate([space.encode([each]) for each in start])
    np.testing.assert_allclose(points, alone, atol=1e-4)
    assert space.decode(points) == space.decode(points)
    assert space.sample(5, seed=1) == space.sample(5, seed=1) != space.sample(5, seed=2)
    assert space.encode([]).shape == (0, 16)
    assert space.decode(space.encode([])) == []


@pytest.mark.parametrize("text", ["", "[Xx]", "C" * 500, "word 字"])
def test_what_is_not_made_of_known_tokens_has_no_point(space, start, text):
    points = space.encode([start[0], text])
    assert np.isnan(points).any(axis=1).tolist() == [False, True]
    with pytest.raises(SchemaError, match="1 points with a missing number"):
        space.decode(points)


def test_the_search_finds_new_molecules_of_a_higher_score(space, data, start):
    asked = []

    def score(smiles: str) -> float:
        asked.append(smiles)
        return drug_likeness(smiles)

    found = space.optimise(start, score, steps=8, population=40, seed=3)
    assert len(asked) == len(set(asked)) <= 8 * 40 + len(start)
    assert found["score"].iloc[0] > max(map(drug_likeness, start))
    assert found["score"].is_monotonic_decreasing
    known = set(canonical([*start, *data.train["smiles"]]))
    assert not known & set(found["smiles"])
    assert found["smiles"].tolist() == canonical(found["smiles"].tolist())
    pd.testing.assert_frame_equal(found, space.optimise(start, steps=8, population=40, seed=3))


def test_wrong_arguments_are_refused(space, data, start):
    with pytest.raises(ParameterError, match="None of the 1 molecules"):
        space.optimise(["[Xx]"])
    with pytest.raises(SchemaError, match=r"row 1: got '\[C\]\[C\]\[O\]', expected a SMILES"):
        space.encode([start[0], "[C][C][O]"])
    with pytest.raises(ParameterError, match="'reach'"):
        space.optimise(start, reach=0.0)
    with pytest.raises(ParameterError, match="'count'"):
        space.sample(0)
    with pytest.raises(SchemaError, match="'smiles'"):
        space.report(pd.DataFrame({"molecule": start}))
    with pytest.raises(ParameterError, match="'latent'"):
        MoleculeSpace(latent=0).fit(data)
    with pytest.raises(TrainingError, match="token"):
        MoleculeSpace(spellings=0, training=QUICK).fit(data.train.head(3), data.validation.head(3))
    with pytest.raises(ParameterError, match="'spellings'"):
        MoleculeSpace(spellings=-1).fit(data)


def test_molecules_are_learned_in_other_spellings_too(data):
    options = replace(QUICK, max_epochs=1)
    few = data.train.head(60)
    fits = [
        MoleculeSpace(units=8, latent=2, spellings=count, training=options).fit(few, few)
        for count in (0, 3)
    ]
    assert fits[0].known_ == fits[1].known_  # they are the same molecules
    assert fits[0].history_.train_loss != fits[1].history_.train_loss


def test_in_smiles_what_does_not_parse_is_nothing_to_the_search(data, start):
    options = replace(QUICK, max_epochs=3)
    space = MoleculeSpace(notation="smiles", units=32, latent=8, spellings=0, training=options).fit(
        data.train
    )
    found = space.optimise([*start, "C1"], len, steps=3, population=30)
    assert None not in canonical(found["smiles"].tolist())
    assert (found["score"] == found["smiles"].str.len()).all()
    assert not space.optimise(start[:1], len, steps=1, population=4).isna().any(axis=None)
    # Made of known tokens, and no molecule.
    told = space.report(pd.DataFrame({"smiles": [*start, "C" * 6 + "1"]}), samples=20)
    assert f"{len(start)} of {len(start) + 1} molecules can be read" in told.text
