"""The commands ``industry-apps serve`` and ``industry-apps key``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from industry_apps.errors import ParameterError, require
from industry_apps.serving.settings import Binding, Limits, Settings, hangups_wait

_LIMITS, _SETTINGS = Limits(), Settings()
_OPEN = "Let clients without a key in, from other machines too."
_GRPC = "Speak gRPC too, on the port given by --grpc-port."
_REPLAY = "Latest requests that a new version has to answer before it is taken."
_FAILS = "Share of failed requests beyond which a new version is rolled back."
_PAYLOADS = "File for a sample of requests and answers: personal data."
_Models = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME=PLACE...",
        help="A name and its model file, name of the zoo, or folder of versions.",
    ),
]
_Tls = Annotated[
    tuple[Path, Path] | None, typer.Option(metavar="CERT KEY", help="PEM files for TLS.")
]
_Log = Annotated[bool, typer.Option("--log-requests", help="A line of the log for each request.")]


@hangups_wait()  # one that comes before the server can reload waits until then
def serve(  # noqa: PLR0913, PLR0917 - each is an option
    models: _Models,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port for HTTP; 0 for any that is free.")] = 8000,
    grpc: Annotated[bool, typer.Option("--grpc", help=_GRPC)] = False,
    grpc_port: Annotated[int, typer.Option(help="Port for gRPC; 0 for any that is free.")] = 8001,
    tls: _Tls = None,
    keys: Annotated[Path | None, typer.Option(help="File of keys that clients show.")] = None,
    anybody: Annotated[bool, typer.Option("--open", help=_OPEN)] = False,
    workers: Annotated[int, typer.Option(help="Processes that answer.")] = 1,
    state: Annotated[Path | None, typer.Option(help="Folder for what streams tell.")] = None,
    public_key: Annotated[Path | None, typer.Option(help="Of who must have signed.")] = None,
    body: Annotated[int, typer.Option(help="Bytes of a request, at most.")] = _LIMITS.body,
    rows: Annotated[int, typer.Option(help="Records of a request, at most.")] = _LIMITS.rows,
    in_flight: Annotated[int, typer.Option(help="Requests at a time.")] = _LIMITS.in_flight,
    rate: Annotated[float | None, typer.Option(help="Requests a second of one key.")] = None,
    seconds: Annotated[float, typer.Option(help="That a request may wait.")] = _LIMITS.seconds,
    replay: Annotated[int, typer.Option(help=_REPLAY)] = _SETTINGS.replay,
    error_share: Annotated[float, typer.Option(help=_FAILS)] = _SETTINGS.error_share,
    log_requests: _Log = False,
    payloads: Annotated[Path | None, typer.Option(help=_PAYLOADS)] = None,
    payload_share: Annotated[float, typer.Option(help="Of them.")] = _SETTINGS.payload_share,
) -> None:
    """Serve model files over HTTP and gRPC, for people and for Open Inference clients.

    Example: `industry-apps serve fraud=fraud.onnx credit=versions/credit --keys keys.json`
    """
    for package in ("starlette", "uvicorn", "httptools"):
        require(package, extra="serve", needed_by="The command serve")
    if grpc:
        require("grpc", extra="grpc", needed_by="The option --grpc")
    from industry_apps.serving.swapping.workers import serve_with

    binding = Binding(
        host=host,
        port=port,
        grpc=grpc_port if grpc else None,
        certificate=tls[0] if tls else None,
        key=tls[1] if tls else None,
    )
    if keys is None and not anybody and not binding.is_loopback:
        raise ParameterError(
            f"Anybody who reaches {host} could ask, and change what is served. Give --keys, or "
            "--open where that is meant."
        )
    settings = Settings(
        keys=keys,
        limits=Limits(body=body, rows=rows, in_flight=in_flight, rate=rate, seconds=seconds),
        state=state,
        public_key=public_key,
        replay=replay,
        error_share=error_share,
        log_requests=log_requests,
        payloads=payloads,
        payload_share=payload_share,
    )
    serve_with(places_of(models), settings, binding, workers)


def key(
    file: Annotated[Path, typer.Argument(help="File of keys; made where it is missing.")],
    name: Annotated[str, typer.Option(help="Of who gets the key.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="predict, read or admin; repeatable.")
    ] = None,
    days: Annotated[int | None, typer.Option(help="Until it expires; else never.")] = None,
) -> None:
    """Make a key for a server; it is printed once, and kept as a hash."""
    from industry_apps.serving.keys import new_key

    typer.echo(new_key(file, name, scope or ["predict", "read"], days))


def places_of(models: Sequence[str]) -> dict[str, str]:
    """Read NAME=PLACE: name -> place."""
    found: dict[str, str] = {}
    for each in models:
        name, equals, place = each.partition("=")
        if not equals or not place:
            raise ParameterError(
                f"Got the model {each!r}, expected NAME=PLACE, as in fraud=fraud.onnx."
            )
        if name in found:
            raise ParameterError(
                f"Two models are named {name!r}: {found[name]} and {place}. Name one of them "
                "otherwise."
            )
        found[name] = place
    return found
