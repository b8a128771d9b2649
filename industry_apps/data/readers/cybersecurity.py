"""Files of cybersecurity that have a form of their own; cards name these as ``reader``."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from industry_apps.data.rules import Reading
from industry_apps.errors import SchemaError
from industry_apps.schema.sounds import SHORTEST_SECONDS, read_wav

if TYPE_CHECKING:
    import pandas as pd

#: Names of a family that are read, from its first on: one has a hundred thousand.
_MOST_OF_A_FAMILY = 3_000
_BENIGN = ("opendns-top-domains.txt", "opendns-random-domains.txt")
#: Samples a second of the recordings of digits.
_FSDD_RATE = 8_000
#: Several families under one name.
_LEFT_OUT = ("others_dga.txt",)


def att_faces(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Pictures of faces from a zip of a folder a person, in the order of persons and numbers."""
    import pandas as pd

    del reading
    (path,) = paths.values()
    with ZipFile(path) as archive:
        names = [Path(name) for name in archive.namelist() if name.endswith(".png")]
        names.sort(key=lambda name: (int(name.parent.name[1:]), int(name.stem)))
        rows = [
            {"image": archive.read(name.as_posix()), "person": name.parent.name} for name in names
        ]
    return pd.DataFrame(rows)


def fsdd(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Recordings of digits, of 0.2 seconds or more, from a zip of ``DIGIT_PERSON_NUMBER.wav``."""
    import pandas as pd

    del reading
    (path,) = paths.values()
    rows = []
    with ZipFile(path) as archive:
        for name in sorted(each for each in archive.namelist() if each.endswith(".wav")):
            digit, person, _ = Path(name).stem.split("_")
            samples = read_wav(archive.read(name), _FSDD_RATE)
            if len(samples) >= SHORTEST_SECONDS * _FSDD_RATE:
                rows.append({"samples": samples, "person": person, "digit": int(digit)})
    return pd.DataFrame(rows)


def fvc_fingerprints(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Simulated fingers to learn from, and as a test those of a zip of FINGER_IMPRESSION.png."""
    import pandas as pd

    from industry_apps.data.simulators import finger_prints

    del reading
    (path,) = paths.values()
    with ZipFile(path) as archive:
        names = [Path(name) for name in archive.namelist() if name.endswith(".png")]
        names.sort(key=lambda name: tuple(map(int, name.stem.split("_"))))
        rows = [
            {"image": archive.read(name.as_posix()), "person": name.stem.partition("_")[0]}
            for name in names
        ]
    simulated = finger_prints(persons=60, impressions=6, width=288, height=384)
    parts = simulated.assign(part="train"), pd.DataFrame(rows).assign(part="test")
    return pd.concat(parts, ignore_index=True)


def ebbu_urls(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Addresses of two JSON lists, each once, with their registered domains.

    What cannot be read as an address is left out: a line of the source.
    """
    import pandas as pd

    from industry_apps.runtime.addresses.lexical import url_columns

    del reading
    rows = []
    for name, path in paths.items():
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as file:
            listed = dict.fromkeys(json.load(file))
        for url in listed:
            try:
                owner = url_columns([url])["owner"][0]
            except SchemaError:
                continue
            rows.append((url, owner, "phishing" in name))
    return pd.DataFrame(rows, columns=["url", "site", "is_phishing"])


def dga_names(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Names of families of a zip and of two benign lists, each second-level label once."""
    import pandas as pd

    from industry_apps.runtime.addresses.canonical import canonical_domain
    from industry_apps.runtime.addresses.lexical import name_of

    del reading
    (path,) = paths.values()
    rows: dict[str, tuple[str, str | None]] = {}
    with ZipFile(path) as archive:
        # Benign names first: a name that a program wrote by chance is theirs.
        found = sorted(archive.namelist(), key=lambda n: (n.rpartition("/")[2] not in _BENIGN, n))
        for member in found:
            name = member.rpartition("/")[2]
            if not name.endswith(".txt") or name in _LEFT_OUT:
                continue
            family = None if name in _BENIGN else name.removesuffix(".txt")
            taken = 0
            for line in archive.read(member).decode("utf-8").split():
                try:
                    label = name_of(canonical_domain(line))
                except SchemaError:
                    continue
                if label not in rows:
                    rows[label] = (line, family)
                    taken += 1
                if family and taken == _MOST_OF_A_FAMILY:
                    break
    table = pd.DataFrame(list(rows.values()), columns=["domain", "family"])
    return table.assign(is_generated=table["family"].notna())


#: The attacks of KDD CUP 99 and NSL-KDD by family (its task description and its test).
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "denial of service": (
        *("apache2", "back", "land", "mailbomb", "neptune", "pod", "processtable", "smurf"),
        *("teardrop", "udpstorm"),
    ),
    "probe": ("ipsweep", "mscan", "nmap", "portsweep", "saint", "satan"),
    "remote to local": (
        *("ftp_write", "guess_passwd", "httptunnel", "imap", "multihop", "named", "phf"),
        *("sendmail", "snmpgetattack", "snmpguess", "spy", "warezclient", "warezmaster", "worm"),
        *("xlock", "xsnoop"),
    ),
    "user to root": (
        *("buffer_overflow", "loadmodule", "perl", "ps", "rootkit", "sqlattack", "xterm"),
    ),
}
_NORMAL = "normal"


def nsl_kdd(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Connections of NSL-KDD, of the training and of one test file, in this order.

    The header of the card names all columns of the files, of which ``attack`` is what it is called;
    the family follows from it, and the column ``part`` says from which file a row is.
    """
    import pandas as pd

    tables = [
        pd.read_csv(path, names=list(reading.header), header=None, compression="infer")
        for path in paths.values()
    ]
    parts = [table.assign(part=part) for table, part in zip(tables, ("train", "test"), strict=True)]
    frame = pd.concat(parts, ignore_index=True)
    family = {attack: name for name, attacks in _FAMILIES.items() for attack in attacks}
    unknown = sorted(set(frame["attack"]) - {*family, _NORMAL})
    if unknown:
        raise SchemaError(
            f"Column 'attack' holds {unknown[0]!r}; expected 'normal' or an attack of NSL-KDD. "
            "Give the files of the card."
        )
    return frame.assign(
        family=frame["attack"].map(family), is_attack=frame["attack"] != _NORMAL
    ).astype({"family": object})
