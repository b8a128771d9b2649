"""Who may ask, and how much: keys and their scopes, requests a second, requests at a time."""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic

from industry_apps.errors import RequestError
from industry_apps.serving.keys import ANYBODY, Key, KeyRing
from industry_apps.serving.settings import Limits

#: Seconds of the allowed rate that may come at once.
_BURST = 10.0
#: Clients whose rate is remembered.
_MOST_CLIENTS = 10_000


class Gate:
    """Lets requests in, or says why not.

    Parameters
    ----------
    limits : Limits
    keys : KeyRing, optional
        None lets anybody do everything.
    """

    def __init__(self, limits: Limits, keys: KeyRing | None) -> None:
        self._limits, self._keys = limits, keys
        #: Requests that are being answered.
        self.in_flight = 0
        #: Bytes of bodies that come, or wait for their answer.
        self.held = 0
        #: Whether the server is about to end: what runs is answered, and it is not ready.
        self.draining = False
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def holder(self, authorization: str, needs: str) -> Key:
        """Whose key a request shows.

        Parameters
        ----------
        authorization : str
            The header of that name.
        needs : {"predict", "read", "admin"}
            The scope that the key must have.

        Raises
        ------
        RequestError
            401 without a key that holds, 403 where it may not do this.
        """
        if self._keys is None:
            return ANYBODY
        scheme, _, shown = authorization.partition(" ")
        key = self._keys.holder(shown.strip() if scheme.lower() == "bearer" else "")
        if needs not in key.scopes:
            raise RequestError(
                f"The key of {key.name!r} has the scopes {list(key.scopes)}, expected {needs!r}. "
                "Ask for a key that has it.",
                403,
            )
        return key

    def check(self, key: Key, address: str) -> None:
        """Refuse a request before its body is read; one that goes on takes no room yet.

        Parameters
        ----------
        key : Key
        address : str
            Of the client, whose rate counts where no keys are asked for.

        Raises
        ------
        RequestError
            429: too many in a second, or at a time.
        """
        self._check_room()
        if self._limits.rate is not None:
            self._spend(address if key is ANYBODY else key.name, self._limits.rate)

    def enter(self) -> None:
        """Let a request in whose body is there; :meth:`leave` must follow.

        Raises
        ------
        RequestError
            429: too many at a time.
        """
        self._check_room()
        self.in_flight += 1

    def hold(self, size: int) -> None:
        """Count bytes of a body; whoever holds them takes them off once it is answered.

        A client that is slow with its body takes no room from others but for these bytes: it
        enters once all of them are there.

        Parameters
        ----------
        size : int

        Raises
        ------
        RequestError
            429: all bodies together hold more than those of all requests that may be answered.
        """
        self.held += size
        if self.held > self._limits.in_flight * self._limits.body:
            raise RequestError(
                f"The server holds {self.held} bytes of requests, too many. Try again later.",
                429,
            )

    def leave(self) -> None:
        """A request that was let in has its answer."""
        self.in_flight -= 1

    def _check_room(self) -> None:
        if self.in_flight >= self._limits.in_flight:
            raise RequestError(
                f"The server answers {self.in_flight} requests already, as many as it may. Try "
                "again later.",
                429,
            )

    def _spend(self, client: str, rate: float) -> None:
        """Take one of the requests that a client has left; they come back at the rate."""
        now = monotonic()
        most = max(1.0, rate * _BURST)
        left, at = self._left.pop(client, (most, now))
        left = min(most, left + (now - at) * rate)
        self._left[client] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > _MOST_CLIENTS:
            self._left.popitem(last=False)
        if left < 1:
            raise RequestError(
                f"More than {rate:g} requests a second came from {client!r}. Send fewer.", 429
            )
