"""Runs the application: sockets, TLS, signals, an end that lets running requests finish."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from types import FrameType
from typing import Any

import uvicorn

from industry_apps.errors import ParameterError
from industry_apps.serving.app import app_of, direct_paths
from industry_apps.serving.connections import protocol
from industry_apps.serving.served import Served
from industry_apps.serving.settings import Binding

#: Connections that wait to be accepted.
_BACKLOG = 1024
#: Objects that are made before the collector looks for circles among them.
_ALLOCATIONS = 10_000


class Server(uvicorn.Server):
    """A server of one worker, which tells when it is about to end.

    Parameters
    ----------
    served : Served
    binding : Binding

    Raises
    ------
    ParameterError
        The files for TLS are no certificate and its key.
    """

    def __init__(self, served: Served, binding: Binding) -> None:
        _check_pair(binding)
        app = app_of(served)
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol(served.settings.limits.seconds, direct_paths(app)),
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=binding.idle,
                timeout_graceful_shutdown=ceil(binding.drain),
                ssl_certfile=binding.certificate,
                ssl_keyfile=binding.key,
            )
        )
        self.served, self._binding = served, binding
        self._grpc: Any = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As of uvicorn."""
        if self._binding.grpc is not None:
            from industry_apps.serving.protocol.grpc_server import start_grpc

            self._grpc, port = await start_grpc(self.served, self._binding)
            self.served.journal.event("listening", protocol="grpc", port=port)
        await super().startup(sockets)
        for each in sockets or []:
            self.served.journal.event("listening", protocol="http", port=each.getsockname()[1])
        if hasattr(signal, "SIGHUP"):
            try:
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGHUP, self.served.reload_all)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])
            except (RuntimeError, ValueError):
                return  # not in the main thread: whoever runs it there reloads in its own way

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As of uvicorn; what runs is answered first."""
        self.served.gate.draining = True
        http = super().shutdown(sockets)
        if self._grpc is None:
            await http
        else:  # both in the same time
            await asyncio.gather(self._grpc.stop(self._binding.drain), http)
        self.served.journal.event("ended")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As of uvicorn."""
        if not self.served.gate.draining:
            self.served.gate.draining = True
            self.served.journal.event("draining", signal=signal.Signals(sig).name)
        super().handle_exit(sig, frame)
        self._captured_signals.clear()  # an end that was asked for is no failure


def _check_pair(binding: Binding) -> None:
    """Refuse files for TLS that are no certificate and its key, before anything listens."""
    if binding.certificate is None or binding.key is None:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(binding.certificate, binding.key, password="")
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"{binding.certificate} and {binding.key} are no certificate and its key, without a "
            f"password, in PEM ({error}). Check both files."
        ) from error


def listener(binding: Binding) -> socket.socket:
    """A socket that listens.

    Parameters
    ----------
    binding : Binding

    Raises
    ------
    ParameterError
        The port is taken, or there is no such address.
    """
    family = socket.AF_INET6 if ":" in binding.host else socket.AF_INET
    # asyncio sends small answers at once on sockets that say that they are of TCP.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((binding.host, binding.port))
    except OSError as error:
        found.close()
        raise ParameterError(
            f"Cannot listen on {binding.host} port {binding.port} ({error}). Choose another "
            f"{'host' if isinstance(error, socket.gaierror) else 'port'}."
        ) from error
    found.listen(_BACKLOG)
    found.set_inheritable(True)
    return found


def run(server: Server, listening: socket.socket) -> None:
    """Serve until a signal ends it.

    Parameters
    ----------
    server : Server
    listening : socket
        Made by :func:`listener`.
    """
    logging.captureWarnings(True)
    # What is loaded stays: the collector need not look at it again and again between requests.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
    with _warnings_to(server.served):
        server.run(sockets=[listening])


@contextmanager
def _warnings_to(served: Served) -> Iterator[None]:
    """Write what libraries warn of, such as a table unlike training, to the log."""

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told = record.getMessage().partition("\n")[0]
            served.journal.event("note", logger=record.name, level=record.levelname, told=told)

    handler, loggers = Lines(logging.WARNING), ("py.warnings", "uvicorn.error", "asyncio")
    for name in loggers:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).propagate = False
    try:
        yield
    finally:
        for name in loggers:
            logging.getLogger(name).removeHandler(handler)
            logging.getLogger(name).propagate = True
