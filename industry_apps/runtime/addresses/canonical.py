"""One spelling of an address, whoever wrote it: before any feature, in training and in service.

The scheme, ``www.``, the default port and a trailing slash say who collected an address, not what
it is: they are removed. What a browser reads alike is written alike (case of the host, punycode,
percent-encoding, dot segments, IPv4 in any notation).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from industry_apps.errors import SchemaError
from industry_apps.runtime.addresses.suffixes import public_suffix

__all__ = ["SPELLING", "Address", "canonical_domain", "canonical_url"]

#: Version of the canonical form; it stands in each file that was trained on it.
SPELLING = 2
#: Longer addresses are refused: browsers and servers cut them off far below.
MOST_CHARACTERS = 8_192

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):/*", re.ASCII)
#: What a name is read without (RFC 3454, table B.1), and the part of an address that has one.
_INVISIBLE = re.compile(r"[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]")
_BEFORE_PATH = re.compile(r"[^/?#]*(//[^/?#]*)?")
_DEFAULT_PORTS = {"http": (80,), "https": (443,), "ftp": (21,), "": (80, 443)}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?-?", re.ASCII)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+", re.ASCII)
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT = "".join(map(chr, range(0x21, 0x7F)))  # of a path: all that ASCII shows
_MOST_OF_A_HOST, _PORTS = 253, 65_536


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its canonical form.

    Parameters
    ----------
    host : str
        Lower case, punycode, without ``www.``; an IP address as digits, of version 6 in brackets.
    port : int
        0 where it is the default.
    path : str
        With query and fragment; begins with "/", or is empty.
    user_info : bool
        Whether a user stood before the host ("bank.com@evil.com").
    """

    host: str
    port: int
    path: str
    user_info: bool

    @property
    def is_ip(self) -> bool:
        """Whether the host is an IP address."""
        return self.host[0] == "[" or self.host.replace(".", "").isdigit()

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"{self.host}{port}{self.path}"


def canonical_url(text: str) -> Address:
    """Read an address of the web as a browser does.

    Parameters
    ----------
    text : str
        With or without a scheme; http, https and ftp alone.

    Returns
    -------
    Address

    Raises
    ------
    SchemaError
        It is empty, longer than 8 192 characters, of another scheme, or has no host that can be.

    References
    ----------
    RFC 3986, sections 5.2.4 and 6.2.2; WHATWG URL standard, https://url.spec.whatwg.org/ (tabs
    and ends of lines, backslashes, IPv4 numbers); RFC 3490 (international names, IDNA 2003, as
    the standard library has it).

    Examples
    --------
    >>> str(canonical_url("HTTPS://www.Example.com:443/%7Ea/./b/"))
    'example.com/~a/b'
    >>> str(canonical_url("http://b\u00fccher.de")), str(canonical_url("http://0x7f.1/"))
    ('xn--bcher-kva.de', '127.0.0.1')
    """
    cleaned = re.sub(r"[\t\r\n]", "", text).strip().replace("\\", "/")
    cleaned = _BEFORE_PATH.sub(lambda found: _INVISIBLE.sub("", found[0]), cleaned, count=1)
    _check_text(cleaned)
    scheme, rest = _without_scheme(cleaned)
    end = min((place for place in map(rest.find, "/?#") if place >= 0), default=len(rest))
    user, at, server = rest[:end].rpartition("@")
    host, port = _host_and_port(server)
    return Address(
        host=_host(host),
        port=0 if port in _DEFAULT_PORTS[scheme] else port,
        path=_path(rest[end:]),
        user_info=bool(at and user),
    )


def canonical_domain(text: str) -> str:
    """Read a domain name: lower case, punycode, without ``www.`` and the dot at the end.

    Parameters
    ----------
    text : str

    Raises
    ------
    SchemaError
        It is no name: an IP address, an address with a path or a port, a label too long.

    Examples
    --------
    >>> canonical_domain("WWW.Example.COM.")
    'example.com'
    """
    cleaned = text.strip()
    _check_text(cleaned)
    if re.search(r"[/:@?#\\\s]", cleaned):
        raise SchemaError(
            "expected a domain name alone, without scheme, port or path. Give the host of the "
            "address, or ask a UrlThreatDetector"
        )
    host = _host(cleaned)
    if host.replace(".", "").isdigit():
        raise SchemaError("expected a domain name, not an IP address. Drop the row")
    return host


