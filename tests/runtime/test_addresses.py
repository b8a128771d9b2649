"""One form of an address: equivalent spellings, owners, and texts that are refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.errors import SchemaError
from industry_apps.runtime.addresses.canonical import canonical_domain, canonical_url
from industry_apps.runtime.addresses.lexical import (
    DOMAIN_NUMBERS,
    URL_NUMBERS,
    domain_columns,
    url_columns,
)
from industry_apps.runtime.addresses.suffixes import public_suffix, registered_domain
from industry_apps.runtime.addresses.words import split_words

EQUIVALENT = [
    "http://example.com/a~b/c",
    "https://example.com/a~b/c",
    "HTTP://EXAMPLE.COM/a~b/c/",
    "example.com/a~b/c",
    "//www.example.com:443/a~b/c",
    "http://www.example.com:80/a%7Eb/c",
    "http://example.com./x/../a%7eb/./c",
    " http:\\\\example.com\\a~b\\c\n",
    "http://ex%61mple.com/a~b/c",
    "http://\uff45\uff58ample\u3002com/a~b/c",
    "ht\ntp://exam\tple.com/a~b/c",
    "\u200bhttp://example.com/a~b/c",
    "\ufeffht\u2060tp://exam\u00adple.com/a~b/c",
]


@pytest.mark.parametrize("text", EQUIVALENT)
def test_equivalent_spellings_are_one(text: str) -> None:
    assert str(canonical_url(text)) == "example.com/a~b/c"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://3221226219/x", "192.0.2.235/x"),
        ("http://0300.0x0.0002.0353", "192.0.2.235"),
        ("http://[2001:DB8:0:0::1]:80/", "[2001:db8::1]"),
        ("http://b\u00fccher.example", "xn--bcher-kva.example"),
        ("http://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("http://example.com/A?Q=%2f", "example.com/A?Q=%2F"),
        ("http://example.com/\u00e9", "example.com/%C3%A9"),
        ("http://www.com/", "www.com"),
        ("www.github.io/a", "www.github.io/a"),
        ("http://www.co.uk/", "www.co.uk"),
        ("www.me.github.io", "me.github.io"),
        ("http://example.com/\u200ba", "example.com/%E2%80%8Ba"),
        ("example.com?x=1", "example.com/?x=1"),
    ],
)
def test_hosts_and_paths(text: str, expected: str) -> None:
    assert str(canonical_url(text)) == expected
    assert str(canonical_url(expected)) == expected


def test_a_port_is_kept_where_it_is_not_the_default_of_its_scheme() -> None:
    assert str(canonical_url("https://example.com:80/")) == "example.com:80"
    assert str(canonical_url("http://example.com:8080")) == "example.com:8080"


def test_a_user_before_the_host_is_seen() -> None:
    found = canonical_url("http://bank.example@evil.test/")
    assert (found.host, found.user_info) == ("evil.test", True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not empty"),
        ("   ", "not empty"),
        ("http://", "expected a host"),
        ("x" * 9_000, "at most 8192 characters, and there are 9000"),
        ("javascript:alert(1)", "not the scheme 'javascript'"),
        ("mailto:a@example.com", "not the scheme 'mailto'"),
        ("http://exa mple.com", "expected a host"),
        ("http://a..example", "expected a host"),
        (f"http://{'a' * 64}.example", "at most 63 a label"),
        ("http://1.2.3.4.5/", "IP address of four numbers"),
        ("http://256.1.1.1/", "IP address of four numbers"),
        ("http://[::g]/", "IP address in brackets"),
        ("http://example.com:99999/", "a port in 0 to 65535"),
        ("http://example.com:8o/", "a port in 0 to 65535"),
        ("http://example.com/\ud800", "UTF-8"),
        (None, "expected a text"),
        (7, "expected a text"),
    ],
)
def test_what_cannot_be_read_is_refused_by_row(text: object, told: str) -> None:
    with pytest.raises(SchemaError, match=r"Column 'link', row 1: got .*") as error:
        url_columns(["http://example.com", text], "link")
    assert told in str(error.value)


@pytest.mark.parametrize("text", ["http://example.com", "example.com:80", "10.0.0.1", "a b", ""])
def test_a_domain_is_a_name_alone(text: str) -> None:
    with pytest.raises(SchemaError, match="row 0"):
        domain_columns([text])


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read_stably_or_refused(text: str) -> None:
    for read in (lambda t: str(canonical_url(t)), canonical_domain):
        try:
            once = read(text)
        except SchemaError:
            continue
        assert once.isascii()
        assert read(once) == once


def test_owners_by_the_public_suffix_list() -> None:
    assert registered_domain("a.b.example.co.uk") == "example.co.uk"
    assert registered_domain("a.me.github.io") == "me.github.io"
    assert public_suffix("x.me.github.io").private
    assert registered_domain("a.b.www.ck") == "www.ck"  # an exception to *.ck
    assert registered_domain("a.b.c.ck") == "b.c.ck"
    assert registered_domain("host.nosuchsuffix") == "host.nosuchsuffix"
    assert registered_domain("com") == "com"


def test_columns_are_finite_and_complete() -> None:
    urls = [*EQUIVALENT, "http://[::1]/", "a", "http://1.2.3.4/?a=b&c"]
    found = url_columns(urls)
    assert set(found) == {"address", "owner", *URL_NUMBERS}
    table = np.stack([found[name] for name in URL_NUMBERS])
    assert np.isfinite(table).all()
    assert (table >= 0).all()
    # Whatever the spelling, the columns are the same.
    assert (table[:, : len(EQUIVALENT)] == table[:, :1]).all()
    assert found["ip_host"][-1] == 1
    domains = domain_columns(["a.com", "1.example", "xn--bcher-kva.de", "com"])
    assert all(np.isfinite(domains[name]).all() for name in DOMAIN_NUMBERS)


def test_no_addresses_give_no_rows() -> None:
    assert all(len(values) == 0 for values in url_columns([]).values())


def test_words_do_not_overlap() -> None:
    assert split_words("") == []
    assert split_words("xqz") == []
    assert "".join(split_words("riverhousetable")) == "riverhousetable"
