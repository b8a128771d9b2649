"""Checks of copies: what was fitted can be pickled and copied, and answers as before."""

from __future__ import annotations

import copy
import pickle

from industry_apps.testing.assertions import assert_same, assert_that
from industry_apps.testing.trial import Trial


def copies_and_pickles_answer_equally(trial: Trial) -> None:
    """A deep copy and a pickle of the fitted application and of its file answer as they do."""
    frame = trial.asked
    for what, original in (("application", trial.fitted), ("model", trial.model)):
        expected = original.predict(frame)
        others = {
            f"deep copy of the {what}": copy.deepcopy(original),
            f"pickle of the {what}": pickle.loads(pickle.dumps(original)),  # noqa: S301 - our own
        }
        for name, other in others.items():
            assert_that(type(other) is type(original), f"The {name} is a {type(other).__name__}.")
            assert_same(expected, other.predict(frame), name, tolerance=0)


CHECKS = (copies_and_pickles_answer_equally,)
