"""What is not known of demand: distributions, and how much of them a stock leaves unmet.

Every policy needs four things of a distribution only: its mean, its quantiles, the units that a
stock of x leaves short on average, E[(D - x)+], and the distribution over several periods.

References
----------
Snyder, L. V. and Shen, Z.-J. M. (2019). Fundamentals of Supply Chain Theory, 2nd ed., Wiley,
appendix C (loss functions). doi:10.1002/9781119584445.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from industry_apps.errors import ParameterError
from industry_apps.limits import NOT_NEGATIVE, POSITIVE, check_parameters
from industry_apps.manufacturing.inventory.checks import check_not_negative, check_positive

#: Probability of less than nothing, up to which a discretised normal is taken as it is.
_RARE = 1e-6
#: Probability outside the values that an unbounded distribution is written out for.
_TAIL = 1e-12


class Demand(Protocol):
    """Demand in a period, in units."""

    @property
    def mean(self) -> float:
        """Units a period."""

    def quantile(self, level: float) -> float:
        """The smallest demand that is not exceeded with a probability of ``level``, in (0, 1)."""

    def shortage(self, stock: float) -> float:
        """Units that a stock leaves short on average: E[(D - stock)+]."""


@dataclass(frozen=True, kw_only=True)
class NormalDemand:
    """Demand that is normally distributed, independent from period to period.

    Parameters
    ----------
    mean : float
        Units a period, >= 0.
    sd : float
        Standard deviation of a period, in units, >= 0; 0 is demand that is known.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> round(NormalDemand(mean=50, sd=8).over(4).sd, 3)
    16.0
    """

    mean: Annotated[float, NOT_NEGATIVE]
    sd: Annotated[float, NOT_NEGATIVE]

    def __post_init__(self) -> None:
        check_parameters(self)

    def over(self, periods: float) -> NormalDemand:
        """The demand of several periods together, also of a part of one, or of none."""
        check_not_negative("over", periods=periods)
        return NormalDemand(mean=self.mean * periods, sd=self.sd * math.sqrt(periods))

    def quantile(self, level: float) -> float:
        """The demand that is not exceeded with a probability of ``level``."""
        return float(self.mean + self.sd * stats.norm.ppf(level))

    def shortage(self, stock: float) -> float:
        """E[(D - stock)+], units."""
        if self.sd == 0:
            return max(self.mean - stock, 0.0)
        z = (stock - self.mean) / self.sd
        return float(self.sd * (stats.norm.pdf(z) - z * stats.norm.sf(z)))

    def second_shortage(self, stock: float) -> float:
        """E[((D - stock)+)^2] / 2: the integral of :meth:`shortage` from ``stock`` upwards."""
        if self.sd == 0:
            return max(self.mean - stock, 0.0) ** 2 / 2
        z = (stock - self.mean) / self.sd
        part = (z * z + 1) * stats.norm.sf(z) - z * stats.norm.pdf(z)
        return float(self.sd**2 * part / 2)


@dataclass(frozen=True, kw_only=True)
class LognormalDemand:
    """Demand whose logarithm is normally distributed.

    Parameters
    ----------
    log_mean, log_sd : float
        Of the logarithm of the units of a period; ``log_sd`` > 0.

    Raises
    ------
    ParameterError
    """

    log_mean: float
    log_sd: Annotated[float, POSITIVE]

    def __post_init__(self) -> None:
        check_parameters(self)

    @property
    def mean(self) -> float:
        """Units a period."""
        return math.exp(self.log_mean + self.log_sd**2 / 2)

    def quantile(self, level: float) -> float:
        """The demand that is not exceeded with a probability of ``level``."""
        return math.exp(self.log_mean + self.log_sd * float(stats.norm.ppf(level)))

    def shortage(self, stock: float) -> float:
        """E[(D - stock)+], units."""
        if stock <= 0:
            return self.mean - stock
        z = (self.log_mean - math.log(stock)) / self.log_sd
        above = self.mean * stats.norm.cdf(z + self.log_sd)
        return float(above - stock * stats.norm.cdf(z))


@dataclass(frozen=True, kw_only=True)
class PoissonDemand:
    """Demand of single units at random moments.

    Parameters
    ----------
    mean : float
        Units a period, >= 0.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> PoissonDemand(mean=6).quantile(0.8)
    8.0
    """

    mean: Annotated[float, NOT_NEGATIVE]

    def __post_init__(self) -> None:
        check_parameters(self)

    def over(self, periods: float) -> PoissonDemand:
        """The demand of several periods together, also of a part of one, or of none."""
        check_not_negative("over", periods=periods)
        return PoissonDemand(mean=self.mean * periods)

    def quantile(self, level: float) -> float:
        """The smallest demand that is not exceeded with a probability of ``level``."""
        return float(stats.poisson.ppf(level, self.mean)) if self.mean else 0.0

    def shortage(self, stock: float) -> float:
        """E[(D - stock)+], units."""
        if stock < 0:
            return self.mean - stock
        whole, mean = math.floor(stock), self.mean
        at_least = stats.poisson.sf(whole - 1, mean)  # P(D >= whole)
        above = stats.poisson.sf(whole, mean)
        return float(mean * at_least - stock * above)

    def written_out(self) -> DiscreteDemand:
        """The same as a list of probabilities, of all but 1e-12 of them."""
        most = int(stats.poisson.isf(_TAIL, self.mean)) + 1 if self.mean else 0
        chances = stats.poisson.pmf(np.arange(most + 1), self.mean)
        return DiscreteDemand(probabilities=dict(enumerate((chances / chances.sum()).tolist())))


@dataclass(frozen=True, kw_only=True)
class DiscreteDemand:
    """Demand that takes some values, each with a probability.

    Parameters
    ----------
    probabilities : mapping of float to float
        Units a period, >= 0 -> probability; they sum to 1 within 1e-9.

    Raises
    ------
    ParameterError
        A demand is negative, or a probability is none.

    Examples
    --------
    >>> demand = DiscreteDemand(probabilities={0: 0.5, 2: 0.3, 5: 0.2})
    >>> demand.quantile(0.6), round(demand.shortage(2), 6)
    (2.0, 0.6)
    """

    probabilities: Mapping[float, float]

    def __post_init__(self) -> None:
        for units, chance in self.probabilities.items():
            if not (math.isfinite(units) and units >= 0):
                raise ParameterError(
                    f"A demand of {units:g} units has a probability of {chance:g}; expected "
                    "demands >= 0. Leave returns out, or put them into the stock."
                )
            if not 0 <= chance <= 1:
                raise ParameterError(
                    f"The demand of {units:g} units has a probability of {chance:g}; expected a "
                    "number in [0, 1]."
                )
        total = math.fsum(self.probabilities.values())
        if abs(total - 1) > 1e-9:
            raise ParameterError(
                f"The probabilities of demand sum to {total:.9g}; expected 1. Divide them by their "
                "sum, or add what is missing."
            )

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        units = sorted(self.probabilities)
        return np.array(units, dtype=float), np.array([self.probabilities[u] for u in units])

    @property
    def mean(self) -> float:
        """Units a period."""
        units, chances = self._sorted
        return float(units @ chances)

    def quantile(self, level: float) -> float:
        """The smallest demand that is not exceeded with a probability of ``level``."""
        units, chances = self._sorted
        place = int(np.searchsorted(np.cumsum(chances), level - 1e-12))
        return float(units[min(place, len(units) - 1)])

    def shortage(self, stock: float) -> float:
        """E[(D - stock)+], units."""
        units, chances = self._sorted
        return float(np.maximum(units - stock, 0) @ chances)


def discretised_normal(
    demand: NormalDemand, *, step: float = 1.0, negative: Literal["refuse", "zero"] = "refuse"
) -> DiscreteDemand:
    """Normal demand on a grid, each point with the probability of half a step around it.

    A normal distribution reaches below zero, which demand does not: where that has a probability
    above 1e-6, it is refused, or put to zero, which raises the mean.

    Parameters
    ----------
    demand : NormalDemand
    step : float
        Units between points, > 0.
    negative : {"refuse", "zero"}

    Raises
    ------
    ParameterError
        Demand below zero is too likely to be left out.

    Examples
    --------
    >>> discretised_normal(NormalDemand(mean=50, sd=8)).quantile(0.5)
    50.0
    >>> round(discretised_normal(NormalDemand(mean=5, sd=4), negative="zero").mean, 2)
    5.2
    """
    check_positive("discretised_normal", step=step)
    if negative not in ("refuse", "zero"):
        raise ParameterError(
            "The 'negative' parameter of discretised_normal must be one of ('refuse', 'zero'). "
            f"Got {negative!r} instead."
        )
    if demand.sd == 0:
        return DiscreteDemand(probabilities={round(demand.mean / step) * step: 1.0})
    below = float(stats.norm.cdf(-step / 2, demand.mean, demand.sd))
    if below > _RARE and negative == "refuse":
        raise ParameterError(
            f"A normal demand of mean {demand.mean:g} and standard deviation {demand.sd:g} is "
            f"below zero with a probability of {below:.2g}; expected at most {_RARE:g}. Give "
            "discretised_normal(demand, negative='zero') in its place (it stands beside "
            "NormalDemand), or a distribution that has no negative values, such as Poisson's."
        )
    most = math.ceil(stats.norm.isf(_TAIL, demand.mean, demand.sd) / step)
    edges = (np.arange(most + 2) - 0.5) * step
    chances = np.diff(stats.norm.cdf(edges, demand.mean, demand.sd))
    chances[0] += below
    chances[-1] += 1 - chances.sum()
    points = (np.arange(most + 1) * step).tolist()
    return DiscreteDemand(probabilities=dict(zip(points, chances.tolist(), strict=True)))


def whole_units(demand: NormalDemand | PoissonDemand | DiscreteDemand) -> NDArray[np.float64]:
    """Probabilities of 0, 1, 2, ... units, up to the last that has one; normal demand is rounded.

    Parameters
    ----------
    demand : NormalDemand, PoissonDemand or DiscreteDemand

    Raises
    ------
    ParameterError
        A demand is not whole, or a normal one is below zero too often.

    Examples
    --------
    >>> whole_units(DiscreteDemand(probabilities={0: 0.5, 2: 0.5})).tolist()
    [0.5, 0.0, 0.5]
    """
    if isinstance(demand, PoissonDemand):
        demand = demand.written_out()
    elif isinstance(demand, NormalDemand):
        demand = discretised_normal(demand)
    probabilities = {units: chance for units, chance in demand.probabilities.items() if chance}
    odd = [value for value in probabilities if value != int(value)]
    if odd:
        raise ParameterError(
            f"An (s, S) policy counts whole units, and a demand is {odd[0]:g}. Count in a smaller "
            "unit, or make the steps of the distribution whole."
        )
    chances = np.zeros(int(max(probabilities)) + 1)
    for value, chance in probabilities.items():
        chances[int(value)] = chance
    return chances
