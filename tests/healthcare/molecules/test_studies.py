"""The questions about networks that write molecules, asked of a small data set."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from industry_apps.data import sample
from industry_apps.healthcare import MoleculeGenerator, MoleculeSpace
from industry_apps.healthcare.molecules import studies
from industry_apps.healthcare.molecules.studies import compared_networks, compared_search
from industry_apps.training import TrainingOptions

pytest.importorskip("rdkit")

pytestmark = pytest.mark.generative

QUICK = TrainingOptions(max_epochs=3, batch_size=32, learning_rate=1e-2, progress=False)


@pytest.fixture(scope="module")
def data():
    return sample("healthcare_smiles_simulator")


def test_networks_are_trained_alike_and_counting_stands_beside_them(data):
    section = compared_networks(
        MoleculeGenerator(training=QUICK), data, {"recurrent": 64, "transformer": 32}
    )
    recurrent, transformer, *counted = section.records()
    assert recurrent["model"] == "recurrent, 64 units"
    assert transformer["model"] == "transformer, 32 units"
    for row in section.records():
        assert row["nll"]["low"] <= row["nll"]["value"] <= row["nll"]["high"]
    assert [row["model"] for row in counted] == ["unigram", "ngram"]
    assert recurrent["nll"]["value"] < counted[0]["nll"]["value"]


def test_the_search_is_measured_beside_as_many_draws(data):
    space = MoleculeSpace(units=32, latent=8, spellings=0, training=QUICK).fit(data)
    unseen = data.test["smiles"].tolist()
    section = compared_search(space, unseen, targets=3, repeats=2, steps=4, population=20)
    drug_like, alike = section.records()
    assert drug_like["goal"].startswith("QED")
    for row in (drug_like, alike):
        difference = row["search"]["value"] - row["random_draws"]["value"]
        assert row["search_less_draws"]["value"] == pytest.approx(difference)
    assert "80 molecules are written by each search, from 20 test molecules" in section.text


def test_the_generator_has_a_question_of_networks_and_one_of_the_space(data, monkeypatch):
    small = partial(compared_search, targets=1, repeats=1, steps=1, population=4)
    monkeypatch.setattr(studies, "compared_search", small)
    brief = replace(QUICK, max_epochs=1)
    few = partial(MoleculeSpace, units=16, latent=4, spellings=0, training=brief)
    monkeypatch.setattr(studies, "MoleculeSpace", few)
    monkeypatch.setattr(studies, "_UNITS", {"recurrent": 16})
    questions = MoleculeGenerator(training=brief).studies()
    titles = {name: [each.title for each in ask(data)] for name, ask in questions.items()}
    assert titles == {
        "networks": ["Networks that write molecules"],
        "space": ["The space of molecules", "Searching the space"],
    }
