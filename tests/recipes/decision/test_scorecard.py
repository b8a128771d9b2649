"""Scorecards: bins that are the best and in order, points that are the model."""

from __future__ import annotations

import pickle
from itertools import combinations
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from industry_apps.errors import ParameterError, TrainingError
from industry_apps.features import GraphBuilder, Ratio, Value
from industry_apps.recipes.decision.binning import (
    BinLimits,
    Evidence,
    Outcomes,
    best_bins,
    category_attribute,
    number_attribute,
)
from industry_apps.recipes.decision.scorecard import ScorecardOptions, ScorecardScorer
from industry_apps.recipes.reasons import Reasons
from industry_apps.recipes.scorers import NO_DIRECTIONS, Labelled
from industry_apps.runtime.inputs import feeds_of
from industry_apps.schema import Column, Schema
from industry_apps.schema.values import DTYPES

SCHEMA = Schema(
    (
        Column(name="duration", kind="number", unit="months", low=0, nullable=False),
        Column(name="age", kind="number", unit="years"),
        Column(name="amount", kind="number"),
        Column(name="income", kind="number"),
        Column(name="noise", kind="number"),
        Column(name="country", kind="category"),
        Column(name="purpose", kind="category"),
        Column(name="housing", kind="category"),
        Column(name="guarantor", kind="boolean"),
        Column(name="applied", kind="datetime"),
        Column(name="remark", kind="text"),
        Column(name="number", kind="category", role="identifier"),
    )
)
DERIVED = (Ratio("amount", "income"),)
ROWS = 3000


def applicants(seed: int = 0, rows: int = ROWS) -> tuple[dict[str, Any], np.ndarray]:
    """Simulated applicants like those of German credit, and who did not pay."""
    random = np.random.default_rng(seed)
    purposes = np.array(["car", "television", "education", "repairs", "boat", ""], dtype=object)
    chosen = random.choice(6, rows, p=[0.35, 0.3, 0.15, 0.1, 0.005, 0.095])
    duration = random.integers(4, 61, rows).astype(float)
    age = random.integers(19, 76, rows).astype(float)
    guarantor = random.choice([0.0, 1.0, np.nan], rows, p=[0.7, 0.2, 0.1])
    amount, income = random.lognormal(8, 0.8, rows), random.lognormal(7, 0.5, rows)
    housing = random.choice(np.array(["own", "rent", "free"], dtype=object), rows)
    logit = -1.6 + 0.05 * (duration - 30) - 0.04 * (age - 45) - 1.0 * (guarantor == 1)
    logit += np.array([0.5, -0.6, 0.8, 0.0, 3.0, 1.0])[chosen] + 0.4 * np.log(amount / income / 3)
    logit += 0.7 * (housing != "own")
    age[random.random(rows) < 0.08] = np.nan
    table = {
        "duration": duration,
        "age": age,
        "amount": amount,
        "income": income,
        "noise": random.normal(size=rows),
        "country": np.full(rows, "DE", dtype=object),
        "purpose": purposes[chosen],
        "housing": housing,
        "guarantor": guarantor,
        "applied": np.full(rows, 1_700_000_000, dtype=np.int64),
        "remark": np.full(rows, "none", dtype=object),
        "number": np.arange(rows).astype(str).astype(object),
    }
    return SCHEMA.to_arrays(table), random.random(rows) < 1 / (1 + np.exp(-logit))


ARRAYS, BAD = applicants()


def fitted(directions: dict[str, int] | None = None, **options: Any) -> ScorecardScorer:
    scorer = ScorecardScorer(
        SCHEMA, DERIVED, ScorecardOptions(**options), directions or NO_DIRECTIONS
    )
    scorer.fit(Labelled(ARRAYS, BAD), None)
    return scorer


@pytest.fixture(scope="module")
def scorer() -> ScorecardScorer:
    return fitted()


