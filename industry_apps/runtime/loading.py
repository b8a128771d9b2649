"""How a model file is read: its bytes are checked first, and opened only then.

Whatever a file can do wrong is a :class:`~industry_apps.errors.ModelFileError`: it is damaged,
not ours, says what it may not, or takes too long.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import onnxruntime as ort

from industry_apps.errors import MissingExtraError, ModelFileError, ParameterError
from industry_apps.runtime.metadata import DIGEST
from industry_apps.runtime.trees import check_trees
from industry_apps.runtime.wire import Found, Span, WireError, look

Provider = Literal["cpu", "openvino", "cuda"]

_PROVIDERS: dict[str, str] = {
    "cpu": "CPUExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cuda": "CUDAExecutionProvider",
}
#: Bytes of a file: more than this protobuf does not hold.
MOST_BYTES = 2**31 - 1
#: Seconds that the opening of a file may take, and the replay of its self-test: a file can ask
#: for a loop without an end.
SECONDS = 120.0
_NO_DIGEST = b"0" * 64


class Checked(NamedTuple):
    """The bytes of a file that may be opened.

    Parameters
    ----------
    content : bytes
    stored : dict of str to bytes
        Its metadata, as they stand there.
    identity : str
        Sha256: of the bytes, or of all of them but for the digest that stands in them.
    name : str
    """

    content: bytes
    stored: dict[str, bytes]
    identity: str
    name: str


class TimedSession:
    """Runs a session, and ends a run that takes too long.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    """

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        """As that of the session."""
        options = ort.RunOptions()

        def end() -> None:
            options.terminate = True

        with _alarm(end):
            found: list[Any] = self._session.run(names, feeds, options)
            return found


def read_file(path: Path, sha256: str | None = None) -> bytes:
    """Read a model file, and compare it with a sha256, as ``sha256sum`` prints it, where given.

    Raises
    ------
    ModelFileError
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ModelFileError(
                f"{path.name} has {size} bytes, expected at most {MOST_BYTES}: no ONNX file is "
                "longer. Fetch or export it again."
            )
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read ({error}). Check the path and who may read it."
        ) from error
    if sha256 is not None:
        found = _sha256(content)
        if found != sha256.strip().lower():
            raise ModelFileError(
                f"{path.name} is not the file that was asked for: its sha256 is {found}, expected "
                f"{sha256}. Fetch it again, or give the sha256 of the file that you mean."
            )
    return content


def check(content: bytes, name: str) -> Checked:
    """Check the bytes of a model file before a session opens them.

    Parameters
    ----------
    content : bytes
    name : str
        Of the file, for the errors.

    Raises
    ------
    ModelFileError
        It is no ONNX file, has what no file of ours has (weights in other files, functions, deep
        nesting), or is not as it was written.
    """
    found = _look(content, name)
    spans = found.metadata
    stored = {key: content[span.start : span.stop] for key, span in spans.items()}
    digest = spans.get(DIGEST)
    identity = _sha256(content) if digest is None else _sealed(content, digest, name)
    with _worded(name):
        for node in found.trees:
            check_trees(content, node)
    return Checked(content, stored, identity, name)


def seal(content: bytes, name: str = "The model") -> bytes:
    """Write the digest of a model file into its place among the metadata.

    Parameters
    ----------
    content : bytes
        With 64 characters in quotes, such as zeros, under the key of the digest.
    name : str
        Of the file, for the errors.

    Raises
    ------
    ModelFileError
    """
    spans = _look(content, name).metadata
    if DIGEST not in spans:
        raise ModelFileError(f"{name} has no place for a digest. Export it with an application.")
    place = _digits(spans[DIGEST], name)
    digest = _digest_of(content, place).encode()
    return content[: place.start] + digest + content[place.stop :]


