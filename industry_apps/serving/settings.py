"""What a server may be asked for, and how it is set up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from industry_apps.errors import ParameterError
from industry_apps.limits import OPEN_SHARE, POSITIVE, SHARE, check_parameters, integer

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@contextmanager
def hangups_wait() -> Iterator[None]:
    """Hold SIGHUP back, which would end a process that cannot reload yet."""
    if not hasattr(signal, "SIGHUP"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one request, and all of them together, may ask for.

    Parameters
    ----------
    body : int
        Bytes of a request; beyond, 413.
    depth : int
        Lists and objects within each other; beyond, 413.
    rows : int
        Records of one request; beyond, 413.
    in_flight : int
        Requests for predictions that are answered at the same time; beyond, 429. A rollback, or
        a look at the metrics, goes through whatever the load.
    rate : float, optional
        Such requests a second of one key (without keys, of one address), over ten seconds ten
        times as many at most; beyond, 429. None for any.
    seconds : float
        That a request may wait for its run, 503 beyond; and that a client may take to send it,
        408 beyond.
    """

    body: Annotated[int, integer(1)] = 16_000_000
    depth: Annotated[int, integer(1, 500)] = 32
    rows: Annotated[int, integer(1)] = 10_000
    in_flight: Annotated[int, integer(1)] = 256
    rate: Annotated[float | None, POSITIVE.or_none()] = None
    seconds: Annotated[float, POSITIVE] = 10.0

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a server is set up.

    Parameters
    ----------
    keys : Path, optional
        File of the keys that clients must show; None asks for none.
    limits : Limits
    state : Path, optional
        Folder for what streams of events tell; None takes no events.
    public_key : Path, optional
        Of whoever must have signed a version of a store.
    replay : int
        The latest requests of a model that a new version has to answer before it is taken; they
        stay in memory, and are written nowhere.
    error_share : float
        Share of requests that a new version may fail on, of those that the one before would have
        answered; beyond, it is rolled back.
    probation : int
        Requests after a swap that are watched for it.
    log_requests : bool
        One line of the log for each request, not only for what goes wrong.
    payloads : Path, optional
        File for a sample of requests and their answers. They are personal where records are.
    payload_share : float
        Share of the requests that go there.
    """

    keys: Path | None = None
    limits: Limits = field(default_factory=Limits)
    state: Path | None = None
    public_key: Path | None = None
    replay: Annotated[int, integer(0, 10_000)] = 64
    error_share: Annotated[float, OPEN_SHARE] = 0.05
    probation: Annotated[int, integer(1)] = 1_000
    log_requests: bool = False
    payloads: Path | None = None
    payload_share: Annotated[float, SHARE] = 0.01

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True, kw_only=True)
class Binding:
    """Where a server listens, and how it ends.

    Parameters
    ----------
    host : str
    port : int
        0 for any that is free.
    grpc : int, optional
        Port for gRPC, 0 for any that is free; None for none.
    certificate, key : Path, optional
        PEM files for TLS, both or none.
    idle : int
        Seconds that a connection without a request stays open.
    drain : float
        Seconds that running requests have when the server ends.
    shares_ports : bool
        Whether other processes listen on the port of gRPC too.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, integer(0, 65_535)] = 8000
    grpc: Annotated[int | None, integer(0, 65_535).or_none()] = None
    certificate: Path | None = None
    key: Path | None = None
    idle: Annotated[int, integer(1)] = 30
    drain: Annotated[float, POSITIVE] = 30
    shares_ports: bool = False

    def __post_init__(self) -> None:
        check_parameters(self)
        if (self.certificate is None) != (self.key is None):
            raise ParameterError("TLS needs a certificate and its key. Give both, or none.")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in _LOOPBACK
