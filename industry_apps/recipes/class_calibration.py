"""Log-odds of several classes to probabilities that hold: a temperature and a bias for each class.

Letters: N rows, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder

#: What is added to the mean log-loss for each unit of a squared bias: few rows say little.
_SHRINKAGE = 1e-3

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCalibration:
    """How log-odds of classes become probabilities.

    Parameters
    ----------
    temperature : float
        The log-odds are divided by it.
    bias : tuple of float
        Then added to each class.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks, arXiv:1706.04599; Alexandari,
    Kundaje, Shrikumar (2020), Maximum likelihood with bias-corrected calibration,
    arXiv:1901.06852.

    Examples
    --------
    >>> found = ClassCalibration(temperature=2.0, bias=(0.0, 0.0))
    >>> found.apply(np.array([[2.0, 0.0]])).round(2).tolist()
    [[0.73, 0.27]]
    """

    temperature: float
    bias: tuple[float, ...]

    @classmethod
    def fit(cls, odds: _Floats, target: NDArray[np.intp]) -> Self:
        """Find temperature and biases of the least log-loss.

        Parameters
        ----------
        odds : ndarray of shape [N, K]
            Of rows that were not learned from.
        target : ndarray of int, shape [N]
        """
        from scipy.optimize import minimize

        truth = np.eye(odds.shape[1])[target]

        def loss(parameters: _Floats) -> tuple[float, _Floats]:
            scale, bias = np.exp(parameters[0]), parameters[1:]
            probability = _softmax(odds * scale + bias)
            error = (probability - truth) / len(target)
            value = -np.log(np.maximum((probability * truth).sum(axis=1), 1e-300)).mean()
            slope = np.append(
                (error * odds).sum() * scale, error.sum(axis=0) + 2 * _SHRINKAGE * bias
            )
            return float(value + _SHRINKAGE * bias @ bias), slope

        bounds = [(-3.0, 3.0), *[(-5.0, 5.0)] * odds.shape[1]]
        start = np.zeros(1 + odds.shape[1])
        found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
        return cls(temperature=float(np.exp(-found[0])), bias=tuple(map(float, found[1:])))

    def apply(self, odds: _Floats) -> _Floats:
        """Log-odds [N, K] -> probabilities [N, K]."""
        return _softmax(odds / self.temperature + np.array(self.bias))

    def write(self, builder: GraphBuilder, odds: str) -> str:
        """Append the same to a graph: tensor [batch, K] -> [batch, K]."""
        scale = builder.constant(np.float32(1 / self.temperature))
        bias = builder.constant(np.array([self.bias], dtype=np.float32))
        biased = builder.node("Add", builder.node("Mul", odds, scale), bias)
        return builder.node("Softmax", biased, attributes={"axis": 1})


def _softmax(odds: _Floats) -> _Floats:
    from scipy.special import softmax

    found: _Floats = softmax(odds, axis=1)
    return found
