"""State over time: batch form = streaming form = brute force; bounded; snapshot without loss."""

from __future__ import annotations

import json
import statistics
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.data.simulators import card_transactions
from industry_apps.errors import ModelFileError, ParameterError, SchemaError
from industry_apps.runtime.stream.state import TransactionState

START = datetime(2024, 1, 1)


def simulated(
    rows: int, *, customers: int = 300, terminals: int = 200, days: int = 60, seed: int = 0
):
    """Transactions of some hot and many rare keys, with gaps, ties and missing values."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.integers(0, days * 86_400, rows))
    seconds[: rows // 10 * 10 : 10] = seconds[1 : rows // 10 * 10 : 10]  # ties

    def names(letter: str, count: int) -> np.ndarray:
        drawn = (count * rng.random(rows) ** 3).astype(int)
        keys = np.array([f"{letter}{i}" for i in range(count)] + [None], dtype=object)
        return keys[np.where(rng.random(rows) < 0.01, count, drawn)]

    amount = rng.gamma(2, 30, rows).round(2)
    amount[rng.random(rows) < 0.01] = np.nan
    return pd.DataFrame(
        {
            "customer": names("C", customers),
            "terminal": names("T", terminals),
            "time": np.datetime64(START, "s") + seconds.astype("timedelta64[s]"),
            "amount": amount,
            "is_fraud": rng.random(rows) < 0.05,
        }
    )


def streamed(state: TransactionState, frame: pd.DataFrame) -> pd.DataFrame:
    rows = [state.update(row) for row in frame.to_dict("records")]
    return pd.DataFrame(rows, columns=[*frame.columns, *state.columns])


def assert_same(state: TransactionState, one: pd.DataFrame, two: pd.DataFrame) -> None:
    for column in state.columns:
        left, right = (part[column].to_numpy(np.float64) for part in (one, two))
        np.testing.assert_array_equal(left, right, err_msg=column)


def oracle(
    frame: pd.DataFrame, *, windows: tuple[int, ...], delay: int, heard: list[int] | None = None
) -> pd.DataFrame:
    """Each column by its definition, in quadratic time; `heard`: rows at which labels arrive."""
    rows = frame.to_dict("records")
    lag = timedelta(days=delay)
    results = []
    for i, row in enumerate(rows):
        out = {}
        for w in windows:
            span = timedelta(days=w)
            mine = [
                r["amount"]
                for r in rows[: i + 1]
                if r["customer"] == row["customer"] and r["time"] > row["time"] - span
            ] * bool(row["customer"])
            known = [a for a in mine if not np.isnan(a)]
            limited = [min(max(a, -1e6), 1e6) for a in known]
            there = sorted(  # of the same second, frauds last
                (r["time"], r["is_fraud"] and (heard is None or heard[j] <= i))
                for j, r in enumerate(rows)
                if r["terminal"] == row["terminal"]
                and row["time"] - lag - span < r["time"] <= row["time"] - lag
            ) * bool(row["terminal"])
            labels = [label for _, label in there]
            out[f"customer_count_{w}d"] = len(mine)
            out[f"customer_mean_amount_{w}d"] = sum(known) / len(known) if known else np.nan
            out[f"customer_std_amount_{w}d"] = statistics.pstdev(limited) if known else np.nan
            out[f"terminal_count_{w}d"] = len(labels)
            share = sum(labels) / len(labels) if labels else 0.0
            out[f"terminal_risk_{w}d"] = share if row["terminal"] else np.nan
        gap = [*labels[::-1], False].index(False)
        results.append(out | {"terminal_run": gap if row["terminal"] else np.nan})
    return pd.DataFrame(results)


def assert_true(state: TransactionState, result: pd.DataFrame, truth: pd.DataFrame) -> None:
    columns = list(state.columns)
    np.testing.assert_allclose(result[columns].to_numpy(), truth[columns].to_numpy(), rtol=1e-6)


# Steps of whole days meet the ends of the windows exactly.
transactions = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 3_600, 86_399, 86_400, 86_401, 2 * 86_400]),
        st.sampled_from(["a", "b", ""]),
        st.sampled_from(["x", "y", ""]),
        st.sampled_from([0.1, 12.34, -5.0, 99_999.99, 3e6, float("nan")]),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


def table(drawn: list[tuple[int, str, str, float, bool]]) -> pd.DataFrame:
    frame = pd.DataFrame(drawn, columns=["time", "customer", "terminal", "amount", "is_fraud"])
    return frame.assign(time=START + pd.to_timedelta(frame.time.cumsum(), unit="s"))


@settings(max_examples=50, deadline=None)
@given(transactions, st.integers(0, 25))
def test_batch_stream_and_definition_agree(drawn, cut):
    frame, state = table(drawn), TransactionState(windows=(1, 2), delay=1)
    batch = state.enrich(frame)
    assert_true(state, batch, oracle(frame, windows=(1, 2), delay=1))
    assert_same(state, batch, streamed(TransactionState(windows=(1, 2), delay=1), frame))
    mixed = TransactionState(windows=(1, 2), delay=1)  # a table first, then one at a time
    assert_same(state, batch.iloc[:cut], mixed.enrich(frame.iloc[:cut]))
    assert_same(state, batch.iloc[cut:], streamed(mixed, frame.iloc[cut:]))


@settings(max_examples=50, deadline=None)
@given(transactions, st.lists(st.integers(0, 6), min_size=25, max_size=25), st.integers(0, 24))
def test_labels_count_from_when_they_arrive_even_late(tmp_path_factory, drawn, waits, cut):
    frame, state = table(drawn), TransactionState(windows=(1, 2), delay=1)
    heard = [row + 1 + wait for row, wait in enumerate(waits)]  # often after the delay is over
    rows = frame.drop(columns="is_fraud").to_dict("records")
    results = []
    for number, row in enumerate(rows):
        for earlier in range(number):
            if heard[earlier] == number and frame["is_fraud"][earlier]:
                state.confirm(rows[earlier])
        if number == cut:
            path = tmp_path_factory.mktemp("state") / "state.npz"
            state.snapshot(path)
            state = TransactionState.restore(path)
        results.append(state.update(row))
    truth = oracle(frame, windows=(1, 2), delay=1, heard=heard)
    assert_true(state, pd.DataFrame(results), truth)


def test_batch_equals_stream_on_50_000_transactions(tmp_path: Path):
    frame = card_transactions(customers=500, terminals=1_000, days=60, radius=15.0)[:50_000]
    assert len(frame) == 50_000
    for number, column in enumerate(("customer", "terminal", "amount")):
        frame.loc[frame.index % 101 == number, column] = None
    state = TransactionState()
    batch = state.enrich(frame)
    stream = TransactionState()
    parts = [streamed(stream, frame.iloc[:20_000]), stream.enrich(frame.iloc[20_000:35_000])]
    stream.snapshot(tmp_path / "state.npz")
    stream = TransactionState.restore(tmp_path / "state.npz")
    parts.append(streamed(stream, frame.iloc[35_000:]))
    assert_same(state, batch, pd.concat(parts))
    assert batch["terminal_risk_30d"].max() == 1
    assert batch["terminal_run"].max() > 5
    assert batch["customer_std_amount_30d"].max() > 100


def test_run_goes_from_the_latest_label_back_to_a_genuine_one_or_the_end_of_the_window():
    record = {"customer": "C", "terminal": "T", "amount": 1.0}
    state, runs = TransactionState(windows=(1, 3), delay=1), []
    for hour, fraud in {0: 1, 12: 0, 24: 1, 36: 1, 59: 0, 60: 0}.items():
        moment = START + timedelta(hours=hour)
        runs.append(state.update({**record, "time": moment, "is_fraud": fraud})["terminal_run"])
    for hour in (59, 60):
        state.confirm({**record, "time": START + timedelta(hours=hour)})
    for hour in (107, 121, 131):  # all four; without the one at 24; after the one at 107
        runs.append(state.update({**record, "time": START + timedelta(hours=hour)})["terminal_run"])
    assert runs == [0, 0, 1, 0, 1, 2, 4, 3, 0]


def test_labels_that_arrive_within_the_delay_equal_labels_in_the_table():
    frame, state = simulated(3_000, days=40), TransactionState()
    batch = state.enrich(frame)
    live, waiting, rows = TransactionState(), [], []
    for number, row in enumerate(frame.to_dict("records")):
        while waiting and waiting[0][0] <= row["time"]:
            live.confirm(waiting.pop(0)[1])
        known = {name: value for name, value in row.items() if name != "is_fraud"}
        rows.append(live.update(known))
        if row["is_fraud"]:  # found out between at once and 7 days later
            waiting.append((row["time"] + timedelta(days=7) * (number % 8) / 7, known))
            waiting.sort(key=lambda each: each[0])
    assert_same(state, batch, pd.DataFrame(rows))


def test_label_has_no_effect_before_its_delay():
    record = {"customer": "C", "terminal": "T", "amount": 1.0}
    state = TransactionState(windows=(30,))
    state.update({**record, "time": START, "is_fraud": True})
    early = state.update({**record, "time": START + timedelta(days=7, seconds=-1)})
    late = state.update({**record, "time": START + timedelta(days=7)})
    assert (early["terminal_risk_30d"], late["terminal_risk_30d"]) == (0.0, 1.0)


def test_confirm_counts_each_transaction_once():
    record = {"customer": "C", "terminal": "T", "amount": 1.0, "time": START}
    state = TransactionState(windows=(1,), delay=1)
    state.update(record)
    assert state.confirm(record)
    assert not state.confirm(record)
    assert not state.confirm({**record, "time": START + timedelta(seconds=1)})
    assert not state.confirm({**record, "terminal": None})
    later = state.update({**record, "time": START + timedelta(days=1)})
    assert later["terminal_risk_1d"] == 1.0


def test_rows_of_a_table_may_come_in_any_order():
    frame = simulated(2_000).drop_duplicates("time")
    shuffled = frame.sample(frac=1, random_state=0)
    state = TransactionState()
    result = TransactionState().enrich(shuffled)
    pd.testing.assert_index_equal(result.index, shuffled.index)
    assert_same(state, state.enrich(frame), result.sort_values("time"))


def test_memory_is_bounded_over_a_stream_ten_times_as_long():
    def held(days: int) -> tuple[int, int]:
        state = TransactionState(windows=(1, 2), delay=1)
        largest = 0
        for number in range(days * 24):
            moment = START + timedelta(hours=number)
            state.update(
                {
                    "customer": f"C{number % 7 if number % 2 else number}",  # half of them once
                    "terminal": f"T{number % 5 if number % 2 else number}",
                    "time": moment,
                    "amount": 1e10,
                }
            )
            largest = max(largest, state.size)
        return largest, state.size

    (short, _), (long, _) = held(12), held(120)
    assert long <= short + 5
    assert long <= 2 * (48 + 72)


def test_idle_keys_are_forgotten_and_a_table_leaves_no_more_than_needed():
    frame, state = simulated(2_000, days=60), TransactionState()
    state.enrich(frame)
    last = frame["time"].max()
    recent = (frame["time"] > last - timedelta(days=30)) & frame["customer"].notna()
    place = (frame["time"] > last - timedelta(days=37)) & frame["terminal"].notna()
    assert state.size == recent.sum() + place.sum()
    state.update(
        {"customer": None, "terminal": "T", "time": last + timedelta(days=99), "amount": 1}
    )
    assert state.size == 1


@pytest.mark.parametrize("form", ["update", "enrich"])
def test_input_is_not_changed(form):
    frame = simulated(50)
    before = frame.copy(deep=True)
    if form == "enrich":
        TransactionState().enrich(frame)
    else:
        row = frame.to_dict("records")[0]
        copy = dict(row)
        TransactionState().update(row)
        assert row == copy
    pd.testing.assert_frame_equal(frame, before)


def test_missing_entity_and_place_give_no_history():
    state = TransactionState(windows=(1,))
    record = {"customer": "", "terminal": None, "time": START, "amount": 2.0}
    for _ in range(2):
        result = state.update(record)
        assert (result["customer_count_1d"], result["terminal_count_1d"]) == (0, 0)
        others = ("customer_mean_amount_1d", "customer_std_amount_1d", "terminal_risk_1d")
        assert np.isnan([result[name] for name in (*others, "terminal_run")]).all()
    assert state.size == 0


def test_numbers_and_strings_name_the_same_entity():
    frame = simulated(200).assign(customer=lambda f: np.arange(len(f)) % 7, terminal=3)
    state, texts = TransactionState(), frame.astype({"customer": str, "terminal": str})
    assert_same(state, state.enrich(frame), streamed(TransactionState(), texts))


def test_transaction_out_of_order_names_both_times_and_changes_nothing():
    state = TransactionState()
    record = {"customer": "C", "terminal": "T", "time": START, "amount": 2.0}
    state.update(record)
    late = {**record, "time": START - timedelta(seconds=1)}
    for attempt in (lambda: state.update(late), lambda: state.enrich(pd.DataFrame([late]))):
        with pytest.raises(SchemaError, match=r"'time'.*2023-12-31T23:59:59.*2024-01-01T00:00:00"):
            attempt()
    assert state.update(record)["customer_count_1d"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": None}, "'time', row 0: got None, expected a value"),
        ({"time": "yesterday"}, "'time', row 0: got 'yesterday'"),
        ({"amount": float("inf")}, "'amount', row 0: got inf"),
        ({"amount": 2e11}, "'amount', row 0"),
        ({"amount": "12"}, "'amount', row 0: got '12'"),
        ({"is_fraud": "yes"}, "'is_fraud', row 0: got 'yes'"),
        ({"customer": b"C"}, "'customer', row 0"),
    ],
)
def test_unusable_value_is_named_and_changes_nothing(change, message):
    record = {"customer": "C", "terminal": "T", "time": START, "amount": 2.0, "is_fraud": False}
    state = TransactionState()
    for attempt in (
        lambda: state.update({**record, **change}),
        lambda: state.enrich(pd.DataFrame([{**record, **change}]).astype(object)),
    ):
        with pytest.raises(SchemaError, match=message):
            attempt()
        assert state.size == 0


def test_missing_column_and_parameters_are_named():
    with pytest.raises(SchemaError, match=r"'terminal' is missing.*entity='account'"):
        TransactionState().update({"customer": "C", "time": START, "amount": 1.0})
    with pytest.raises(SchemaError, match="'amount' is missing"):
        TransactionState().enrich(simulated(5).drop(columns="amount"))
    with pytest.raises(ParameterError, match=r"windows.*Got \(7, 1\)"):
        TransactionState(windows=(7, 1))
    with pytest.raises(ParameterError, match=r"whole numbers.*Got \(1\.5, 2\)"):
        TransactionState(windows=(1.5, 2))
    with pytest.raises(ParameterError, match=r"delay.*at least 1 day. Got 0"):
        TransactionState(delay=0)


def test_names_of_columns_follow_the_names_given():
    state = TransactionState(entity="card", place="shop", amount="eur", windows=(2,))
    assert state.columns == (
        *("card_count_2d", "card_mean_eur_2d", "card_std_eur_2d"),
        *("shop_count_2d", "shop_risk_2d", "shop_run"),
    )
    frame = simulated(30).rename(columns={"customer": "card", "terminal": "shop", "amount": "eur"})
    assert set(state.columns) < set(state.enrich(frame))


def test_settings_make_an_equal_empty_state():
    state = TransactionState(entity="card", windows=np.array([2, 5]), delay=3)
    state.update({"card": "C", "terminal": "T", "time": START, "amount": 1.0})
    again = TransactionState(**json.loads(json.dumps(state.settings)))
    assert again.settings == state.settings
    assert (again.columns, again.delay, again.size) == (state.columns, 3, 0)
    with pytest.raises(AttributeError):
        state.settings = {}


def test_empty_table():
    state = TransactionState()
    result = state.enrich(simulated(10).iloc[:0])
    assert len(result) == 0
    assert set(state.columns) < set(result.columns)


def test_snapshot_keeps_settings_and_leaves_no_other_file(tmp_path: Path):
    state = TransactionState(windows=(3,), delay=2)
    frame = simulated(500)
    state.enrich(frame)
    path = tmp_path / "state.npz"
    state.snapshot(path)
    state.snapshot(path)
    again = TransactionState.restore(path)
    assert [each.name for each in tmp_path.iterdir()] == ["state.npz"]
    assert (again.columns, again.delay, again.size) == (state.columns, 2, state.size)
    with pytest.raises(SchemaError, match="lies before"):
        again.enrich(frame)


def test_snapshot_of_another_format_is_refused(tmp_path: Path):
    path = tmp_path / "state.npz"
    TransactionState().snapshot(path)
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(arrays["header"].tobytes()) | {"format": 1}
    np.savez(path, **arrays | {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)})
    with pytest.raises(ModelFileError, match="its format is 1, expected 2"):
        TransactionState.restore(path)


@pytest.mark.parametrize("content", [b"", b"not a snapshot", None])
def test_damaged_or_missing_snapshot_is_refused(tmp_path: Path, content):
    path = tmp_path / "state.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"state\.npz"):
        TransactionState.restore(path)
