"""Molecules that are written: what is particular to them."""

from __future__ import annotations

import subprocess
import sys
from copy import copy
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from industry_apps.errors import ModelFileError, ParameterError, SchemaError, TrainingError
from industry_apps.healthcare import MoleculeGenerator, likeness
from industry_apps.healthcare.molecules.notations import to_smiles
from industry_apps.healthcare.molecules.writer import DiverseScore
from industry_apps.healthcare.molecules.written import WrittenMolecules, canonical, mean_estimate
from industry_apps.runtime import Model, SequenceWriter
from industry_apps.testing import check_application
from industry_apps.training import ReinforceOptions, TrainingOptions

pytest.importorskip("rdkit")

SERVE = """
import sys
sys.modules.update(dict.fromkeys(("torch", "rdkit", "onnx", "pandas", "sklearn")))
from industry_apps.runtime import SequenceWriter
print(*SequenceWriter(sys.argv[1]).sample(20, seed=3), sep="\\n")
"""


#: Simulated molecules have so few scaffolds that all would soon be without reward.
FEW_SCAFFOLDS = 1_000


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
    assert done.stdout.split("\n")[:20] == generator.sample_molecules(20, seed=3, temperature=1.0)


class SelfiesGenerator(MoleculeGenerator):
    """The generator in SELFIES, on a sample that holds nothing else.

    Parameters
    ----------
    columns, notation, network, units, temperature, samples, tuning, training, seed : as of its
        parent

    Examples
    --------
    >>> SelfiesGenerator.fast().notation
    'selfies'
    """

    known_failures: ClassVar = {
        **MoleculeGenerator.known_failures,
        "export_parity[notation=smiles]": "Its sample has SELFIES alone",
        "split_leaks_nothing": "split() takes tables with SMILES",
        "first_evaluate_learns_the_baselines": "It splits the sample, which has no SMILES",
    }

    @classmethod
    def fast(cls):
        return super().fast().set_params(notation="selfies")

    @classmethod
    def sample(cls):
        data, prepare = super().sample(), cls.fast().prepare
        names = ("train", "validation", "test")
        parts = {n: prepare(getattr(data, n)).drop(columns="smiles") for n in names}
        return replace(data, card=replace(data.card, target="selfies"), **parts)


def test_the_generator_in_selfies_is_an_application():
    check_application(SelfiesGenerator)


@pytest.fixture(scope="module")
def in_selfies(data):
    return MoleculeGenerator.fast().set_params(notation="selfies").fit(data)


@pytest.fixture(scope="module")
def by_transformer(data):
    options = replace(MoleculeGenerator.fast().training, max_epochs=4)
    asked = {"network": "transformer", "units": 32, "training": options}
    return MoleculeGenerator.fast().set_params(**asked).fit(data)


def test_what_is_written_in_selfies_is_valid(in_selfies):
    found = in_selfies.sample_molecules(200, seed=1, temperature=2.0)
    assert np.mean([each is not None for each in canonical(found)]) > 0.98


def test_tables_hold_smiles_and_the_file_reads_selfies(in_selfies, data, tmp_path):
    table = data.test[["smiles"]].head(20)
    path = in_selfies.export(tmp_path / "model.onnx", check=data)
    assert in_selfies.parity_.holds
    said = Model(path).predict(in_selfies.prepare(table))
    pd.testing.assert_frame_equal(
        said, in_selfies.predict(table), check_dtype=False, atol=1e-4, rtol=1e-4
    )
    broken = in_selfies.predict(pd.DataFrame({"smiles": ["C(", "C11", None, *table["smiles"]]}))
    assert broken["readable"].tolist()[:3] == [False] * 3
    with pytest.raises(SchemaError, match="'selfies'"):
        Model(path).predict(table)
    with pytest.raises(SchemaError, match="'smiles'"):
        in_selfies.predict(pd.DataFrame({"smiles": [3.5]}))


def test_a_model_of_selfies_says_so_to_a_smiles(in_selfies, tmp_path):
    file = Model(in_selfies.export(tmp_path / "model.onnx"))
    smiles = pd.DataFrame({"selfies": ["CCO"]})
    applications = (in_selfies.predict, in_selfies.evaluate, clone(in_selfies).fit)
    forms = (smiles, smiles.to_dict("records"), {"selfies": "CCO"}, {"selfies": ["CCO"]})
    for ask, data in [(each, smiles) for each in applications] + [(file.predict, d) for d in forms]:
        with pytest.raises(SchemaError, match=r"row 0: got 'CCO', expected SELFIES.*\.encoder"):
            ask(data)
    with pytest.raises(SchemaError, match="A molecule in SELFIES, made of SMILES by"):
        file.predict({"smiles": "CCO"})
    assert in_selfies.predict(pd.DataFrame({"smiles": ["CCO"]}))["tokens"].tolist() == [3]


