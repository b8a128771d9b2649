"""Ed25519 signatures of model files and of the head of a log (RFC 8032)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from industry_apps.errors import VersionError, require

# What is signed begins with what it is, so that a signature of one is none of another.
_CONTEXT = b"industry-apps "


def new_key(path: Path) -> Path:
    """Make a key: the private half at a path, readable by its owner, the public one beside it.

    Parameters
    ----------
    path : Path
        Must not be there yet.

    Returns
    -------
    Path
        Of the public half, ``.pub`` behind the name.

    Raises
    ------
    VersionError
        There is something already.
    """
    forms = _package("serialization")
    private = _package("asymmetric.ed25519").Ed25519PrivateKey.generate()
    public = path.with_name(path.name + ".pub")
    secret = private.private_bytes(
        forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
    )
    open_half = private.public_key().public_bytes(
        forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo
    )
    for place, content, mode in ((path, secret, 0o600), (public, open_half, 0o644)):
        try:
            file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise VersionError(f"{place} is there already. Name another file.") from None
        with os.fdopen(file, "wb") as opened:
            opened.write(content)
    return public


def sign(kind: str, text: str, key: Path) -> str:
    """Sign a text with a private key; the signature in hexadecimal digits.

    Parameters
    ----------
    kind : {"model", "head"}
    text : str
        The sha256 of a file, or a head of a log.
    key : Path
        Of a private key, PEM.

    Raises
    ------
    VersionError
        It is no private Ed25519 key.
    """
    forms = _package("serialization")
    private = _read(key, lambda content: forms.load_pem_private_key(content, None), "private")
    return str(private.sign(_message(kind, text)).hex())


def check_signature(kind: str, text: str, signature: str, key: Path) -> None:
    """Check a signature by a public key.

    Parameters
    ----------
    kind : {"model", "head"}
    text : str
        What was signed.
    signature : str
        As of :func:`sign`; empty where there is none.
    key : Path
        Of a public key, PEM.

    Raises
    ------
    VersionError
        There is no signature, or it is not of this text and this key.
    """
    public = _read(key, _package("serialization").load_pem_public_key, "public")
    wrong = require(
        "cryptography.exceptions", extra="signing", needed_by="A signature"
    ).InvalidSignature
    try:
        public.verify(bytes.fromhex(signature), _message(kind, text))
    except (wrong, ValueError):
        told = "has no signature" if not signature else "has a signature of another file or key"
        raise VersionError(
            f"The {kind} {text[:12]} {told}, expected one by the key of {key.name}. Sign it with "
            "the private half of that key, or give the public key of whoever signed."
        ) from None


def _message(kind: str, text: str) -> bytes:
    return _CONTEXT + f"{kind}\n{text}".encode()


def _read(path: Path, load: Any, half: str) -> Any:
    try:
        found = load(path.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise VersionError(
            f"{path} is no readable {half} key ({error!s:.100}). Make one with "
            "industry-apps versions key."
        ) from None
    if f"Ed25519{half.title()}Key" not in {each.__name__ for each in type(found).__mro__}:
        raise VersionError(
            f"{path} is a key of another kind, expected a {half} Ed25519 key. Make one with "
            "industry-apps versions key."
        )
    return found


def _package(name: str) -> Any:
    return require(
        f"cryptography.hazmat.primitives.{name}", extra="signing", needed_by="A signature"
    )