def difficult_rows(scorer: ScorecardScorer) -> dict[str, np.ndarray]:
    """Fresh rows: some with missing and unseen values, on edges, and beyond all that was seen."""
    arrays, _ = applicants(seed=1, rows=600)
    for place, (name, edges) in enumerate(scorer.thresholds().items()):
        at = np.array(edges, dtype=np.float32)
        values = [at, np.nextafter(at, np.float32(-np.inf)), np.float32([np.nan, 1e30, -1e30, 0])]
        values = np.concatenate(values)
        if name != "guarantor":
            arrays[name][place * 20 : place * 20 + len(values)] = values
    arrays["purpose"][:3] = ["never seen", "", "ß"]
    arrays["housing"][2:5] = ["", "castle", "own"]
    for name, values in arrays.items():  # the last row has nothing at all
        values[-1] = SCHEMA[name].missing(1)[0]
    arrays["duration"][np.isnan(arrays["duration"])] = 0  # but what it must have
    return arrays


def run_graph(scorer: ScorecardScorer, arrays: dict[str, np.ndarray], count: int) -> dict[str, Any]:
    builder = GraphBuilder()
    used = scorer.features.schema
    inputs = {column.name: builder.input(column.name, DTYPES[column.kind]) for column in used}
    builder.output(scorer.write(builder, inputs), "margin", np.float32)
    builder.output(scorer.write_score(builder, inputs), "score", np.float32)
    written = Reasons.learn(scorer, count, arrays, np.ones(len(arrays["age"]), bool))
    builder.output(written.write(builder, inputs)["reasons"], "reasons", np.object_, count)
    model = builder.model().SerializeToString()
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds_of(arrays, used)), strict=True))


@pytest.mark.parametrize("whole_points", [True, False])
@pytest.mark.parametrize("count", [1, 4, 12])
def test_the_file_answers_as_the_model_exactly(whole_points: bool, count: int) -> None:
    scorer = fitted(whole_points=whole_points, base_score=123.4)
    arrays = difficult_rows(scorer)
    found = run_graph(scorer, arrays, count)
    assert_array_equal(found["score"][:, 0], scorer.score(arrays))
    assert_array_equal(found["margin"][:, 0], scorer.margin(arrays))
    reasons = Reasons.learn(scorer, count, arrays, np.ones(len(arrays["age"]), bool))
    assert_array_equal(found["reasons"], reasons.apply(arrays))
    assert found["reasons"].shape[1] == min(count, len(scorer.contributors))


def test_score_is_the_sum_of_the_points_of_the_table(scorer: ScorecardScorer) -> None:
    arrays = difficult_rows(scorer)
    points = scorer.points(arrays)
    assert_array_equal(sum(points.values()), scorer.score(arrays))
    table = scorer.table()
    assert set(table["attribute"]) == set(points)
    for name, part in table.groupby("attribute"):
        assert set(points[name]) <= set(part["points"])
    assert (table["points"] % 1 == 0).all()
    row = {"duration": np.float32([10]), "age": np.float32([np.nan])}
    lines = table[table["attribute"] == "age"].set_index("bin")["points"]
    one = {name: SCHEMA[name].missing(1) for name in SCHEMA.names} | row
    assert scorer.points(one)["age"].tolist() == [lines["missing"]]


def test_a_scorecard_can_be_pickled(scorer: ScorecardScorer) -> None:
    again = pickle.loads(pickle.dumps(scorer))
    assert_array_equal(again.margin(ARRAYS), scorer.margin(ARRAYS))


def test_points_to_double_the_odds_double_them() -> None:
    scorer = fitted(points_to_double_odds=40.0, base_score=500.0, base_odds=20.0)
    arrays = difficult_rows(scorer)
    score, margin = scorer.score(arrays).astype(np.float64), scorer.margin(arrays)
    odds_of_good = np.exp(-margin)
    assert_allclose(odds_of_good, 20.0 * 2 ** ((score - 500.0) / 40.0), rtol=1e-5)