def open_session(
    content: bytes, name: str, provider: str, threads: int | None
) -> ort.InferenceSession:
    """Open the bytes of a model file that were checked.

    Parameters
    ----------
    content : bytes
    name : str
        Of the file, for the errors.
    provider : {"cpu", "openvino", "cuda"}
    threads : int or None

    Raises
    ------
    ModelFileError, ParameterError, MissingExtraError
    """
    order = _providers(provider)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if threads is not None:
        options.intra_op_num_threads = threads
    stop = getattr(options, "set_load_cancellation_flag", None)  # younger than our floor
    try:
        with _alarm(lambda: stop(True) if stop else None):
            # Where there is nothing to fall back to, onnxruntime tries again and prints that.
            session = ort.InferenceSession(
                content, options, providers=order, enable_fallback=int(len(order) > 1)
            )
    except Exception as error:
        raise ModelFileError(
            f"{name} cannot be loaded by onnxruntime {ort.__version__}: {error}. "
            "The file may be damaged; fetch or export it again."
        ) from error
    if order[0] not in session.get_providers():  # onnxruntime falls back without an error
        raise MissingExtraError(
            f"The installed onnxruntime has {provider!r}, but cannot start it on this machine. "
            "Install its drivers, or use provider='cpu'."
        )
    return session


@contextmanager
def refused(name: str) -> Iterator[None]:
    """Whatever goes wrong within is the fault of the file of this name.

    Raises
    ------
    ModelFileError
    """
    try:
        yield
    except (ModelFileError, MissingExtraError):
        raise
    except Exception as error:
        raise ModelFileError(
            f"{name} is damaged or not ours: it cannot be read or does not answer its self-test "
            f"({type(error).__name__}: {error!s:.300}). Fetch or export it again."
        ) from error


def _providers(provider: str) -> list[str]:
    if provider not in _PROVIDERS:
        raise ParameterError(f"Unknown provider {provider!r}; choose from {list(_PROVIDERS)}.")
    if _PROVIDERS[provider] not in ort.get_available_providers():
        raise MissingExtraError(
            f"The installed onnxruntime cannot run on {provider!r} (it has "
            f"{ort.get_available_providers()}). Install onnxruntime-"
            f"{'gpu' if provider == 'cuda' else provider} instead of onnxruntime."
        )
    return list(dict.fromkeys([_PROVIDERS[provider], _PROVIDERS["cpu"]]))


def _look(content: bytes, name: str) -> Found:
    with _worded(name):
        return look(content)


@contextmanager
def _worded(name: str) -> Iterator[None]:
    try:
        yield
    except WireError as error:
        raise ModelFileError(
            f"{name} is damaged or no model file of ours: {error}. Fetch or export it again."
        ) from None


def _sealed(content: bytes, digest: Span, name: str) -> str:
    """The digest that stands in a file, which must be right."""
    place = _digits(digest, name)
    written = content[place.start : place.stop].decode("latin-1")
    found = _digest_of(content, place)
    if written != found:
        raise ModelFileError(
            f"{name} is damaged: its digest is {found}, expected {written!a:.70} as it was "
            "written. Fetch or export the file again."
        )
    return found


def _digits(digest: Span, name: str) -> Span:
    """The digits between the quotes."""
    place = Span(digest.start + 1, digest.stop - 1)
    if place.stop - place.start != len(_NO_DIGEST):
        raise ModelFileError(
            f"{name} is damaged: its digest has {place.stop - place.start} characters, expected "
            f"{len(_NO_DIGEST)}. Fetch or export the file again."
        )
    return place


def _digest_of(content: bytes, place: Span) -> str:
    view = memoryview(content)
    return _sha256(view[: place.start], _NO_DIGEST, view[place.stop :])


def _sha256(*parts: bytes | memoryview) -> str:
    import hashlib  # only here: it takes as long to load as all else in this package

    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


@contextmanager
def _alarm(end: Any) -> Iterator[None]:
    """Call a function if what is within takes too long."""
    timer = threading.Timer(SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
