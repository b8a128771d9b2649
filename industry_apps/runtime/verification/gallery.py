"""One against all: every template in one matrix, and an exact answer.

Letters: N templates, D values of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TemplateError
from industry_apps.runtime.verification.scoring import scores
from industry_apps.runtime.verification.store import GALLERY, TemplateStore
from industry_apps.runtime.verification.templates import Record

_Floats = NDArray[np.float64]
#: By how much a product of matrices in single precision may be off for vectors of length 1.
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who may be on a sample.

    Parameters
    ----------
    user : str
    score : float
        Cosine of template and sample, -1 to 1.
    """

    user: str
    score: float


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Gallery:
    """Templates of everybody enrolled who may be searched for, decrypted, in memory.

    Parameters
    ----------
    users : sequence of str
        N names.
    templates : ndarray of float32, shape [N, D]
        Of length 1.
    record : Record
        One of them: all share its rotation.
    day : date
        On which the consents were seen to hold.
    state : str
        Of the store, when it was opened.
    left_out : mapping of str to str
        Users who cannot be searched for -> why.
    """

    users: list[str]
    templates: NDArray[np.float32]
    record: Record
    day: date
    state: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def opened(cls, store: TemplateStore, model: str, today: date) -> Gallery:
        """Decrypt all templates of a store; leave out users whose record is refused.

        Raises
        ------
        TemplateError
            All are refused.
        """
        state = store.state  # Before the records: what changes meanwhile is seen by the next search
        users, left_out = store.survey()
        found = {}
        for user in users:
            try:
                found[user] = store.template(user, model, today)
            except TemplateError as refused:
                left_out[user] = str(refused)
        for user in [user for user, (record, _) in found.items() if record.rotation != GALLERY]:
            del found[user]
            left_out[user] = (
                f"User {user!r} is enrolled for one against one alone. Enrol them into a store of "
                "their own, or ask them for a template that can be searched."
            )
        if not found:
            name, reason = next(iter(left_out.items()), ("", "All were deleted meanwhile"))
            raise TemplateError(f"None of the enrolled can be searched for. {name!r}: {reason}")
        templates = np.array([each for _, each in found.values()], np.float32)
        record = next(iter(found.values()))[0]
        return cls(list(found), templates, record, today, state, left_out)

    def search(self, probe: _Floats, threshold: float, most: int) -> list[Candidate]:
        """Those who score a threshold or more, the likeliest first; equal scores by name.

        One product in single precision leaves out whoever cannot be among the answers, which then
        get the score that they have alone.

        Parameters
        ----------
        probe : ndarray of shape [D]
            Of length 1, under the rotation of the templates.
        threshold : float
        most : int
            >= 1.
        """
        rough = self.templates @ probe.astype(np.float32)
        least = threshold - _ROUNDING
        if len(rough) > most:
            least = max(least, float(np.partition(rough, -most)[-most]) - 2 * _ROUNDING)
        rows = np.flatnonzero(rough >= least)
        exact = scores(self.templates[rows], probe)
        found = [(-score, self.users[row]) for row, score in zip(rows, exact, strict=True)]
        likeliest = sorted(each for each in found if -each[0] >= threshold)[:most]
        return [Candidate(user=user, score=-float(score)) for score, user in likeliest]

    def __repr__(self) -> str:
        return f"Gallery({len(self.users)} users)"
