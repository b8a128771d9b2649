"""Flows of a small office network, simulated: everyday services, and seven kinds of attack.

Our own, with round numbers that have no source: nothing is learned from it about a real network.
It has what a detector is made for: habits of hosts by hour, failed connections that are harmless,
attacks that are loud (floods, scans), attacks that look like every other flow (exfiltration,
beacons), and a kind that comes only at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from industry_apps.data.simulators.limits import check_at_least
from industry_apps.runtime.stream.flows import FlowState

__all__ = ["network_flows"]

_DAY = 86_400


class _Service(NamedTuple):
    """An everyday service: its port, how often, and medians of what a flow of it holds."""

    port: str
    protocol: str
    service: str
    share: float
    seconds: float
    sent: float
    received: float


_SERVICES = (
    _Service("443", "tcp", "ssl", 0.42, 8.0, 1_800, 14_000),
    _Service("53", "udp", "dns", 0.30, 0.02, 45, 140),
    _Service("80", "tcp", "http", 0.12, 1.5, 600, 9_000),
    _Service("445", "tcp", "smb", 0.06, 30.0, 9_000, 30_000),
    _Service("25", "tcp", "smtp", 0.04, 3.0, 20_000, 500),
    _Service("22", "tcp", "ssh", 0.03, 120.0, 6_000, 9_000),
    _Service("123", "udp", "ntp", 0.03, 0.03, 48, 48),
)
#: Attack -> its family, and flows of a wave.
_ATTACKS: Mapping[str, tuple[str, int]] = {
    "syn_flood": ("denial of service", 60),
    "port_scan": ("probe", 40),
    "host_sweep": ("probe", 30),
    "password_guessing": ("access", 25),
    "exfiltration": ("exfiltration", 4),
    "beacon": ("command and control", 12),
    "dns_tunnel": ("exfiltration", 25),
}
#: The kind that comes in the last part of the time alone, from this share of it on.
_LATE, _LATE_FROM = "dns_tunnel", 0.8


def network_flows(
    *,
    hosts: int = 120,
    days: int = 14,
    flows_per_host: int = 60,
    waves_per_day: int = 4,
    start: str = "2026-03-02",
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate flows of an office network, with what the last seconds tell of each.

    Each host asks everyday services of a few servers, mostly in office hours; 3 in 100 of its
    connections fail. An attack comes in waves: a SYN flood, a port scan, a sweep over hosts, the
    guessing of passwords, a large upload, a beacon at even distances, and, in the last fifth of
    the time alone, a tunnel through DNS.

    Parameters
    ----------
    hosts : int
        At least 10.
    days, flows_per_host, waves_per_day : int
        At least 1; flows are of each host and day, waves of each day.
    start : str
        First day (midnight).
    seed : int

    Returns
    -------
    DataFrame
        Columns of a flow, the columns of :class:`industry_apps.runtime.stream.flows.FlowState`,
        and ``is_attack``, ``attack`` and ``family``; in order of time.

    Examples
    --------
    >>> found = network_flows(hosts=10, days=2, flows_per_host=5)
    >>> sorted(found.loc[found["is_attack"], "protocol"].unique())
    ['tcp', 'udp']
    """
    check_at_least(
        {
            "hosts": (hosts, 10),
            "days": (days, 1),
            "flows_per_host": (flows_per_host, 1),
            "waves_per_day": (waves_per_day, 1),
        }
    )
    draw = np.random.default_rng(seed)
    tables = [_everyday(draw, hosts, days, flows_per_host)]
    for wave in range(days * waves_per_day):
        begin = (wave + draw.random()) / waves_per_day * _DAY
        late = begin >= _LATE_FROM * days * _DAY
        names = [name for name in _ATTACKS if late or name != _LATE]
        tables.append(_wave(draw, names[wave % len(names)], begin, hosts))
    frame = pd.concat(tables, ignore_index=True)
    frame["time"] = pd.Timestamp(start) + pd.to_timedelta(frame["time"].astype(int), unit="s")
    frame = frame.sort_values("time", kind="stable").reset_index(drop=True)
    return FlowState().enrich(frame)


