"""Simulated patients, of whom none exists: their stays in hospital, and how long they lived."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import ParameterError

__all__ = ["patient_follow_up", "patient_stays"]

_DIAGNOSES = ("250.00", "250.83", "410", "414", "428", "486", "518", "584", "715", "V57")
_DIAGNOSIS_RISK = np.array([0.0, 0.3, 0.1, 0.0, 0.5, 0.1, 0.3, 0.5, -0.4, -0.2])
_DISCHARGES = ("home", "home with service", "nursing facility", "left")
_DISCHARGE_RISK = np.array([0.0, 0.25, 0.45, 0.7])
_RACES = ("A", "B", "C")


def patient_stays(patients: int = 8_000, seed: int = 0) -> pd.DataFrame:
    """Simulate stays in hospital, one to four a patient, and readmissions within 30 days.

    The log-odds rise with the stays of the year before, with creatinine beyond 1.5, with some
    diagnoses and places of discharge, and with a frailty that all stays of a patient share and
    no column shows. Race has no effect.

    Parameters
    ----------
    patients : int
        > 0.
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        ``patient``, ``age`` in years, ``sex``, ``race``, ``diagnosis`` (ICD-9),
        ``discharge``, ``days_in_hospital``, ``stays_before``, ``creatinine`` in mg/dL with
        missing values, and ``readmitted``.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> float(patient_stays(4_000)["readmitted"].mean().round(1))
    0.2
    """
    rng = _generator("patient_stays", patients, seed)
    whose = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    stays = len(whose)
    people = _people(rng, patients)
    frailty = rng.normal(0, 0.5, patients)[whose]
    before = rng.poisson(0.7 * np.exp(frailty))
    diagnosis = rng.integers(0, len(_DIAGNOSES), stays)
    discharge = rng.choice(len(_DISCHARGES), stays, p=(0.55, 0.2, 0.22, 0.03))
    days = np.clip(rng.gamma(2.0, 2.2, stays).round(), 1, 14)
    creatinine = np.exp(rng.normal(0.05, 0.35, stays))
    risk = (
        -2.6
        + 0.55 * np.minimum(before, 5)
        + 0.8 * np.clip(creatinine - 1.5, 0, 2)
        + 0.012 * (people["age"][whose] - 60)
        + _DIAGNOSIS_RISK[diagnosis]
        + _DISCHARGE_RISK[discharge]
        + frailty
    )
    return pd.DataFrame(
        {
            "patient": whose,
            **{name: values[whose] for name, values in people.items()},
            "diagnosis": np.array(_DIAGNOSES, dtype=object)[diagnosis],
            "discharge": np.array(_DISCHARGES, dtype=object)[discharge],
            "days_in_hospital": days,
            "stays_before": before,
            "creatinine": np.where(rng.random(stays) < 0.1, np.nan, creatinine.round(2)),
            "readmitted": rng.random(stays) < 1 / (1 + np.exp(-risk)),
        }
    )


def patient_follow_up(patients: int = 8_000, seed: int = 0) -> pd.DataFrame:
    """Simulate patients and how long they were followed: until death, or until lost from sight.

    Times to death are Weibull's, with a hazard that rises with age, with an ejection fraction
    below 50 % and the more so in the diabetic, and with creatinine; four in ten are censored.

    Parameters
    ----------
    patients, seed
        As in :func:`patient_stays`.

    Returns
    -------
    pandas.DataFrame
        ``age`` in years, ``sex``, ``race``, ``diabetes``, ``ejection_fraction`` in %,
        ``creatinine`` in mg/dL with missing values, ``stage``, ``follow_up_days``, and
        ``died``.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> float(patient_follow_up(4_000)["died"].mean().round(1))
    0.6
    """
    rng = _generator("patient_follow_up", patients, seed)
    people = _people(rng, patients)
    diabetes = rng.random(patients) < 0.3
    ejection = np.clip(rng.normal(50, 12, patients), 10, 75).round()
    creatinine = np.exp(rng.normal(0.05, 0.35, patients))
    stage = rng.integers(1, 5, patients)
    weak = np.clip(50 - ejection, 0, 30) / 10
    risk = 0.05 * (people["age"] - 60) + weak * (0.45 + 0.4 * diabetes)
    risk = risk + 0.6 * np.log(creatinine) + 0.2 * (stage - 2)
    death = 2_500 * (rng.exponential(size=patients) / np.exp(risk)) ** (1 / 1.2)
    sight = rng.uniform(100, 3_600, patients)
    return pd.DataFrame(
        {
            **people,
            "diabetes": diabetes,
            "ejection_fraction": ejection,
            "creatinine": np.where(rng.random(patients) < 0.1, np.nan, creatinine.round(2)),
            "stage": np.array(["", "I", "II", "III", "IV"], dtype=object)[stage],
            "follow_up_days": np.ceil(np.minimum(death, sight)),
            "died": death <= sight,
        }
    )


def _people(rng: np.random.Generator, patients: int) -> dict[str, NDArray[Any]]:
    return {
        "age": np.clip(rng.normal(62, 14, patients), 18, 98).round(),
        "sex": np.where(rng.random(patients) < 0.5, "female", "male").astype(object),
        "race": rng.choice(np.array(_RACES, dtype=object), patients, p=(0.6, 0.25, 0.15)),
    }


def _generator(caller: str, patients: int, seed: int) -> np.random.Generator:
    if patients < 1 or seed < 0:
        raise ParameterError(
            f"{caller} needs patients > 0 and seed >= 0. Got {patients!r} and {seed!r} instead."
        )
    return np.random.default_rng(seed)