def test_the_margin_is_calibrated_and_ranks_as_the_truth_does(scorer: ScorecardScorer) -> None:
    from sklearn.metrics import roc_auc_score

    fresh, bad = applicants(seed=2)
    margin = scorer.margin(fresh)
    probability = 1 / (1 + np.exp(-margin))
    assert roc_auc_score(bad, margin) > 0.77
    assert abs(probability.mean() - bad.mean()) < 0.02
    risky = probability > 0.5
    assert abs(probability[risky].mean() - bad[risky].mean()) < 0.05


def test_points_follow_the_risk_in_both_directions(scorer: ScorecardScorer) -> None:
    table = scorer.table()
    for name, sign in (("duration", -1), ("age", 1), ("amount/income", -1)):
        part = table[(table["attribute"] == name) & (table["bin"] != "missing")]
        assert len(part) > 2
        assert (sign * np.diff(part["points"]) >= 0).all()
        assert (sign * np.diff(part["weight_of_evidence"]) >= 0).all()
        assert (sign * np.diff(part["bad_rate"]) <= 0).all()
    for _, part in table[table["rows"] > 0].groupby("attribute"):
        order = part.sort_values("weight_of_evidence")["points"]
        assert (np.diff(order) >= 0).all()  # the points agree with the bins


def test_a_direction_can_be_forced_and_lifted() -> None:
    random = np.random.default_rng(0)
    x = random.uniform(0, 1, 4000).astype(np.float32)
    bad = random.random(4000) < 0.1 + 1.6 * (x - 0.4) ** 2  # falls, then rises
    outcomes = Outcomes(bad, np.ones(4000), 1.0)
    limits = BinLimits(most=6, smallest=200)
    found = {}
    for directions in ((1,), (-1,), (1, -1), (0,)):
        attribute = number_attribute(Value("x"), x, outcomes, limits, directions)
        found[directions] = attribute.information
        steps = np.diff(attribute.evidence.weight[:-1])
        if len(directions) == 1:
            assert (directions[0] * steps <= 0).all()
    assert found[-1,] < found[1,] == found[1, -1] < found[0,]


def test_directions_reach_the_scorecard() -> None:
    rising = fitted({"age": 1})  # against the truth: hardly any information is left
    assert "age" in rising.left_out_
    assert "age" in fitted().features.names
    with pytest.raises(ParameterError, match="'ages'"):
        fitted({"ages": 1})
    with pytest.raises(ParameterError, match="'age': 2"):
        fitted({"age": 2})


def test_what_tells_nothing_is_left_out_and_named(scorer: ScorecardScorer) -> None:
    assert {"noise", "country", "applied", "remark"} <= set(scorer.left_out_)
    assert "information value 0.000 below 0.01" in scorer.left_out_["country"]
    assert "datetime" in scorer.left_out_["applied"]
    names = set(scorer.features.names)
    assert not names & set(scorer.left_out_)
    assert {"duration", "age", "purpose", "amount/income"} <= names
    assert "number" not in names | set(scorer.left_out_)
    assert set(scorer.features.schema.names) <= names | {"amount", "income"}


def test_nothing_left_is_an_error_that_says_what_to_do() -> None:
    schema = Schema((SCHEMA["noise"], SCHEMA["country"]))
    card = ScorecardScorer(schema, (), ScorecardOptions())
    with pytest.raises(TrainingError, match="lower 'min_information'"):
        card.fit(Labelled(ARRAYS, BAD), None)


