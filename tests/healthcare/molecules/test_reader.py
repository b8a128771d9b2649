"""Molecules read inside the graph are those that RDKit reads."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.data import load
from industry_apps.healthcare.molecules.fingerprints import Fingerprint
from industry_apps.healthcare.molecules.graph import MoleculeGraph
from industry_apps.healthcare.molecules.reading.smiles import pieces, pieces_in_brackets
from industry_apps.healthcare.molecules.spellings import spellings
from industry_apps.schema import Column, Schema

Chem = pytest.importorskip("rdkit.Chem")
from rdkit import rdBase  # noqa: E402 - after the skip
from rdkit.Chem import Descriptors, rdFingerprintGenerator  # noqa: E402

KINDS = {"SINGLE": 1, "DOUBLE": 2, "TRIPLE": 3, "AROMATIC": 4}
FORMS = [
    "C", "CCO", "c1ccccc1", "c1ccccc1c1ccccc1", "c1ccccc1-c1ccccc1", "C1:C:C:C:C:C:1C(=O)N",
    "CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1", "C[N+](C)(C)CC([O-])=O", "[13CH3-]", "[H][H]",
    "[2H]O[2H]", "[nH]1cccc1", "s1cccc1", "CSc1ccccc1", "C/C=C\\C", "C%12CCC%12", "C=1CCC=1",
    "CC.[Na+].[Cl-]", "OS(=O)(=O)C(F)(F)F", "C1CC2CCC1CC2", "[Pt+2]", "P(=O)(O)(O)O", "B(O)O",
    "C[C@@H](N)C(=O)O", "C1CC12CC2", "[se]1cccc1", "N#Cc1c(Cl)c(Br)ncc1I",
    "N[C@TH1H](C)F", "N[C@SP1](C)(F)Cl", "F[P@TB20](Cl)(N)(O)C", "[2H]C", "[HH]",
]  # fmt: skip
UNREADABLE = [
    "", "C(", "C)", "(C)C", "C=", "C1CC", "C11", "C1CC2",
    "C1C1", "C12CCC12", "C12CC12", "CC)(C", "xx", "[C", "C]",
    "[Xx]", "C((C)C)", "C(C)(C)(C)(C)C", "FC=F", "1CC1", "C=1CC#1", "C..C", "=C",
    "word 字 😀", "C" * 501, "C(.C)C", "C()C", "[C;H3]", "C[H]C",
    # Too many bonds, and rings without a Kekulé form.
    "[CH5]", "C[N](C)(C)C", "CC[NH]1CCCC1", "[NH4]", "CN(C)(C)C", "[CH3--]", "F[P](F)(F)(F)(F)F",
    "c1ccnc1", "c1cncn1", "c1cccc1", "c1cc2cc3cccc4cc5cccc6cc(c1)c2c(c34)c56", "cc", "n1ccccc1=O",
    "C1CCC2.C12",
]  # fmt: skip
#: Spellings of one molecule each.
SPELLINGS = [
    ("c1ccccc1", "C1=CC=CC=C1", "C1:C:C:C:C:C:1", "c1-c=c-c=c-c=1", "[CH]1=[CH][CH]=[CH]C=C1"),
    ("c1ccc2cccc2cc1", "C1=CC2=CC=CC2=CC=C1", "C1C=C2C=CC=C2C=CC=1", "c1ccc2cccc-2cc1"),
    ("c1cc[nH]c1", "C1=CNC=C1", "[H]n1cccc1", "[H]N1C=CC=C1"),
    ("O=c1cc[nH]cc1", "O=C1C=CNC=C1"),
    ("[as]1ccccc1", "C1=CC=CC=[As]1", "C1=[As]C=CC=C1"),
    ("c1ccn2ccnc2c1", "C1=CN2C=CN=C2C=C1", "C1C=CN2C=CN=C2C=1"),
    ("Cc1ccccc1Cl", "CC1=CC=CC=C1Cl", "CC1C=CC=CC=1Cl"),
    ("CCO", "OCC", "C-C-O", "[CH3][CH2][OH]", "[H]OC([H])([H])C", "[CH3:1][CH2:2][OH:3]"),
    ("CCO", " CCO", "CCO\n", "CCO ethanol", "\tCCO\tethanol C(", "C1.C1O"),
    ("C[N+](=O)[O-]", "CN(=O)=O", "[CH3][N+](=O)[O-]", "O=N(=O)C"),
    ("C[N-][N+]#N", "[CH3][N-][N+]#N"),
    ("CN=[N+]=[N-]", "CN=N#N"),
    ("[O-][Cl+3]([O-])([O-])O", "OCl(=O)(=O)=O"),
    ("[O-][n+]1ccccc1", "O=n1ccccc1", "O=N1=CC=CC=C1", "[O-][N+]1=CC=CC=C1"),
    ("C1C[S-]2CC[S-]1[Fe+2]2", "C1C[S-]2CC[S-]1->[Fe+2]<-2", "[Fe+2]1<-[S-]2CC[S-]->1CC2"),
    ("O->[Pt]", "[H]O([H])->[Pt]", "[Pt]<-O"),
    ("C1=CC=CC=CC=C1", "C1C=CC=CC=CC=1", "c1ccccccc1"),
]


@pytest.fixture(scope="module")
def graph() -> MoleculeGraph:
    return MoleculeGraph(Schema((Column(name="smiles", kind="text"),)))


def read(graph, texts):
    arrays = {"smiles": np.array(texts, dtype=object)}
    return graph.run(arrays, ("numeric", "atoms", "bonds"))


def ours(found, row):
    atoms = found["atoms"][row][: int(found["size"][row, 0])]
    bonds = sorted(
        (min(a, b), max(a, b), kind, ring)
        for a, b, kind, ring in found["bonds"][row].tolist()
        if kind
    )
    return atoms.tolist(), bonds


def theirs(molecule):
    atoms = [
        [
            *(a.GetAtomicNum(), a.GetFormalCharge(), a.GetTotalNumHs(), a.GetDegree()),
            *(int(a.GetIsAromatic()), int(a.IsInRing())),
        ]
        for a in molecule.GetAtoms()
    ]
    bonds = sorted(
        (
            *sorted((b.GetBeginAtomIdx(), b.GetEndAtomIdx())),
            *(KINDS[b.GetBondType().name], int(b.IsInRing())),
        )
        for b in molecule.GetBonds()
    )
    return atoms, bonds


def by_rdkit(text):
    form = Chem.SmilesParserParams()
    form.removeHs = False
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(text, form)


@pytest.mark.parametrize("text", FORMS)
def test_atoms_and_bonds_are_those_of_rdkit(graph, text):
    found = read(graph, [text, "CCCCCCO"])
    molecule = by_rdkit(text)
    assert found["readable"][0, 0]
    assert ours(found, 0) == theirs(molecule)
    assert found["fragments"][0, 0] == len(Chem.GetMolFrags(molecule))


@pytest.mark.parametrize(
    "text",
    [
        *("C%(100)CC%(100)", "C=1CC-1", "c1=cc=cc=c1", "[C+16]", "C(C)1CC1", "C$C", "C~C"),
        *("C.C12.C12", "c1c*ccc1"),
    ],
)
def test_what_is_said_not_to_be_read_is_not(graph, text):
    assert not read(graph, [text])["readable"].any()


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_molecule_is_told_and_leaves_nothing(graph, text):
    found = read(graph, [text, "CCO"])
    assert found["readable"][:, 0].tolist() == [False, True]
    assert not found["atoms"][0].any()
    assert not found["numeric"][0].any()


@pytest.mark.parametrize("texts", SPELLINGS, ids=lambda texts: texts[0])
def test_spellings_of_a_molecule_are_one(graph, texts):
    found = read(graph, list(texts))
    assert found["readable"].all()
    assert len(set(found["fragments"][:, 0].tolist())) == 1
    for other in found["numeric"]:
        np.testing.assert_array_equal(other, found["numeric"][0])


@pytest.mark.parametrize("text", ["[RH]", "[XxH3]", "C[NnH+]1CC1", "[QH]C", "[05CH4]"])
def test_what_is_no_element_is_no_hydrogen(graph, text):
    assert by_rdkit(text) is None
    assert not read(graph, [text])["readable"].any()


def test_any_mass_is_read(graph):
    texts = ["[0CH4]", "[2H]C", "[13CH4]", "[299CH4]", "[300CH4]", "[1000CH4]"]
    assert all(map(by_rdkit, texts))
    assert read(graph, texts)["readable"].all()


def test_five_hundred_atoms_are_read(graph):
    assert read(graph, ["C" * 500])["size"].item() == 500


def test_fingerprints_do_not_depend_on_how_a_molecule_is_written(graph):
    molecules = [Chem.MolFromSmiles(text) for text in FORMS]
    with rdBase.BlockLogs():
        forms = [
            [Chem.MolToSmiles(each, doRandom=turn > 0) for each in molecules] for turn in range(4)
        ]
    first, *others = (read(graph, texts)["numeric"] for texts in forms)
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_other_molecules_have_other_fingerprints(graph):
    found = read(graph, FORMS)["numeric"]
    canonical = [Chem.MolToSmiles(Chem.MolFromSmiles(t), isomericSmiles=False) for t in FORMS]
    assert len(np.unique(found, axis=0)) == len(set(canonical))


def test_counts_are_those_of_rdkit(graph):
    texts = [text for text in FORMS if "2H" not in text and "13" not in text]
    counts = dict(zip(graph.counts.names, read(graph, texts)["numeric"].T, strict=False))
    molecules = [by_rdkit(text) for text in texts]
    weights = [Descriptors.MolWt(each) for each in molecules]
    np.testing.assert_allclose(counts["weight"], weights, rtol=0.3)  # of metals roughly
    light = [max(a.GetAtomicNum() for a in each.GetAtoms()) < 54 for each in molecules]
    np.testing.assert_allclose(counts["weight"][light], np.array(weights)[light], atol=0.05)
    rings = [m.GetNumBonds() - m.GetNumAtoms() + len(Chem.GetMolFrags(m)) for m in molecules]
    assert counts["rings"].tolist() == rings


def test_shares_are_counts_for_each_heavy_atom(graph):
    numeric = read(graph, ["CCO", "c1ccccc1F", "C("])["numeric"]
    columns = dict(zip(graph.counts.names, numeric.T, strict=False))
    np.testing.assert_allclose(columns["hydrogens_share"], [6 / 3, 5 / 7, 0])
    np.testing.assert_allclose(columns["aromatic_atoms_share"], [0, 6 / 7, 0])


#: One for each rule of the paper that drugs meet.
PARTING = [
    *("CC", "CC(C)(C)C", "CO", "CCCl", "CC(O)C", "CC=O", "C=C", "C#C", "C=Cc1ccccc1", "C[Si](C)C"),
    *("Cc1ccccc1", "Cn1cccc1", "CCc1ccccc1", "CC(C)c1ccccc1", "CC(C)(C)c1ccccc1", "O=c1cc[nH]cc1"),
    *("Fc1ccccc1", "Clc1ccccc1", "Brc1ccccc1", "Ic1ccccc1", "c1ccc2ccccc2c1", "c1ccccc1-c1ccccc1"),
    *("Nc1ccccc1", "CNc1ccccc1", "CN(C)c1ccccc1", "CN", "CNC", "CN(C)C", "C=N", "CC=NC", "CC#N"),
    *(
        "C[NH3+]",
        "C[N+](C)(C)C",
        "C[N+](=O)[O-]",
        "[N-]=[N+]=NC",
        "c1cc[nH+]cc1",
        "[O-][n+]1ccccc1",
    ),
    *("COC", "COc1ccccc1", "Oc1ccccc1", "CC(=O)O", "CC(=O)[O-]", "NC(N)=O", "CC(=O)c1ccccc1"),
    *(
        "CON",
        "NO",
        "CS(=O)(=O)O",
        "CSC",
        "CS(C)=O",
        "c1ccsc1",
        "c1ccoc1",
        "CP(C)C",
        "CS",
        "[Na+].[Cl-]",
    ),
]


@pytest.mark.parametrize("text", PARTING)
def test_log_p_is_that_of_rdkit(graph, text):
    found = dict(zip(graph.counts.names, read(graph, [text])["numeric"][0], strict=False))
    assert found["logp"] == pytest.approx(Descriptors.MolLogP(by_rdkit(text)), abs=1e-3)


def test_size_and_radius_are_as_asked():
    column = Schema((Column(name="smiles", kind="text"),))
    small = MoleculeGraph(column, Fingerprint(radius=1, size=64))
    found = small.run({"smiles": np.array(["CCO"], dtype=object)})["numeric"]
    assert found.shape == (1, small.width)
    assert found[0, -64:].sum() == 2 * 3  # two radii, three atoms


def test_no_piece_is_known_twice_with_another_meaning():
    assert pieces()["c"].lower == pieces_in_brackets()["c"].lower == 1
    assert pieces()["-"].bond == 1
    assert pieces_in_brackets()["-"].charge == -1
    assert pieces_in_brackets()["++"] == pieces_in_brackets()["+2"]


@pytest.mark.real_data("moleculenet")
@pytest.mark.parametrize("name", ["moleculenet_esol", "moleculenet_bbbp", "moleculenet_tox21"])
def test_molecules_of_moleculenet_are_those_of_rdkit(graph, name):
    data = load(name)
    texts = [t for part in (data.train, data.validation, data.test) for t in part["smiles"]]
    found = read(graph, texts)
    molecules = [by_rdkit(text) for text in texts]
    assert found["readable"][:, 0].tolist() == [each is not None for each in molecules]
    differ = [
        row
        for row, each in enumerate(molecules)
        if each is not None and ours(found, row) != theirs(each)
    ]
    # Three rings that are aromatic as one only, and ten-membered ones; skeletons agree.
    assert len(differ) <= 0.003 * len(texts)
    for row in differ:
        skeleton = [pair[:2] for pair in ours(found, row)[1]]
        assert skeleton == [pair[:2] for pair in theirs(molecules[row])[1]]
        assert [a[:2] for a in ours(found, row)[0]] == [a[:2] for a in theirs(molecules[row])[0]]


@pytest.mark.real_data("moleculenet")
@pytest.mark.parametrize("name", ["moleculenet_bbbp", "moleculenet_tox21"])
def test_ten_spellings_of_moleculenet_are_one(graph, name):
    written = [spellings(text) for text in load(name).test["smiles"][::4]]
    forms = [list(each) for each in zip(*(found.values() for found in written), strict=True)]
    first, *others = (read(graph, texts) for texts in forms)
    assert len(others) == 9
    for other in others:
        np.testing.assert_array_equal(first["numeric"], other["numeric"])
        assert other["readable"].all()


@pytest.mark.real_data("moleculenet")
@pytest.mark.parametrize("name", ["moleculenet_esol", "moleculenet_bbbp"])
def test_log_p_of_moleculenet_is_that_of_rdkit(graph, name):
    texts = [text for text in load(name).train["smiles"] if by_rdkit(text) is not None]
    place = graph.counts.names.index("logp")
    mine = read(graph, texts)["numeric"][:, place]
    gap = np.abs(mine - [Descriptors.MolLogP(Chem.MolFromSmiles(text)) for text in texts])
    assert (gap < 1e-3).mean() > 0.97
    assert gap.mean() < 0.01


@pytest.mark.real_data("moleculenet")
def test_similarity_ranks_as_that_of_rdkit(graph):
    from scipy.stats import spearmanr

    texts = load("moleculenet_bbbp").test["smiles"].tolist()
    mine = read(graph, texts)["numeric"][:, -graph.fingerprint.size :]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    rdkit = np.array(
        [generator.GetCountFingerprintAsNumPy(by_rdkit(t)) for t in texts], dtype=float
    )
    one, other = np.random.default_rng(0).integers(0, len(texts), (2, 3_000))

    def similarity(rows):
        return np.minimum(rows[one], rows[other]).sum(axis=1) / np.maximum(
            rows[one], rows[other]
        ).sum(axis=1)

    assert spearmanr(similarity(mine), similarity(rdkit)).statistic > 0.9
