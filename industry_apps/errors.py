"""Every error a user can meet, and the two helpers that word them.

All derive from :class:`IndustryAppsError`, so one ``except`` catches whatever this
package raises on purpose, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from types import ModuleType


class IndustryAppsError(Exception):
    """Base of all errors raised on purpose."""


class SchemaError(IndustryAppsError, ValueError):
    """A record or frame does not fit the schema; names column, row, value and remedy."""


class ParameterError(IndustryAppsError, ValueError):
    """A constructor parameter or option is outside its documented limits."""


class UnknownNameError(IndustryAppsError, KeyError):
    """A name (application, data set, model) that is not in its table."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the repr


class DataNotFoundError(IndustryAppsError, FileNotFoundError):
    """A data file is neither cached, nor in a mirror, nor reachable."""


class ChecksumError(IndustryAppsError):
    """A data file is not the one its card describes."""


class LeakageError(IndustryAppsError, ValueError):
    """A split or a feature would show the model what it cannot know when it is used."""


class SuspectedLeakError(LeakageError):
    """A column alone separates the outcomes, and nobody has said that it may."""


class LeakageWarning(UserWarning):
    """A column, or every baseline, separates the outcomes: it may tell more than is known."""


class TrainingError(IndustryAppsError, RuntimeError):
    """Training cannot go on (a loss that is not finite, a single class, ...)."""


class SolverError(IndustryAppsError, RuntimeError):
    """An optimisation found no answer, or none that is proven."""


class InfeasibleError(SolverError):
    """No answer keeps all limits."""


class ParityError(IndustryAppsError):
    """The exported file answers differently from the trained model; nothing was written."""


class ModelFileError(IndustryAppsError):
    """A model file is missing, damaged, or does not answer its own self-test."""


class FileWriteError(IndustryAppsError, OSError):
    """A file was not written: no room, or something else is there; nothing was changed."""


class StateInUseError(IndustryAppsError, RuntimeError):
    """Two threads wrote to one state at the same moment; what the second one gave is not in it."""


class VersionError(IndustryAppsError):
    """A store of versions refuses: an edited log, an unknown version, a wrong signature."""


class RequestError(IndustryAppsError):
    """A request to a server is refused; it carries the status of HTTP.

    Parameters
    ----------
    message : str
        What was found, what was expected, what to do.
    status : int
        Of HTTP, 400 to 599.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class TemplateError(IndustryAppsError, ValueError):
    """A biometric template cannot be made, opened or used; names the user and the remedy."""


class TemplateWarning(IndustryAppsError, UserWarning):  # noqa: N818 - a warning
    """Records of some users are left out of an answer on all; names them and the reasons."""


class MissingExtraError(IndustryAppsError, ImportError):
    """An optional package is not installed; the message names the extra to install."""


class UnlikeTrainingWarning(IndustryAppsError, UserWarning):  # noqa: N818 - a warning
    """A table is answered in which a column is not as it was in training; only a warning."""


def require(module: str, *, extra: str, needed_by: str) -> ModuleType:
    """Import an optional package, or say how to install it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        The extra of this package that contains it.
    needed_by : str
        What the user asked for, as they would name it.

    Raises
    ------
    MissingExtraError
        When the module is not installed.

    Examples
    --------
    >>> require("json", extra="train", needed_by="the example").__name__
    'json'
    """
    try:
        return import_module(module)
    except ImportError as error:
        if error.name is not None and error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"{needed_by} needs the package {module.split('.')[0]!r}, which is not installed. "
            f"Run: pip install 'industry-apps[{extra}]'"
        ) from error


def nearest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The known names that look most like a name; none when nothing does."""
    from difflib import get_close_matches  # only where something is wrong: it is slow to load

    return get_close_matches(name, list(known), n=most, cutoff=0.4 if most > 1 else 0.6)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Word the error for a name that is not in its table: the nearest names, then all.

    Examples
    --------
    >>> print(unknown_name("application", "finance.fraud", ["finance.fraud_detection"]))
    Unknown application 'finance.fraud'. Did you mean 'finance.fraud_detection'? Known: ...
    """
    names = sorted(known)
    near = nearest(name, names, most=3)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return UnknownNameError(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(names) or 'none'}.")