def test_a_model_of_smiles_says_so_to_selfies(generator, tmp_path):
    file = Model(generator.export(tmp_path / "model.onnx"))
    selfies = pd.DataFrame({"smiles": ["Cc1ccccc1", "[C][C][O]"]})
    for ask in (generator.predict, generator.evaluate, clone(generator).fit, file.predict):
        with pytest.raises(SchemaError, match=r"got '\[C\]\[C\]\[O\]', expected a SMILES"):
            ask(selfies)
    with pytest.raises(SchemaError, match=r"a SMILES.*selfies\.decoder"):
        MoleculeGenerator().prepare(selfies)


@pytest.mark.parametrize("name", ["generator", "in_selfies"])
def test_a_table_may_call_the_molecule_otherwise(name, data, tmp_path, request):
    usual = request.getfixturevalue(name)
    names = {"smiles": "structure", "selfies": "symbols"}
    parts = [p.rename(columns=names) for p in (data.train, data.validation, data.test)]
    brief = {"training": replace(usual.training, max_epochs=1), "samples": 50}
    fitted = clone(usual).set_params(columns=names, **brief).fit(*parts[:2])
    same = clone(usual).set_params(**brief).fit(data.train, data.validation)
    pd.testing.assert_frame_equal(fitted.predict(parts[2]), same.predict(data.test))
    assert fitted.evaluate(parts[2]).metrics
    assert len(fitted.split(parts[0]).test)
    file = Model(fitted.export(tmp_path / "own.onnx", check=parts[2]))
    assert file.schema.names == [names[usual.notation]]
    assert fitted.sample_molecules(3, seed=1) == same.sample_molecules(3, seed=1)
    with pytest.raises(ParameterError, match="'smile'"):
        clone(usual).set_params(columns={"smile": "structure"}).fit(*parts[:2])


def test_the_writer_of_selfies_says_so(in_selfies, tmp_path):
    writer = SequenceWriter(in_selfies.export_writer(tmp_path / "writer.onnx"))
    assert writer.notation == "selfies"
    texts = writer.sample(10, temperature=in_selfies.temperature, seed=4)
    assert to_smiles(texts) == in_selfies.sample_molecules(10, seed=4)


def test_the_file_of_a_transformer_is_the_trained_one(by_transformer, data, tmp_path):
    by_transformer.export(tmp_path / "model.onnx", check=data)
    assert by_transformer.parity_.holds


@pytest.mark.parametrize("name", ["generator", "in_selfies", "by_transformer"])
def test_the_step_model_is_the_trained_one(name, data, request):
    generator = request.getfixturevalue(name)
    writer, network = generator.writer_.writer(), generator.writer_.network_
    table = generator.prepare(data.test.head(20))
    codes = generator.writer_.tokens.codes(generator.schema_.to_arrays(table))
    state, total = np.zeros((20, network.state_size), dtype=np.float32), np.zeros(20)
    for place in range(codes.shape[1] - 1):
        told, state = writer.step(codes[:, place : place + 1], state)
        follows = codes[:, place + 1]
        total += np.where(follows > 0, told[np.arange(20), follows], 0)
    asked = generator.predict(table)["log_likelihood"]
    np.testing.assert_allclose(total, asked, atol=1e-3)


def test_a_transformer_writes_and_is_tuned(by_transformer):
    assert len(by_transformer.sample_molecules(30, seed=0)) == 30
    options = ReinforceOptions(steps=2, batch_size=8)
    assert len(by_transformer.toward(options=options).scores_) == 2


def test_the_report_shows_what_a_tuned_copy_writes(in_selfies, data):
    tuning = ReinforceOptions(
        steps=30, batch_size=32, sigma=60.0, learning_rate=2e-3, of_a_kind=FEW_SCAFFOLDS
    )
    asked = copy(in_selfies).set_params(tuning=tuning, samples=200)
    report = asked.evaluate(data)
    (section,) = report.sections
    quality = {row["metric"]: row for row in section.records()}["qed"]
    assert quality["fine_tuned"]["value"] > quality["written"]["value"]
    assert any(note.startswith("Fine tuned: ") for note in report.notes)


def test_beam_search_finds_likelier_molecules_than_chance(generator):
    best = generator.writer_.writer().best(8)
    scores = [score for _, score in best]
    assert scores == sorted(scores, reverse=True)
    sampled = pd.DataFrame({"smiles": generator.sample_molecules(50, seed=0)})
    assert scores[0] >= generator.predict(sampled)["log_likelihood"].max() - 1e-4
    said = generator.predict(pd.DataFrame({"smiles": [text for text, _ in best]}))
    np.testing.assert_allclose(said["log_likelihood"], scores, atol=1e-3)


