"""Files of cybersecurity that have a form of their own; cards name these as ``reader``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from industry_apps.data.rules import Reading
from industry_apps.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd

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
