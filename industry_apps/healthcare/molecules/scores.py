"""Scores of a molecule in [0, 1], that a generator is turned toward or a space is searched for.

A score takes a SMILES; what is no molecule has 0. What is wanted of a number is a window, as in
REINVENT (Loeffler et al. 2024, doi:10.1186/s13321-024-00812-5). Multiply scores to ask for all
of several things: ``lambda smiles: drug_likeness(smiles) * soluble(smiles)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from industry_apps.data.chemistry import likeness, molecule_of, rdkit
from industry_apps.errors import ParameterError, unknown_name
from industry_apps.runtime import Model

__all__ = ["drug_likeness", "likeness", "log_p_window", "predicted_window"]

Score = Callable[[str], float]


def drug_likeness(smiles: str) -> float:
    """QED of a molecule (Bickerton et al. 2012, doi:10.1038/nchem.1243), in [0, 1]; 0 of none.

    Parameters
    ----------
    smiles : str

    Raises
    ------
    MissingExtraError

    Examples
    --------
    >>> round(drug_likeness("CC(=O)Oc1ccccc1C(=O)O"), 2)
    0.55
    """
    qed = rdkit("Chem.QED")
    molecule = molecule_of(smiles)
    return 0.0 if molecule is None else float(qed.qed(molecule))


def log_p_window(low: float, high: float, *, slack: float = 0.5) -> Score:
    """A score: whether the octanol-water partition of a molecule is as wanted.

    By the atom contributions of Wildman and Crippen (1999), doi:10.1021/ci990307l.

    Parameters
    ----------
    low, high : float
        Decimal logarithms; drugs taken by mouth mostly lie from 0 to 5. Inside, the score is 1.
    slack : float, default=0.5
        So far outside it is 0.61, the normal density beside its peak; > 0.

    Raises
    ------
    ParameterError, MissingExtraError

    Examples
    --------
    >>> score = log_p_window(1, 3)
    >>> score("c1ccccc1"), round(score("CCO"), 3), score("C(")
    (1.0, 0.135, 0.0)
    """
    inside = _window(low, high, slack)
    crippen = rdkit("Chem.Crippen")

    def score(smiles: str) -> float:
        found = molecule_of(smiles)
        return 0.0 if found is None else inside(float(crippen.MolLogP(found)))

    return score


def predicted_window(
    model: Model, target: str, low: float, high: float, *, slack: float = 0.1
) -> Score:
    """A score: whether a property, as a model file predicts it, is as wanted.

    Parameters
    ----------
    model : Model
        A file of :class:`industry_apps.healthcare.PropertyPredictor`.
    target : str
        One of its targets.
    low, high : float
        Ends may be infinite. Inside, the score is 1.
    slack : float, default=0.1
        As for :func:`log_p_window`, in units of the target; > 0.

    Raises
    ------
    ParameterError, UnknownNameError

    Notes
    -----
    A generator that is turned toward predictions also finds where they are wrong: molecules
    far from those that the model learned from. Ask for closeness to known ones, too.

    Examples
    --------
    >>> from industry_apps.runtime.zoo import verify
    >>> score = predicted_window(Model(verify("healthcare.drug_discovery")), "value", -2, 2)
    >>> 0 <= score("CCO") <= 1, score("C(")
    (True, 0.0)
    """
    inside = _window(low, high, slack)
    if not isinstance(model, Model):
        raise ParameterError(f"The model must be a loaded one, Model(path). Got {model!r} instead.")
    if target not in model.outputs.names:
        raise unknown_name("target", target, model.outputs.names)

    def score(smiles: str) -> float:
        answer = model.predict({"smiles": smiles})
        return inside(answer[target]) if answer["readable"] else 0.0

    return score


def _window(low: float, high: float, slack: float) -> Callable[[float], float]:
    if not (low <= high and slack > 0):
        raise ParameterError(
            f"A window from {low:g} to {high:g} with slack {slack:g} is none; expected low <= high "
            "and slack > 0."
        )

    def inside(value: float) -> float:
        gap = max(low - value, value - high, 0.0)
        return math.exp(-0.5 * (gap / slack) ** 2)

    return inside
