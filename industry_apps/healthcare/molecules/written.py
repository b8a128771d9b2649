"""Metrics of molecules that a model wrote: sound, different from each other, and new.

As in MOSES (Polykovskiy et al. 2020, doi:10.3389/fphar.2020.565644): uniqueness among the valid
ones, novelty among the unique ones, internal diversity by similarity of fingerprints.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from industry_apps.data.chemistry import fingerprints, likeness, molecule_of, rdkit
from industry_apps.evaluation.intervals import BootstrapResult, Estimate, bootstrap, share_estimate
from industry_apps.evaluation.problems import Metric, Problem
from industry_apps.evaluation.sections import Section

#: Molecules that are written.
GENERATION = Problem(
    name="generation",
    metrics=(
        Metric("nll", "mean negative log-likelihood of a molecule, in nats", "low"),
        Metric("validity", "share of written molecules that parse"),
        Metric("uniqueness", "share of the valid ones that are different"),
        Metric("novelty", "share of the different ones that are not in the training data"),
        Metric("internal_diversity", "1 less the mean similarity of two of them"),
        Metric("qed", "mean quantitative estimate of drug-likeness"),
    ),
    trivial=("unigram",),
)


__all__ = [
    "WrittenMolecules",
    "beside_real",
    "canonical",
    "in_sentences",
    "mean_estimate",
    "restored_estimates",
    "surprise",
]

_PAIRS = 4_000
#: What is said of written molecules beside real ones.
_SHOWN = ("validity", "uniqueness", "novelty", "internal_diversity", "qed")


def canonical(smiles: Sequence[str]) -> list[str | None]:
    """RDKit's canonical SMILES of each molecule, None of what is none.

    Parameters
    ----------
    smiles : sequence of str

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> canonical(["OCC", "C("])
    ['CCO', None]
    """
    chem = rdkit()
    return [
        None if each is None else str(chem.MolToSmiles(each)) for each in map(molecule_of, smiles)
    ]


@dataclass(frozen=True, eq=False)
class WrittenMolecules:
    """What a model wrote, as RDKit reads it.

    Parameters
    ----------
    smiles : sequence of str
        As they were written.
    known : collection of str
        Canonical SMILES of the training molecules.
    """

    smiles: Sequence[str]
    known: Collection[str]

    def estimates(self) -> dict[str, Estimate]:
        """Validity, uniqueness, novelty, internal diversity, mean QED, with 95 % intervals.

        Shares of what does not occur are 0.
        """
        chem, qed = rdkit(), rdkit("Chem.QED")
        valid = [each for each in map(molecule_of, self.smiles) if each is not None]
        unique = {str(chem.MolToSmiles(each)) for each in valid}
        new = [each for each in unique if each not in self.known]
        shares = {
            "validity": (len(valid), len(self.smiles)),
            "uniqueness": (len(unique), len(valid)),
            "novelty": (len(new), len(unique)),
        }
        metrics = {name: share_estimate(*counts) for name, counts in shares.items()}
        metrics["internal_diversity"] = _diversity(valid)
        metrics["qed"] = mean_estimate(np.array([float(qed.qed(each)) for each in valid]))
        return metrics


def restored_estimates(molecules: Sequence[str], restored: Sequence[str]) -> dict[str, Estimate]:
    """How many molecules came back as they were, and how similar, with 95 % intervals.

    Parameters
    ----------
    molecules : sequence of str
        SMILES of molecules.
    restored : sequence of str
        SMILES of what came back, in the same order; what is none is similar to nothing.

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> found = restored_estimates(["CCO", "CCN"], ["OCC", "C("])
    >>> found["reconstruction"].value, found["similarity"].value
    (0.5, 0.5)
    """
    same = [
        one == other for one, other in zip(canonical(molecules), canonical(restored), strict=True)
    ]
    similar = [likeness(one)(other) for one, other in zip(molecules, restored, strict=True)]
    return {
        "reconstruction": share_estimate(sum(same), len(same)),
        "similarity": mean_estimate(np.array(similar)),
    }


def surprise(nats: npt.NDArray[Any]) -> BootstrapResult:
    """Mean negative log-likelihood ``nll`` of a molecule.

    Parameters
    ----------
    nats : ndarray of float
        Of each molecule.
    """
    values = nats.astype(np.float64)
    metrics = {"nll": lambda weight: float(weight @ values / weight.sum())}
    return bootstrap(metrics, None, len(values))


def beside_real(shown: Mapping[str, Mapping[str, Estimate]]) -> Section:
    """A section of a report: molecules of several sources, one of them real, side by side.

    Parameters
    ----------
    shown : mapping of str to mapping
        Source -> estimates, as of :class:`WrittenMolecules`.
    """
    rows = [[name, *(found[name] for found in shown.values())] for name in _SHOWN]
    text = "Real ones are of the test part; fine-tuned is toward QED, and at temperature 1."
    return Section("Beside real molecules", text, [["metric", *shown], *rows])


def in_sentences(shown: Mapping[str, Mapping[str, Estimate]]) -> list[str]:
    """Each source of :func:`beside_real` in words, but for what the metrics say anyway.

    Parameters
    ----------
    shown : mapping of str to mapping
        As there.
    """
    return [
        f"{name.replace('_', ' ').capitalize()}: "
        + ", ".join(f"{metric.replace('_', ' ')} {found[metric]}" for metric in _SHOWN)
        + "."
        for name, found in shown.items()
        if name != "written"
    ]


def _diversity(valid: Sequence[Any]) -> Estimate:
    """Mean of 1 less the similarity of two molecules, of pairs drawn at random.

    Pairs of the same molecules depend on one another: what the mean varies by is that of one
    molecule to all others, four times over the molecules (Hoeffding 1948,
    doi:10.1214/aoms/1177730196), besides that of the draw. Two partners of each tell it.
    """
    count = len(valid)
    if count < 3:
        return mean_estimate(np.zeros(0))
    structures, make = rdkit("DataStructs"), fingerprints()
    draw = np.random.default_rng(0)
    one = draw.integers(0, count, _PAIRS // 2)
    partners = (one + draw.integers(1, count, (2, len(one)))) % count  # never the same
    prints = {row: make.GetFingerprint(valid[row]) for row in np.unique([one, *partners])}
    gaps = np.array(
        [
            [
                1 - structures.TanimotoSimilarity(prints[row], prints[other])
                for row, other in zip(one.tolist(), others.tolist(), strict=True)
            ]
            for others in partners
        ]
    )
    shared = max(float(np.cov(gaps)[0, 1]), 0.0)
    drawn = gaps.mean(axis=0)
    half = 1.96 * np.sqrt(drawn.var(ddof=1) / len(drawn) + 4 * shared / count)
    mean = float(drawn.mean())
    return Estimate(mean, mean - float(half), mean + float(half))


def mean_estimate(values: npt.NDArray[np.float64]) -> Estimate:
    """The mean of values, with a 95 % interval by Student's distribution.

    Parameters
    ----------
    values : ndarray of float
        Of one alone, no interval is known; of none, a share in [0, 1] may be anything.

    Examples
    --------
    >>> print(mean_estimate(np.array([1.0, 2.0, 3.0, 4.0])))
    2.5 [0.45, 4.6]
    """
    from scipy.stats import t

    if not len(values):
        return Estimate(0.0, 0.0, 1.0)
    mean = float(values.mean())
    if len(values) == 1:
        return Estimate(mean, np.nan, np.nan)
    error = float(values.std(ddof=1)) / np.sqrt(len(values))
    half = float(t.ppf(0.975, len(values) - 1)) * error
    return Estimate(mean, mean - half, mean + half)
