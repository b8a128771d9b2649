"""Windows of seconds over flows: a stream is a table, and memory is that of the longest window."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import network_flows
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime.stream.flows import FlowState
from industry_apps.runtime.stream.threshold import FollowedThreshold


@pytest.fixture(scope="module")
def flows() -> pd.DataFrame:
    found = network_flows(hosts=10, days=2, flows_per_host=20)
    return found.drop(columns=list(FlowState().columns))


def test_a_stream_is_a_table(flows: pd.DataFrame) -> None:
    table = FlowState().enrich(flows)
    half = len(flows) // 2
    state = FlowState()
    begun = state.enrich(flows.iloc[:half])
    state = pickle.loads(pickle.dumps(state))
    rest = pd.DataFrame([state.update(flow) for flow in flows.iloc[half:].to_dict("records")])
    for name in state.columns:
        told = np.concatenate([begun[name], rest[name]])
        assert np.array_equal(told, table[name], equal_nan=True), name


def test_counts_are_those_of_the_window(flows: pd.DataFrame) -> None:
    table = FlowState(windows=(60,)).enrich(flows)
    seconds = flows["time"].to_numpy().astype("datetime64[s]").astype(np.int64)
    for row in range(0, len(flows), 37):
        inside = (seconds[: row + 1] > seconds[row] - 60) & (
            flows["source"].to_numpy()[: row + 1] == flows["source"].iloc[row]
        )
        assert table["source_count_60s"].iloc[row] == inside.sum()


def test_memory_is_that_of_the_longest_window() -> None:
    state, sizes = FlowState(windows=(2, 60)), []
    for second in range(3_000):
        state.update(
            {
                "time": np.datetime64("2026-03-02") + np.timedelta64(second, "s"),
                "source": f"10.0.0.{second % 7}",
                "destination": f"198.51.100.{second % 251}",
                "port": str(second),
                "service": None,
                "state": "S0",
            }
        )
        sizes.append(state.size)
    assert max(sizes[1_000:]) <= max(sizes[:1_000]) <= 2 * 60 * 5


def test_what_is_missing_leaves_no_trace(flows: pd.DataFrame) -> None:
    state = FlowState(windows=(60,))
    told = state.update({**flows.iloc[0].to_dict(), "service": None})
    assert told["source_service_count_60s"] == 0
    assert np.isnan(told["source_service_failed_60s"])
    assert told["source_count_60s"] == 1


def test_late_flows_are_refused_and_leave_the_state(flows: pd.DataFrame) -> None:
    state = FlowState()
    state.enrich(flows.iloc[5:])
    size = state.size
    with pytest.raises(SchemaError, match="before the latest flow"):
        state.update(flows.iloc[0].to_dict())
    with pytest.raises(SchemaError, match="source"):
        state.update({"time": flows["time"].iloc[-1]})
    assert state.size == size


@pytest.mark.parametrize("windows", [(), (0,), (60, 2), (1.5,)])
def test_windows_are_rising_seconds(windows: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="windows"):
        FlowState(windows=windows)


def test_seconds_with_a_fraction_are_refused_and_the_remedies_work(flows: pd.DataFrame) -> None:
    flow = {**flows.iloc[0].to_dict(), "time": 1772445600.5}
    with pytest.raises(SchemaError, match=r"whole seconds since 1970.*pandas\.to_datetime"):
        FlowState().update(flow)
    with pytest.raises(SchemaError, match="whole seconds since 1970"):
        FlowState().enrich(pd.DataFrame([flow]))
    whole = [int(flow["time"]), pd.to_datetime(flow["time"], unit="s")]
    told = [FlowState().update({**flow, "time": time}) for time in whole]
    assert [told[0][name] for name in FlowState().columns] == pytest.approx(
        [told[1][name] for name in FlowState().columns], nan_ok=True
    )


def test_moves_of_a_threshold_do_not_pile_up() -> None:
    followed = FollowedThreshold(rate=0.3, bound=0.05, memory=1.5)
    for score in np.random.default_rng(0).normal(size=20_000):
        followed.update(score)
    assert len(followed.moves) == 1_000
    assert followed.moves[-1].scores > 19_900


def test_a_threshold_follows_within_its_bound_and_says_so() -> None:
    draw = np.random.default_rng(0)
    fixed, followed = FollowedThreshold(rate=0.01), FollowedThreshold(rate=0.01, bound=0.3)
    for score in draw.normal(3.0, 1.0, 20_000):
        fixed.update(score)
        followed.update(score)
    assert fixed.value == 0
    assert not fixed.moves
    assert followed.value == 0.3
    assert followed.moves[-1].at_bound
    with pytest.raises(SchemaError, match="finite"):
        followed.update(float("nan"))
    with pytest.raises(ParameterError, match="bound"):
        FollowedThreshold(rate=0.01, bound=-1)
