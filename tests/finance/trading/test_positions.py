"""Position sizing: what is applied is what is written, and every limit is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from industry_apps.errors import ParameterError
from industry_apps.features import GraphBuilder
from industry_apps.finance.trading.positions import PositionRule

Floats = NDArray[np.float64]
Day = tuple[Floats, Floats, Floats]

PLAIN = PositionRule(volatility_target=None, turnover_limit=None, max_weight=1.0)
RULES = [
    PositionRule(),
    PLAIN,
    PositionRule(long_only=True),
    PositionRule(gross=3.0, volatility_target=0.05, turnover_limit=None, max_weight=0.4),
    PositionRule(long_only=True, volatility_target=None, turnover_limit=0.05, max_weight=1.0),
    PositionRule(pace=0.07),
]
WINDOW = 6

numbers = st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf, 3e38, 0.1]) | st.floats(
    -100, 100, width=32
)
moves = st.sampled_from([0.0, 0.01, np.nan, -0.3, np.inf]) | st.floats(-1, 1, width=32)
shares = st.sampled_from([0.0, np.nan, 0.05]) | st.floats(-1, 1, width=32)


def sessions() -> list[ort.InferenceSession]:
    found = []
    for rule in RULES:
        builder = GraphBuilder()
        scores, returns, held = (
            builder.input(name, np.float32, columns)
            for name, columns in (("scores", 1), ("returns", WINDOW), ("held", 1))
        )
        builder.output(rule.write(builder, scores, returns, held), "position", np.float32)
        found.append(
            ort.InferenceSession(
                builder.model().SerializeToString(), providers=["CPUExecutionProvider"]
            )
        )
    return found


SESSIONS = sessions()


@st.composite
def days(draw: st.DrawFn) -> Day:
    assets = draw(st.integers(1, 12))

    def table(elements: st.SearchStrategy[float], columns: int) -> NDArray[Any]:
        return draw(hnp.arrays(np.float32, (assets, columns), elements=elements))

    return table(numbers, 1), table(moves, WINDOW), table(shares, 1)


def usual_day(assets: int = 60, seed: int = 0) -> Day:
    random = np.random.default_rng(seed)
    volatility = random.uniform(0.005, 0.03, (assets, 1))
    return (
        random.normal(size=(assets, 1)),
        random.normal(0, volatility, (assets, 250)),
        random.normal(0, 0.01, (assets, 1)),
    )


@settings(max_examples=150, deadline=None)
@given(days(), st.integers(0, len(RULES) - 1))
def test_the_rule_is_written_as_applied(day: Day, which: int) -> None:
    scores, returns, held = day
    feeds = {"scores": scores, "returns": returns, "held": held}
    (found,) = SESSIONS[which].run(None, feeds)
    assert np.isfinite(found).all()
    assert_allclose(found, RULES[which].apply(*day), rtol=0, atol=1e-6)


@given(days(), st.integers(0, len(RULES) - 1))
def test_every_limit_is_kept(day: Day, which: int) -> None:
    rule, (scores, _, held) = RULES[which], day
    held = np.where(np.isnan(held), 0, held.astype(np.float64))
    position = rule.apply(*day)
    tradable = np.isfinite(scores)
    assert_array_equal(position[~tradable], held[~tradable])
    if rule.turnover_limit is not None:
        assert np.abs(position - held).sum() <= rule.turnover_limit + 1e-12
    else:
        assert np.abs(position[tradable]).sum() <= rule.gross + 1e-9
        assert np.abs(position[tradable]).max(initial=0) <= rule.max_weight + 1e-12
        assert not rule.long_only
    if rule.long_only and (held >= 0).all():
        assert (position >= 0).all()


def test_high_scores_are_bought_and_low_ones_sold_in_equal_value() -> None:
    scores, returns, held = usual_day()
    position = PLAIN.apply(scores, returns, held)
    assert position.sum() == pytest.approx(0, abs=1e-12)
    assert np.abs(position).sum() == pytest.approx(1)
    assert np.corrcoef(position[:, 0], scores[:, 0])[0, 1] > 0.6


def test_equal_scores_carry_equal_risk() -> None:
    returns = np.tile([0.01, -0.01], (4, 50)) * np.array([[1.0], [2.0], [1.0], [2.0]])
    rule = PositionRule(volatility_target=None, turnover_limit=None, max_weight=1.0, long_only=True)
    position = rule.apply([[1.0], [1.0], [0.0], [0.0]], returns, np.zeros((4, 1)))
    assert_allclose(position, [[2 / 3], [1 / 3], [0], [0]], atol=1e-6)


def test_one_outlier_does_not_take_the_book() -> None:
    scores, returns, held = usual_day()
    scores[0] = 1e6
    assert np.abs(PLAIN.apply(scores, returns, held))[0] < 0.6


def test_the_book_is_made_smaller_to_the_volatility_target() -> None:
    scores, returns, held = usual_day()
    book = {
        target: PositionRule(volatility_target=target, turnover_limit=None).apply(
            scores, returns, held
        )
        for target in (0.02, 0.01, 10.0, None)
    }
    for target in (0.01, 0.02):
        earned = (book[target] * np.expm1(returns)).sum(axis=0)
        assert earned.std() * 252**0.5 == pytest.approx(target, rel=1e-5)
    assert_array_equal(book[10.0], book[None])  # never made larger


def test_the_trade_goes_straight_towards_the_target() -> None:
    scores, returns, held = usual_day()
    target = PositionRule(turnover_limit=None).apply(scores, returns, held)
    position = PositionRule(turnover_limit=0.1).apply(scores, returns, held)
    held = held.astype(np.float32)
    assert np.abs(position - held).sum() == pytest.approx(0.1)
    share = (position - held) / (target - held)
    assert_allclose(share, share.mean(), rtol=1e-6)
    for _ in range(50):
        held = PositionRule(turnover_limit=0.1).apply(scores, returns, held)
    assert_allclose(held, target, atol=1e-6)


@given(days(), st.floats(0.01, 1.0))
def test_the_pace_is_the_share_of_the_way_that_is_gone(day: Day, pace: float) -> None:
    scores, returns, held = day
    at_once = PositionRule(turnover_limit=None).apply(*day)
    slowly = PositionRule(turnover_limit=None, pace=pace).apply(*day)
    held = np.nan_to_num(held.astype(np.float64))
    assert_allclose(slowly - held, pace * (at_once - held), atol=1e-12)
    limited = PositionRule(turnover_limit=0.1, pace=pace).apply(scores, returns, held)
    gone, wanted = np.abs(limited - held).sum(), np.abs(slowly - held).sum()
    assert gone == pytest.approx(min(wanted, 0.1), abs=1e-9)  # the limit is that of the trade


def test_half_of_the_way_is_gone_after_the_half_life() -> None:
    scores, returns, held = usual_day()
    rule = PositionRule(turnover_limit=None, pace=1 - 0.5**0.1)
    target = PositionRule(turnover_limit=None).apply(scores, returns, held)
    position = held
    for _ in range(10):
        position = rule.apply(scores, returns, position)
    assert_allclose(position, (target + held) / 2, atol=1e-6)


def test_a_halted_asset_is_kept_and_takes_no_part() -> None:
    scores, returns, held = usual_day()
    halted = scores.copy()
    halted[7] = np.nan
    position = PLAIN.apply(halted, returns, held)
    assert position[7] == np.float32(held[7])
    others = np.arange(len(scores)) != 7
    alone = PLAIN.apply(scores[others], returns[others], held[others])
    assert_allclose(position[others], alone, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "scores", [[0.1] * 7, [3e7] * 7, [2.0], [np.nan] * 3, [1.0, np.nan]], ids=str
)
def test_scores_without_an_order_want_nothing(rule: PositionRule, scores: list[float]) -> None:
    column = np.array(scores)[:, None]
    returns = np.random.default_rng(0).normal(0, 0.01, (len(scores), WINDOW))
    nothing = rule.apply(column, returns, np.full_like(column, np.nan))
    assert_array_equal(nothing, np.zeros_like(column))


def test_the_order_of_the_assets_does_not_matter() -> None:
    scores, returns, held = usual_day()
    order = np.random.default_rng(1).permutation(len(scores))
    position = PositionRule().apply(scores, returns, held)
    shuffled = PositionRule().apply(scores[order], returns[order], held[order])
    assert_allclose(shuffled, position[order], atol=1e-12)


def test_an_asset_without_a_past_counts_as_usual() -> None:
    returns = np.tile([0.01, -0.01], (3, 50))
    returns[2, 1:] = np.nan
    position = PLAIN.apply([[1.0], [0.0], [-1.0]], returns, np.zeros((3, 1)))
    assert_allclose(position, [[0.5], [0], [-0.5]], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gross", 0.0),
        ("volatility_target", 0.0),
        ("turnover_limit", -1.0),
        ("pace", 0.0),
        ("pace", 1.1),
        ("max_weight", 1.5),
        ("long_only", 1),
    ],
)
def test_a_parameter_outside_its_limits_is_named(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=name):
        PositionRule(**{name: value})
