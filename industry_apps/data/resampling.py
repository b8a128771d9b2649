"""Splits at random, again and again, of rows that have no order.

On few rows one split tells little: the same rows are split many times, and figures are
means over the runs. The splits are scikit-learn's, so that others can make the same ones.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from industry_apps.data.leakage import refuse_random
from industry_apps.data.rules import HeldOut, Resampling
from industry_apps.data.splits import Split
from industry_apps.errors import ParameterError, require

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def split_resampled(frame: pd.DataFrame, rule: Resampling, *, target: str, run: int = 0) -> Split:
    """Make one of the splits of a rule; each has equal shares of every value of the target.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows that are independent of one another: without a time, without a subject, unless
        the rule takes shares of the rows of each.
    rule : Resampling
    target : str
        A column with few distinct values.
    run : int
        Number of the split, in [0, ``rule.most_runs``).

    Returns
    -------
    Split
        The validation part has no rows where the rule sets none aside.

    Raises
    ------
    LeakageError
        A column is a time, or names a subject that has several rows.
    ParameterError
        There is no such run.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"amount": range(10), "late": [False, True] * 5})
    >>> split = split_resampled(frame, Resampling(repeats=3, folds=5), target="late", run=7)
    >>> len(split.train), len(split.validation), len(split.test)
    (8, 0, 2)
    """
    import pandas as pd

    selection = require("sklearn.model_selection", extra="train", needed_by="a random split")
    if not 0 <= run < rule.most_runs:
        raise ParameterError(
            f"The data are split in {rule.most_runs} ways, 0 to {rule.most_runs - 1}; got {run!r}."
        )
    if rule.within:
        return _split_within(frame, rule, run)
    if rule.left_out:
        return _split_choices(frame, rule, run)
    if rule.group:
        return _split_groups(frame, rule, run)
    for column in frame.columns:
        refuse_random(frame[column], str(column))
    kind = "Stratified" if rule.stratified else ""
    labels = frame[target] if rule.stratified else pd.Series(0, index=frame.index)
    repeat, part = divmod(run, max(rule.folds, 1))
    if rule.folds:
        make = getattr(selection, f"{kind}KFold")
        folds = make(rule.folds, shuffle=True, random_state=repeat)
    else:
        make = getattr(selection, f"{kind}ShuffleSplit")
        folds = make(1, test_size=rule.test, random_state=repeat)
    known, tested = list(folds.split(labels, labels))[part]
    held_out = known[:0]
    if rule.validation:
        known, held_out = selection.train_test_split(
            known, test_size=rule.validation, random_state=repeat, stratify=labels.iloc[known]
        )
    return Split(*(frame.iloc[rows].reset_index(drop=True) for rows in (known, held_out, tested)))


def with_validation(frame: pd.DataFrame, rule: HeldOut, *, part: str) -> pd.DataFrame:
    """Name some of the training rows as the validation part; the same ones each time.

    Parameters
    ----------
    frame : pandas.DataFrame
        Not changed.
    rule : HeldOut
    part : str
        The column that says to which part a row belongs.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"part": ["train"] * 8 + ["test"], "kind": [*"aaaabbbb", "a"]})
    >>> found = with_validation(frame, HeldOut(share=0.25, within="kind"), part="part")
    >>> found.groupby(["part", "kind"]).size().to_dict()[("validation", "b")]
    1
    """
    import numpy as np

    training = frame.index[frame[part] == "train"]
    shuffled = training[np.random.default_rng(0).permutation(len(training))]
    values = frame.loc[shuffled, rule.within]
    place = values.groupby(values).cumcount()
    chosen = shuffled[place < (rule.share * values.map(values.value_counts())).round()]
    return frame.assign(**{part: frame[part].mask(frame.index.isin(chosen), "validation")})


def _split_within(frame: pd.DataFrame, rule: Resampling, run: int) -> Split:
    """Shares of the rows of each value, at random."""
    import numpy as np

    groups = frame[rule.within]
    shuffled = frame.index[np.random.default_rng(run).permutation(len(frame))]
    place = groups.loc[shuffled].groupby(groups.loc[shuffled]).cumcount().reindex(frame.index)
    size = groups.map(groups.value_counts())
    # Rounded down, as a cut at a share of the rank is: the first 3 of 5 at three quarters, and
    # none of one.
    known = np.floor((1 - rule.test) * size + 1e-9)
    learned = ((1 - rule.validation) * known).round()
    parts = (place < learned, (place >= learned) & (place < known), place >= known)
    return Split(*(frame[part].reset_index(drop=True) for part in parts))


def _split_choices(frame: pd.DataFrame, rule: Resampling, run: int) -> Split:
    """One of the choices of so many groups as the test part, in the order of their names."""
    names = sorted(frame[rule.group].unique())
    choices = list(combinations(names, rule.left_out))
    if len(choices) != rule.repeats:
        raise ParameterError(
            f"Of {len(names)} values of {rule.group!r}, {rule.left_out} can be chosen in "
            f"{len(choices)} ways, not in {rule.repeats}. Correct the card."
        )
    tested = frame[rule.group].isin(choices[run])
    parts = (~tested, tested & ~tested, tested)
    return Split(*(frame[part].reset_index(drop=True) for part in parts))


def _split_groups(frame: pd.DataFrame, rule: Resampling, run: int) -> Split:
    """Folds of whole groups; the validation part is cut from the others in the same way."""
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    repeat, part = divmod(run, rule.folds)

    def cut(rows: NDArray[np.intp], folds: int, chosen: int) -> tuple[NDArray[np.intp], ...]:
        make = StratifiedGroupKFold(folds, shuffle=True, random_state=repeat)
        labels, groups = frame[rule.shares].iloc[rows], frame[rule.group].iloc[rows]
        known, others = list(make.split(labels, labels, groups))[chosen]
        return rows[known], rows[others]

    known, tested = cut(np.arange(len(frame)), rule.folds, part)
    held_out = known[:0]
    if rule.validation:
        known, held_out = cut(known, round(1 / rule.validation), 0)
    return Split(*(frame.iloc[rows].reset_index(drop=True) for rows in (known, held_out, tested)))
