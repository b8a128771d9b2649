"""What the errors of applications of finance advise, done."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from industry_apps.data.simulators import card_transactions
from industry_apps.errors import LeakageError
from industry_apps.finance import CreditScorer, FraudDetector
from industry_apps.recipes import TreeOptions
from tests.finance.test_leaks import loans
from tests.remedies import check_remedy

LOANS = loans(500).assign(sex=["f", "m"] * 250, client=np.arange(500) // 2)
WORDS = LOANS.assign(is_default=LOANS["is_default"].map({True: "Bad", False: "Good"}))
SALES = card_transactions(customers=120, terminals=150, days=45, radius=15.0, seed=4).drop(
    columns=["scenario", "transaction_id"]
)


def scorer(**parameters: Any) -> CreditScorer:
    trees = TreeOptions(rounds=5, learning_rate=0.3)
    return CreditScorer(**{"trees": trees, "ignore": ("client",), **parameters})


def fraud(frame: pd.DataFrame) -> FraudDetector:
    return FraudDetector.fast().fit(frame)


CASES = [
    (
        "Make a DataFrame of it.",
        lambda: scorer().fit(LOANS.to_dict("records")),
        lambda: scorer().fit(pd.DataFrame(LOANS.to_dict("records"))),
    ),
    (
        "Give at least some hundreds.",
        lambda: scorer().fit(LOANS.head(0)),
        lambda: scorer().fit(LOANS.head(300)),
    ),
    (
        "name the one that means yes with 'positive'",
        lambda: scorer().fit(WORDS),
        lambda: scorer(positive="Bad").fit(WORDS),
    ),
    (
        "Did you mean 'Bad'",
        lambda: scorer(positive="bad").fit(WORDS),
        lambda: scorer(positive="Bad").fit(WORDS),
    ),
    (
        "Drop the rows with a third one, or make one of two labels of them.",
        lambda: scorer(positive="Bad").fit(
            WORDS.assign(is_default=[*WORDS["is_default"][1:], "?"])
        ),
        lambda: [
            scorer(positive="Bad").fit(WORDS.iloc[1:]),
            scorer(positive="Bad").fit(WORDS.assign(is_default=[*WORDS["is_default"][1:], "Bad"])),
        ],
    ),
    (
        "name the column as the subject where the application takes one ('subject'",
        lambda: scorer(ignore=()).fit(LOANS),
        lambda: [scorer(ignore=(), subject="client").fit(LOANS), scorer().fit(LOANS)],
    ),
    (
        "Did you mean 'client'",
        lambda: scorer(subject="cilent", ignore=()).fit(LOANS),
        lambda: scorer(subject="client", ignore=()).fit(LOANS),
    ),
    (
        "Did you mean 'amount'",
        lambda: scorer(categories=("amuont",)).fit(LOANS),
        lambda: scorer(categories=("amount",)).fit(LOANS),
    ),
    (
        "Unknown number for 'ratios' 'sex'. Known: amount, income",
        lambda: scorer(ratios=(("income", "sex"),)).fit(LOANS),
        lambda: scorer(ratios=(("income", "amount"),)).fit(LOANS),
    ),
    (
        "must be one of",
        lambda: scorer(model="tree").fit(LOANS),
        lambda: scorer(model="trees").fit(LOANS),
    ),
    (
        "Use split(transactions) or enrich(transactions) first.",
        lambda: fraud(SALES),
        lambda: [
            fraud(FraudDetector.fast().split(SALES)),
            fraud(FraudDetector.fast().enrich(SALES)),
        ],
    ),
    (
        "Name one of the two, or a copy of the column.",
        lambda: FraudDetector(columns={"terminal": "customer"}).split(SALES),
        lambda: FraudDetector(columns={"terminal": "copy"}).split(
            SALES.assign(copy=SALES["customer"])
        ),
    ),
]


@pytest.mark.parametrize(("says", "wrong", "mended"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.filterwarnings("ignore::industry_apps.errors.LeakageWarning")
def test_what_an_error_advises_works(says: str, wrong: Any, mended: Any) -> None:
    check_remedy(says, wrong, mended)


def test_an_amount_may_be_a_name():
    scorer(categories=("amount",)).fit(LOANS)
    parts = FraudDetector.fast().split(SALES)
    FraudDetector.fast().set_params(categories=("amount",)).fit(parts)


def test_an_application_that_is_not_fitted_says_how_it_is() -> None:
    asked = scorer()
    with pytest.raises(NotFittedError, match=r"Call fit\(train, validation\) first\."):
        asked.predict(LOANS)
    asked.fit(LOANS.head(300), LOANS.tail(100)).predict(LOANS)


def test_tables_that_have_changed_are_given_again_or_learned_again() -> None:
    parts = scorer().split(LOANS)
    given = parts.train.copy()
    fitted = scorer().fit(given, parts.validation)
    given["income"] += 1
    with pytest.raises(LeakageError, match=r"Give evaluate the Split .*, or call fit again"):
        fitted.evaluate(parts.test)
    assert fitted.evaluate(parts).baselines
    assert fitted.fit(given, parts.validation).evaluate(parts.test).baselines
