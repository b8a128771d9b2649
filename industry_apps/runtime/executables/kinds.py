"""What a file is that is no executable, so that a refusal can say it."""

from __future__ import annotations

import codecs

from industry_apps.runtime.executables.pe import is_pe

__all__ = ["form_of", "what_it_is"]

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xfe\xed\xfa\xce", "a Mach-O executable"),
    (b"\xfe\xed\xfa\xcf", "a Mach-O executable"),
    (b"\xce\xfa\xed\xfe", "a Mach-O executable"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O executable"),
    (b"\xca\xfe\xba\xbe", "a class of Java or a Mach-O executable of several machines"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x28\xb5\x2f\xfd", "a zstandard archive"),
    (b"!<arch>\n", "an ar archive (a static library or a Debian package)"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE file (a document or an installer of Windows)"),
    (b"\0asm", "a WebAssembly module"),
    (b"dex\n", "a Dalvik executable"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"#!", "a script"),
    (b"MZ", "a program of MS-DOS or of 16 bits, not a PE file"),
)
_LOOKED_AT = 4_096
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 27}


def form_of(data: bytes) -> str:
    r"""The form of an executable, by its beginning.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    {"elf", "pe", ""}
        "" for anything else.

    Examples
    --------
    >>> form_of(b"\x7fELF"), form_of(b"MZ"), form_of(b"PK")
    ('elf', 'pe', '')
    """
    if data.startswith(b"\x7fELF"):
        return "elf"
    return "pe" if data.startswith(b"MZ") and is_pe(data) is not False else ""


def what_it_is(data: bytes) -> str:
    r"""What bytes that are neither PE nor ELF look like, in words.

    Parameters
    ----------
    data : bytes

    Examples
    --------
    >>> what_it_is(b"PK\x03\x04..."), what_it_is(b"hello"), what_it_is(bytes(9))
    ('a zip archive', 'a text', 'zero bytes alone')
    """
    for beginning, words in _BEGINNINGS:
        if data.startswith(beginning):
            return words
    if data.count(0) == len(data):
        return "zero bytes alone"
    start = data[:_LOOKED_AT]
    try:
        # A character may be cut where looking ends.
        codecs.getincrementaldecoder("utf-8")().decode(start, final=len(data) <= _LOOKED_AT)
    except UnicodeDecodeError:
        return "of no kind that is known here"
    return "of no kind that is known here" if _CONTROLS & set(start) else "a text"