def test_a_wide_beam_writes_nothing_twice_and_no_token_without_text(generator):
    texts = [text for text, _ in generator.writer_.writer().best(200)]
    assert len(set(texts)) == len(texts)


def test_what_scores_low_does_not_use_up_the_reward_of_its_scaffold():
    aspirin = "CC(=O)Oc1ccccc1C(=O)O"
    score = DiverseScore(likeness(aspirin), 2)
    low = [score(text) for text in ("Cc1ccccc1", "CCc1ccccc1", "CCCc1ccccc1", "Cc1ccccc1")]
    assert all(0 < each < 0.4 for each in low)
    assert score(aspirin) == 1
    assert score(aspirin) == 0  # once
    alike = [score(text) for text in ("CC(=O)Oc1ccccc1C(=O)OC", "CCC(=O)Oc1ccccc1C(=O)O")]
    assert alike[0] > 0.4
    assert alike[1] == 0  # its scaffold has had its share


def test_the_interval_of_diversity_is_that_of_other_molecules(data):
    texts = data.train["smiles"].tolist()
    draw = np.random.default_rng(0)
    found = [
        WrittenMolecules(draw.choice(texts, 80, replace=False).tolist(), set()).estimates()
        for _ in range(40)
    ]
    diversity = [each["internal_diversity"] for each in found]
    spread = 1.96 * np.std([each.value for each in diversity], ddof=1)
    told = np.mean([each.high - each.value for each in diversity])
    assert told == pytest.approx(spread, rel=0.35)


def test_few_values_have_a_wide_interval_and_one_has_none():
    few = mean_estimate(np.array([1.0, 2.0, 3.0]))
    assert few.high - few.value == pytest.approx(4.303 / np.sqrt(3), rel=1e-3)
    assert mean_estimate(np.array([0.7])).value == 0.7
    assert np.isnan(mean_estimate(np.array([0.7])).low)


@pytest.mark.parametrize("text", ["", "[Xx]", "word 字 😀", "C" * 500, None])
def test_what_is_not_made_of_known_tokens_has_no_likelihood(generator, text):
    found = generator.predict(pd.DataFrame({"smiles": ["Cc1ccc(C)cc1C", text]}))
    assert found["readable"].tolist() == [True, False]
    assert found["log_likelihood"].isna().tolist() == [False, True]


def test_reinforcement_raises_the_score_and_leaves_the_prior(generator):
    def fluorine(smiles: str) -> float:
        return float("F" in smiles)

    before = generator.sample_molecules(200, seed=0)
    options = ReinforceOptions(
        steps=40, batch_size=32, sigma=20.0, learning_rate=2e-3, of_a_kind=FEW_SCAFFOLDS
    )
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


def test_wrong_parameters_and_files_are_refused(generator, data, tmp_path):
    with pytest.raises(ParameterError, match="temperature"):
        generator.sample_molecules(3, temperature=0.0)
    with pytest.raises(ModelFileError, match=r"nothing\.onnx cannot be read"):
        SequenceWriter(tmp_path / "nothing.onnx")
    with pytest.raises(ParameterError, match="'units'"):
        MoleculeGenerator.fast().set_params(network="transformer", units=100).fit(data)
    with pytest.raises(ParameterError, match="'sigma'"):
        ReinforceOptions(sigma=-1)


@pytest.mark.parametrize(
    ("score", "options", "told"),
    [
        (lambda smiles: float("nan"), None, r"is nan.*\[0, 1\]"),
        (len, None, r"expected a number in \[0, 1\]"),
        ("qed", None, "function of a SMILES. Got 'qed'"),
        (lambda smiles: 1.0, {"steps": 2}, "must be ReinforceOptions"),
    ],
)
def test_a_score_that_is_none_is_refused(generator, score, options, told):
    with pytest.raises(ParameterError, match=told):
        generator.toward(score, options)


def test_molecules_of_ones_own_are_split_and_learned(data):
    molecules = pd.concat([data.train, data.train.head(40)], ignore_index=True)
    parts = MoleculeGenerator.fast().split(molecules)
    assert sum(map(len, parts)) == len(molecules)
    assert not set(parts.train["smiles"]) & set(parts.test["smiles"])
    brief = TrainingOptions(max_epochs=1, batch_size=32, progress=False, precision="float32")
    generator = MoleculeGenerator.fast().set_params(training=brief)
    assert generator.fit(parts).evaluate(parts).metrics["nll"].value > 0