def _check_text(text: str) -> None:
    if not text:
        raise SchemaError("expected an address that is not empty. Drop the row")
    if len(text) > MOST_CHARACTERS:
        raise SchemaError(
            f"expected at most {MOST_CHARACTERS} characters, and there are {len(text)}. "
            "Is it the right column?"
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:  # half of a pair, from a mistaken decoding
        raise SchemaError("expected text that UTF-8 can hold. Decode it again") from error


def _without_scheme(text: str) -> tuple[str, str]:
    found = _SCHEME.match(text)
    if not found:
        return "", text.lstrip("/")
    scheme, rest = found[1].lower(), text[found.end() :]
    if scheme in _DEFAULT_PORTS:
        return scheme, rest
    if found[0].endswith(":") and re.match(r"\d+([/?#]|$)", rest):  # a host and its port
        return "", text
    raise SchemaError(f"expected http, https or ftp, not the scheme {scheme!r}. Drop the row")


def _host_and_port(server: str) -> tuple[str, int]:
    host, colon, port = server.rpartition(":")
    if not colon or server.endswith("]"):
        return server, 0
    if port == "":
        return host, 0
    if not (port.isascii() and port.isdigit() and int(port) < _PORTS):
        raise SchemaError(f"expected a port in 0 to 65535, not {port!r:.20}. Correct the address")
    return host, int(port)


def _host(text: str) -> str:
    if text.startswith("["):
        return _version_6(text)
    name = unicodedata.normalize("NFKC", unquote_to_bytes(text).decode("utf-8", "replace")).lower()
    name = re.sub("[\u3002\uff0e\uff61]", ".", name)
    name = name[:-1] if name.endswith(".") else name
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise _no_host(name) from error
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _version_4(labels)
    if len(name) > _MOST_OF_A_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise _no_host(name)
    rest = name.removeprefix("www.")
    if rest == name or public_suffix(rest).name == rest:  # below a suffix it is a name as any other
        return name
    return rest


def _no_host(name: str) -> SchemaError:
    return SchemaError(
        f"expected a host of letters, digits and hyphens, at most 63 a label and 253 in all; "
        f"it is {name!r:.60}. Correct the address, or drop the row"
    )


def _version_6(text: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(text.strip('[]')).compressed}]"
    except ValueError as error:
        raise SchemaError(f"expected an IP address in brackets, not {text!r:.60}") from error


def _version_4(labels: list[str]) -> str:
    """One to four numbers, decimal, octal or hexadecimal; the last fills what is left."""
    if len(labels) <= 4 and all(_NUMBER.fullmatch(label) for label in labels):
        numbers = [_number(label) for label in labels]
        last = numbers.pop()
        if all(0 <= n < 256 for n in numbers) and 0 <= last < 256 ** (4 - len(numbers)):
            value = last + sum(n * 256 ** (3 - place) for place, n in enumerate(numbers))
            return str(ipaddress.IPv4Address(value))
    raise SchemaError(
        f"expected an IP address of four numbers below 256, not {'.'.join(labels)!r:.60}. "
        "Correct the address, or drop the row"
    )


def _number(label: str) -> int:
    """A number as a browser reads it; -1 where it cannot be read."""
    try:
        if label[:2] in ("0x", "0X"):
            return int(label[2:] or "0", 16)
        return int(label, 8) if label[0] == "0" and len(label) > 1 else int(label)
    except ValueError:
        return -1


def _path(text: str) -> str:
    """Path, query and fragment: escapes in one form, no dot segments, no slash at the end."""
    written = _ESCAPE.sub(_escaped, quote(text, safe=_KEPT))
    place = min((at for at in map(written.find, "?#") if at >= 0), default=len(written))
    kept: list[str] = []
    for segment in written[:place].split("/")[1:]:
        if segment == ".." and kept:
            kept.pop()
        elif segment not in (".", ".."):
            kept.append(segment)
    path = "".join(f"/{segment}" for segment in kept).rstrip("/")
    return f"{path or '/'}{written[place:]}" if written[place:] else path


def _escaped(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if code in _UNRESERVED else f"%{found[1].upper()}"
