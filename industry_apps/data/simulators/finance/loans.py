"""Simulated applications for a loan, of people who do not exist."""

from __future__ import annotations

import numpy as np
import pandas as pd

from industry_apps.errors import ParameterError

__all__ = ["loan_applications"]

_PURPOSES = ("car", "furniture", "education", "renovation", "debts elsewhere")
_PURPOSE_RISK = np.array([0.0, 0.1, -0.2, -0.1, 0.6])
_HOUSING = ("own", "rented", "with parents")
_HOUSING_RISK = np.array([-0.3, 0.15, 0.1])


def loan_applications(applicants: int = 20_000, seed: int = 0) -> pd.DataFrame:
    """Simulate applications for a loan and whether they were paid back.

    The log-odds of default rise with the instalment over the income (steeply beyond a
    third), with past delays and with debts elsewhere; they fall with the years in the job.
    Neither sex nor age has an effect of its own, but both go with income and years in the
    job: a model that never sees them still treats the groups differently. Some incomes and
    years in the job are not stated.

    Parameters
    ----------
    applicants : int
        > 0.
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        ``amount`` and ``income`` (a month) in currency, ``duration`` in months, ``purpose``,
        ``housing``, ``years_in_job``, ``past_delays``, ``existing_credits``, ``sex``, ``age``
        in years, and ``is_default``.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> float(loan_applications(10_000)["is_default"].mean().round(1))
    0.2
    """
    if applicants < 1 or seed < 0:
        raise ParameterError(
            "loan_applications needs applicants > 0 and seed >= 0. "
            f"Got {applicants!r} and {seed!r} instead."
        )
    rng = np.random.default_rng(seed)
    woman = rng.random(applicants) < 0.45
    age = np.clip(19 + rng.gamma(2.6, 8.0, applicants), 19, 85).round()
    years_in_job = np.clip(rng.exponential(0.22 * (age - 16)), 0, age - 16).round(1)
    income = np.exp(rng.normal(7.75, 0.42, applicants) + 0.008 * (age - 40) - 0.18 * woman)
    duration = rng.choice([6, 12, 18, 24, 36, 48, 60], applicants)
    amount = np.exp(rng.normal(8.3, 0.7, applicants)) * np.sqrt(duration / 24)
    purpose = rng.integers(0, len(_PURPOSES), applicants)
    housing = rng.choice(len(_HOUSING), applicants, p=(0.4, 0.5, 0.1))
    past_delays = rng.poisson(0.35, applicants)
    existing_credits = rng.poisson(0.8, applicants)
    burden = amount / duration / income
    risk = (
        -2.1
        + 2.2 * burden
        + 4.0 * np.clip(burden - 0.33, 0, 1)
        + 0.75 * np.minimum(past_delays, 3)
        + 0.15 * existing_credits
        - 0.30 * np.log1p(years_in_job)
        + _PURPOSE_RISK[purpose]
        + _HOUSING_RISK[housing]
        + rng.normal(0, 0.5, applicants)
    )
    is_default = rng.random(applicants) < 1 / (1 + np.exp(-risk))
    unstated = rng.random((2, applicants)) < 0.04
    return pd.DataFrame(
        {
            "amount": amount.round(-1),
            "duration": duration,
            "income": np.where(unstated[0], np.nan, income.round()),
            "purpose": np.array(_PURPOSES, dtype=object)[purpose],
            "housing": np.array(_HOUSING, dtype=object)[housing],
            "years_in_job": np.where(unstated[1], np.nan, years_in_job),
            "past_delays": past_delays,
            "existing_credits": existing_credits,
            "sex": np.where(woman, "female", "male").astype(object),
            "age": age,
            "is_default": is_default,
        }
    )