def test_a_column_that_counts_against_its_bins_is_left_out() -> None:
    random = np.random.default_rng(0)
    schema = Schema(tuple(Column(name=name, kind="category") for name in ("first", "second")))
    risk = random.random(4000) < 0.5
    bad = random.random(4000) < np.where(risk, 0.5, 0.1)
    # Alone it tells of the risk; beside it, it tells the contrary of what its bins say.
    echo = random.random(4000) < np.where(risk, 0.8, 0.2) - 0.15 * bad
    words = np.array(["no", "yes"], dtype=object)
    card = ScorecardScorer(schema, (), ScorecardOptions(max_bins=2))
    card.fit(Labelled({"first": words[risk * 1], "second": words[echo * 1]}, bad), None)
    assert card.features.names == ["first"]
    assert "against its own bins" in card.left_out_["second"]


def test_unseen_and_never_missing_values_are_neutral(scorer: ScorecardScorer) -> None:
    table = scorer.table().set_index(["attribute", "bin"])
    base = table.loc["purpose"].loc["any other"]
    assert (base["weight_of_evidence"], base["rows"]) == (0, 0)
    assert np.isnan(base["bad_rate"])
    missing = table.loc["purpose"].loc["missing"]
    assert missing["rows"] == (ARRAYS["purpose"] == "").sum()
    assert missing["points"] < base["points"]
    assert table.loc["housing"].loc["missing"]["points"] == base["points"]
    assert "missing" not in table.loc["duration"].index  # the schema rules it out
    assert set(table.loc["guarantor"].index) == {"no", "yes", "missing"}
    assert_allclose(table.groupby("attribute")["share"].sum(), 1)
    assert set(table.groupby("attribute")["rows"].sum()) == {ROWS}


def test_reasons_are_what_costs_most_against_the_favoured(scorer: ScorecardScorer) -> None:
    arrays = difficult_rows(scorer)
    names = scorer.contributors
    points = np.column_stack(list(scorer.points(arrays).values()))
    favoured = points.sum(axis=1) > np.median(points.sum(axis=1))
    reasons = Reasons.learn(scorer, 4, arrays, favoured)
    lost = np.round(points[favoured].mean(axis=0) * 2**14) / 2**14 - points
    for row, found in zip(lost, reasons.apply(arrays), strict=True):
        by_loss = sorted(range(len(names)), key=lambda place: (-row[place], place))
        assert found.tolist() == [names[n] if row[n] > 0 else "" for n in by_loss[:4]]


def test_a_record_that_is_best_in_everything_has_no_reasons() -> None:
    plain = ScorecardScorer(SCHEMA.without(["amount", "income"]), (), ScorecardOptions())
    plain.fit(Labelled(ARRAYS, BAD), None)
    points = plain.points(ARRAYS)
    reasons = Reasons.learn(plain, len(points), ARRAYS, ~BAD)
    ideal = {name: ARRAYS[name][[found.argmax()]] for name, found in points.items()}
    assert {*reasons.apply(ideal)[0]} == {""}
    worst = {name: ARRAYS[name][[found.argmin()]] for name, found in points.items()}
    assert len({*reasons.apply(worst)[0]} - {""}) == len(points)


def test_without_favoured_records_the_reference_is_that_of_all(scorer: ScorecardScorer) -> None:
    nobody = Reasons.learn(scorer, 4, ARRAYS, np.zeros(ROWS, bool))
    everybody = Reasons.learn(scorer, 4, ARRAYS, np.ones(ROWS, bool))
    assert_array_equal(nobody.reference, everybody.reference)
    assert "favourable" not in nobody.against


