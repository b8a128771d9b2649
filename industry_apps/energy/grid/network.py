"""The DC model of a grid: flows as a linear function of the angles, or of what is fed in.

Reactance alone, voltages of 1, small angles; see section 3.7 of the MATPOWER manual
(https://matpower.org/docs/MATPOWER-manual.pdf) and Stott, Jardim and Alsac (2009), "DC power flow
revisited", doi:10.1109/TPWRS.2009.2021235.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from industry_apps.energy.grid.cases import Case, Floats


@dataclass(frozen=True, eq=False)
class Network:
    """Matrices of a case.

    Parameters
    ----------
    case : Case

    Examples
    --------
    >>> from industry_apps.energy.grid.example import example_case
    >>> network = Network(example_case())
    >>> network.flow.shape, network.islands.tolist()
    ((11, 9), [0, 0, 0, 0, 0, 0, 0, 0, 0])
    """

    case: Case

    def __reduce__(self) -> tuple[type[Network], tuple[Case]]:
        return Network, (self.case,)  # factors cannot be pickled, and are made anew

    @cached_property
    def incidence(self) -> sparse.csr_matrix:
        """1 at the start of each branch and -1 at its end, [branches, buses]."""
        branches = self.case.branches
        count = len(branches)
        rows = np.tile(np.arange(count), 2)
        columns = np.concatenate([branches.start, branches.end])
        values = np.repeat([1.0, -1.0], count)
        return sparse.csr_matrix((values, (rows, columns)), shape=(count, len(self.case.buses)))

    @cached_property
    def flow(self) -> sparse.csr_matrix:
        """Flows in MW from angles in rad, [branches, buses]."""
        return sparse.diags(self.case.branches.susceptance) @ self.incidence

    @property
    def shift_flow(self) -> Floats:
        """Flows in MW that the phase shifts add, [branches]."""
        return -self.case.branches.susceptance * self.case.branches.shift

    @cached_property
    def export(self) -> sparse.csr_matrix:
        """What leaves each bus through its branches in MW from angles in rad, [buses, buses]."""
        return (self.incidence.T @ self.flow).tocsr()

    @cached_property
    def shift_export(self) -> Floats:
        """What leaves each bus because of the phase shifts in MW, [buses]."""
        return self.incidence.T @ self.shift_flow

    @cached_property
    def feeding(self) -> sparse.csr_matrix:
        """1 where a generator feeds into a bus, [buses, generators]."""
        bus = self.case.generators.bus
        shape = (len(self.case.buses), len(bus))
        return sparse.csr_matrix((np.ones(len(bus)), (bus, np.arange(len(bus)))), shape=shape)

    @cached_property
    def islands(self) -> NDArray[np.int32]:
        """Number of the island that each bus lies in, [buses]."""
        return connected_components(abs(self.incidence.T) @ abs(self.incidence))[1]

    @cached_property
    def references(self) -> NDArray[np.intp]:
        """A bus of each island, the first, whose angle is 0."""
        return np.unique(self.islands, return_index=True)[1]

    def angles(self, fed_in: Floats) -> Floats:
        """Angles in rad of what each bus feeds in, less its demand, in MW: [buses, ...].

        What an island feeds in too much is taken from its reference.
        """
        free = np.setdiff1d(np.arange(len(self.case.buses)), self.references)
        found = np.zeros_like(fed_in, dtype=np.float64)
        shifted = (fed_in.T - self.shift_export).T
        found[free] = self._factors.solve(shifted[free])
        return found

    def flows(self, fed_in: Floats) -> Floats:
        """Flows in MW of what each bus feeds in, [branches, ...]."""
        return ((self.flow @ self.angles(fed_in)).T + self.shift_flow).T

    def shifts(self) -> Floats:
        """Flow in MW through each branch of a MW that a bus feeds in and its reference takes out.

        Power transfer distribution factors, [branches, buses]; dense.
        """
        count = len(self.case.buses)
        free = np.setdiff1d(np.arange(count), self.references)
        angles = np.zeros((count, count))
        angles[np.ix_(free, free)] = self._factors.solve(np.eye(len(free)))
        return np.asarray(self.flow @ angles)

    @cached_property
    def _factors(self) -> splu:
        free = np.setdiff1d(np.arange(len(self.case.buses)), self.references)
        return splu(self.export[free][:, free].tocsc())
