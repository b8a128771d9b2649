"""Bytes at rest: encrypted and authenticated, bound to what they belong to.

AES-256 in Galois/counter mode (NIST SP 800-38D), by the package ``cryptography``. Keys for each
purpose are derived from one by HMAC-SHA256 (the expansion of RFC 5869), so that a template, the
rotation that it is kept under, and the name of its counter share none.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from industry_apps.errors import ParameterError, TemplateError, require

#: Bytes of a key, and of the number that each sealing uses once.
KEY_BYTES, _NONCE_BYTES = 32, 12


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A secret of 32 bytes, which no ``repr``, pickle or error shows.

    A lost key means to enrol everybody again: nothing that is sealed can be read without it.

    Parameters
    ----------
    secret : bytes
        32 random bytes, from a key store of yours; :meth:`new` makes some.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> Key.new()
    Key(...)
    >>> Key(b"short")
    Traceback (most recent call last):
        ...
    industry_apps.errors.ParameterError: A key is 32 random bytes; got 5. Make one with
    Key.new(), and keep its secret where templates are not kept.
    """

    secret: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.secret, bytes) or len(self.secret) != KEY_BYTES:
            size = len(self.secret) if isinstance(self.secret, bytes) else type(self.secret)
            raise ParameterError(
                f"A key is {KEY_BYTES} random bytes; got {size}. Make one with Key.new(), and keep "
                "its secret where templates are not kept."
            )

    @classmethod
    def new(cls) -> Key:
        """A random key, by the operating system."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def __repr__(self) -> str:
        return "Key(...)"

    def __reduce__(self) -> str:
        raise ParameterError("A key is not pickled. Hand its secret over in a key store.")

    def derived(self, purpose: str, *parts: str | int) -> bytes:
        """32 bytes for one purpose, which tell nothing of the key."""
        told = json.dumps([purpose, *parts]).encode()
        return hmac.digest(self.secret, told + b"\x01", "sha256")

    def seal(self, content: bytes, name: str) -> str:
        """Encrypt: a nonce, what is encrypted, and a tag over both and the name; hexadecimal.

        Parameters
        ----------
        content : bytes
        name : str
            Under which it is kept; the same is needed to open it.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return (nonce + self._cipher().encrypt(nonce, content, name.encode())).hex()

    def open(self, sealed: str, name: str, whose: str) -> bytes:
        """Decrypt what was sealed with the same key, under the same name.

        Parameters
        ----------
        sealed, name : str
        whose : str
            In words, for the error.

        Raises
        ------
        TemplateError
        """
        from cryptography.exceptions import InvalidTag

        cipher = self._cipher()
        try:
            told = bytes.fromhex(sealed)
            found: bytes = cipher.decrypt(told[:_NONCE_BYTES], told[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):
            raise TemplateError(
                f"The record of {whose} does not open: it is damaged or was changed, is of another "
                "user, or sealed with another key. Restore the newest record, or delete the user "
                "and enrol them again."
            ) from None
        return found

    def _cipher(self) -> Any:
        ciphers = require(
            "cryptography.hazmat.primitives.ciphers.aead",
            extra="biometrics",
            needed_by="Sealing templates",
        )
        return ciphers.AESGCM(self.derived("seal"))