def _everyday(
    draw: np.random.Generator, hosts: int, days: int, flows_per_host: int
) -> pd.DataFrame:
    count = hosts * days * flows_per_host
    kind = draw.choice(len(_SERVICES), count, p=[each.share for each in _SERVICES])
    picked = [_SERVICES[each] for each in kind]
    hour = np.clip(draw.normal(13.0, 3.5, count), 0.0, 23.99)
    day = draw.integers(0, days, count)
    failed = draw.random(count) < 0.03
    received = _around(draw, [each.received for each in picked])
    sent = _around(draw, [each.sent for each in picked])
    tcp = np.array([each.protocol == "tcp" for each in picked])
    return _table(
        draw,
        time=day * _DAY + hour * 3_600,
        source=_addresses(draw.integers(1, hosts + 1, count)),
        destination=[f"192.0.2.{each}" for each in kind * 5 + draw.integers(1, 5, count)],
        port=[each.port for each in picked],
        protocol=[each.protocol for each in picked],
        service=[each.service for each in picked],
        state=np.where(failed, np.where(tcp, "REJ", "S0"), "SF"),
        duration=np.where(failed, 0.0, _around(draw, [each.seconds for each in picked])),
        sent_bytes=np.where(failed, 0.0, sent),
        received_bytes=np.where(failed, 0.0, received),
    )


def _wave(draw: np.random.Generator, attack: str, begin: float, hosts: int) -> pd.DataFrame:
    """The flows of one wave of an attack."""
    family, count = _ATTACKS[attack]
    own: dict[str, Any] = {
        "source": _addresses(np.full(count, draw.integers(1, hosts + 1))),
        "destination": [f"192.0.2.{draw.integers(1, 30)}"] * count,
        "protocol": ["tcp"] * count,
        "service": [None] * count,
        "state": ["S0"] * count,
        "duration": np.zeros(count),
        "sent_bytes": np.zeros(count),
        "received_bytes": np.zeros(count),
    }
    step = np.arange(count)
    if attack == "syn_flood":
        own |= {"time": begin + step / 30, "port": ["443"] * count}
        own["source"] = [f"203.0.113.{each}" for each in draw.integers(1, 255, count)]
    elif attack == "port_scan":
        own |= {"time": begin + step / 8, "port": draw.integers(1, 10_000, count).astype(str)}
        own["state"] = draw.choice(np.array(["REJ", "S0"]), count)
    elif attack == "host_sweep":
        own |= {"time": begin + step / 3, "port": ["445"] * count}
        own["destination"] = [f"10.0.0.{each}" for each in 1 + step % 250]
    elif attack == "password_guessing":
        own |= {"time": begin + 2 * step, "port": ["22"] * count, "service": ["ssh"] * count}
        own |= {"state": ["SF"] * count, "duration": _around(draw, [1.8] * count)}
        own |= {"sent_bytes": _around(draw, [1_900] * count)}
        own |= {"received_bytes": _around(draw, [2_400] * count)}
    elif attack == "exfiltration":
        own |= {"time": begin + 600 * step, "port": ["443"] * count, "service": ["ssl"] * count}
        own |= {"state": ["SF"] * count, "duration": _around(draw, [900.0] * count)}
        own |= {"sent_bytes": _around(draw, [4e8] * count)}
        own |= {"received_bytes": _around(draw, [60_000] * count)}
    elif attack == "beacon":
        own |= {"time": begin + 60 * step, "port": ["8443"] * count, "service": ["ssl"] * count}
        own |= {"state": ["SF"] * count, "duration": _around(draw, [0.4] * count)}
        own |= {"sent_bytes": np.full(count, 312.0), "received_bytes": np.full(count, 148.0)}
    else:  # a tunnel through DNS
        own |= {"time": begin + step, "port": ["53"] * count, "service": ["dns"] * count}
        own |= {"protocol": ["udp"] * count, "state": ["SF"] * count}
        own |= {"duration": _around(draw, [0.05] * count)}
        own |= {"sent_bytes": _around(draw, [230] * count)}
        own |= {"received_bytes": _around(draw, [420] * count)}
    return _table(draw, **own, attack=attack, family=family)


def _table(
    draw: np.random.Generator, *, attack: str = "normal", family: str | None = None, **own: Any
) -> pd.DataFrame:
    frame = pd.DataFrame(own)
    frame["source_port"] = draw.integers(32_768, 61_000, len(frame)).astype(str)
    for side in ("sent", "received"):
        frame[f"{side}_bytes"] = frame[f"{side}_bytes"].round()
        frame[f"{side}_packets"] = np.ceil(frame[f"{side}_bytes"] / 900)
    frame["sent_packets"] += 1
    frame["duration"] = frame["duration"].round(3)
    named = pd.Series([family] * len(frame), dtype=object)
    return frame.assign(is_attack=attack != "normal", attack=attack, family=named)


def _around(draw: np.random.Generator, middle: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Log-normal numbers around medians."""
    return np.asarray(middle) * np.exp(draw.normal(0.0, 0.7, len(middle)))


def _addresses(hosts: np.ndarray[Any, np.dtype[np.int64]]) -> list[str]:
    return [f"10.0.0.{each}" for each in hosts]
