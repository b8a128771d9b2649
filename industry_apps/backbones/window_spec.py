"""What a forecaster of windows reads and answers, and how large it is; without torch."""

from __future__ import annotations

from dataclasses import dataclass

from industry_apps.limits import BOOLEAN, DROPOUT, Limit, check_limits, integer, is_number

_CARDINALITIES = Limit(
    lambda value: isinstance(value, tuple) and all(integer(1).holds(each) for each in value),
    "a tuple of ints >= 1",
)
_QUANTILES = Limit(
    lambda value: (
        isinstance(value, tuple)
        and bool(value)
        and all(is_number(each) and 0 < each < 1 for each in value)
        and list(value) == sorted(set(value))
    ),
    "a tuple of rising numbers in (0, 1), at least one",
)


@dataclass(frozen=True)
class NetworkSpec:
    """Sizes of the windows that a forecaster reads, and of its answer.

    Parameters
    ----------
    length : int
        Steps of the past L, at least 2.
    horizon : int
        Steps to forecast H, at least 1.
    past_channels : int
        Channels of the past P, the target first; at least 1.
    known_channels : int
        Channels that are known in advance K, such as calendar or price; may be 0.
    cardinalities : tuple of int
        Number of codes of each of the C static categories; may be empty.
    quantiles : tuple of float
        Levels of the Q quantiles to forecast, rising, in (0, 1).

    Raises
    ------
    ParameterError
        When a size is outside its limits.

    Examples
    --------
    >>> NetworkSpec(length=28, horizon=7, quantiles=(0.9, 0.1))
    Traceback (most recent call last):
        ...
    industry_apps.errors.ParameterError: The 'quantiles' parameter of NetworkSpec must be a tuple
    of rising numbers in (0, 1), at least one. Got (0.9, 0.1) instead.
    """

    length: int
    horizon: int
    past_channels: int = 1
    known_channels: int = 0
    cardinalities: tuple[int, ...] = ()
    quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)

    def __post_init__(self) -> None:
        check_limits(self, _SPEC_LIMITS)

    @property
    def embedding_sizes(self) -> tuple[int, ...]:
        """Width of the embedding of each category: the usual 1.6 * codes**0.56, at most 16."""
        return tuple(min(16, max(1, round(1.6 * count**0.56))) for count in self.cardinalities)


@dataclass(frozen=True, kw_only=True)
class NetworkSize:
    """How large a forecaster is, and how it is regularised.

    Parameters
    ----------
    width : int, default=64
        Width of the hidden layers; a multiple of 16.
    depth : int, default=2
        Layers: of the LSTM ("tft"), blocks a stack ("nhits"), attention blocks ("patch").
        The convolutions ("tcn") are as many as the window needs.
    dropout : float, default=0.1
        Share of the hidden units dropped in training, in [0, 1).
    normalise : bool, default=True
        Show the network each window without its own level and scale, and give both back to
        the answer: for series whose level drifts.

    Raises
    ------
    ParameterError
        When a size is outside its limits.

    Examples
    --------
    >>> NetworkSize(width=32).depth
    2
    """

    width: int = 64
    depth: int = 2
    dropout: float = 0.1
    normalise: bool = True

    def __post_init__(self) -> None:
        check_limits(self, _SIZE_LIMITS)


_SPEC_LIMITS: dict[str, Limit] = {
    "length": integer(2),
    "horizon": integer(1),
    "past_channels": integer(1),
    "known_channels": integer(0),
    "cardinalities": _CARDINALITIES,
    "quantiles": _QUANTILES,
}
_SIZE_LIMITS: dict[str, Limit] = {
    "width": Limit(
        lambda value: integer(16).holds(value) and value % 16 == 0, "a multiple of 16, at least 16"
    ),
    "depth": integer(1, 8),
    "dropout": DROPOUT,
    "normalise": BOOLEAN,
}