def test_weights_count_as_repeated_rows() -> None:
    twice = np.arange(ROWS) % 3 == 0
    repeated = np.concatenate([np.arange(ROWS), np.flatnonzero(twice)])
    schema = SCHEMA.without(["duration", "age", "amount", "income", "noise"])  # no quantiles
    weighted, doubled = (ScorecardScorer(schema, (), ScorecardOptions()) for _ in range(2))
    weighted.fit(Labelled(ARRAYS, BAD, 1.0 + twice), None)
    doubled.refit(Labelled({n: v[repeated] for n, v in ARRAYS.items()}, BAD[repeated]))
    assert weighted.table().round(6).equals(doubled.table().round(6))


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=7),
    st.integers(1, 5),
    st.integers(0, 12),
    st.sampled_from([1, -1, 0]),
)
def test_best_bins_are_the_best(
    counts: list[tuple[int, int]], most: int, smallest: int, direction: int
) -> None:
    good, bad = np.array(counts, dtype=np.float64).T
    fine = Evidence(good, bad, good.sum() + 3, bad.sum() + 2, 1.0)

    def joined(cuts: tuple[int, ...]) -> Evidence:
        firsts = [0, *cuts]
        return fine.of(np.add.reduceat(good, firsts), np.add.reduceat(bad, firsts))

    def allowed(bins: Evidence) -> bool:
        ordered = (direction * np.diff(bins.weight) <= 1e-12).all()
        return len(bins.good) == 1 or bool(ordered and (bins.size >= smallest).all())

    every = [
        joined(cuts)
        for count in range(min(most, len(good)))
        for cuts in combinations(range(1, len(good)), count)
    ]
    best = max(bins.information.sum() for bins in every if allowed(bins))
    firsts, value = best_bins(fine, BinLimits(most=most, smallest=smallest), direction)
    assert firsts[0] == 0
    assert value == pytest.approx(best, abs=1e-9)
    chosen = joined(tuple(firsts[1:].tolist()))
    assert allowed(chosen)
    assert chosen.information.sum() == pytest.approx(value, abs=1e-9)
    assert len(firsts) <= most


def test_levels_are_grouped_by_risk_and_the_rare_are_one() -> None:
    rates = {"a": 0.1, "b": 0.5, "c": 0.11, "d": 0.52, "e": 0.3}
    texts = [level for level in rates for _ in range(200)] + ["rare 1", "rare 2"] * 5
    bad = [n < rate * 200 for rate in rates.values() for n in range(200)] + [True] * 10
    outcomes = Outcomes(np.array(bad), np.ones(len(bad)), 1.0)
    limits = BinLimits(most=3, smallest=50)
    found = category_attribute("c", np.array(texts, dtype=object), outcomes, limits)
    assert found.words == ("a, c", "e", "b, d, rare 1, rare 2", "missing", "any other")
    assert (np.diff(found.evidence.weight[:3]) < 0).all()


@pytest.mark.parametrize("known", [0, 1])
def test_columns_without_values_are_one_bin(known: int) -> None:
    bad = np.arange(10) < 5
    outcomes, limits = Outcomes(bad, np.ones(10), 1.0), BinLimits(most=3, smallest=1)
    numbers = np.full(10, np.nan, dtype=np.float32)
    numbers[:known] = np.inf  # a ratio over 0
    found = number_attribute(Value("x"), numbers, outcomes, limits)
    assert found.words == ("any number", "missing")
    texts = np.array(["a"] * known + [""] * (10 - known), dtype=object)
    named = category_attribute("c", texts, outcomes, limits)
    assert named.words[1:] == ("missing", "any other")
    assert_array_equal(named.evidence.size, [known, 10 - known, 0])


def test_many_levels_are_named_briefly() -> None:
    texts = np.array([f"town {n:03}" for n in range(200) for _ in range(5)], dtype=object)
    bad = np.arange(1000) % 5 < np.arange(1000) // 5 % 3
    limits = BinLimits(most=2, smallest=4)
    found = category_attribute("town", texts, Outcomes(bad, np.ones(1000), 1.0), limits)
    assert found.words[0].startswith("town 000, town 003")
    assert found.words[0].endswith("more")
    assert found.information > 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_bins", 1),
        ("min_bin_share", 0.0),
        ("min_information", -1.0),
        ("smoothing", 0.0),
        ("points_to_double_odds", 0.0),
        ("base_odds", 0.0),
        ("base_score", 1e6),
        ("whole_points", 1),
    ],
)
def test_options_are_checked(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=f"'{name}' parameter of ScorecardOptions"):
        ScorecardOptions(**{name: value})
