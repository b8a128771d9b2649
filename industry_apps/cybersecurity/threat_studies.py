"""Questions about threats in addresses and names: new families, evasion, and what a leak promises.

Letters: N records.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from industry_apps.cybersecurity.threats import ThreatDetector
from industry_apps.data import Dataset
from industry_apps.data.splits import split_random
from industry_apps.errors import SchemaError
from industry_apps.evaluation.detection import DetectionCurve
from industry_apps.evaluation.intervals import Estimate, share_estimate
from industry_apps.evaluation.metrics import Ranking
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.tables.detection import detection_bootstrap
from industry_apps.runtime.addresses.canonical import canonical_url
from industry_apps.runtime.addresses.suffixes import registered_domain
from industry_apps.runtime.progress import tracked

__all__ = ["evasion", "random_split", "site_parts", "unseen_families", "unusual_names"]

_Floats = NDArray[np.float64]
_RATE = 0.01
#: Names of one program under several labels of the data, left out together.
_SIBLINGS = (("goz", "new_goz", "zeus"),)
#: Names that a host asks for, whose mean is judged.
_NAMES_OF_A_HOST = 10
_METRICS = ("auroc", "detection_at_1_percent", "detection_at_0.1_percent")
#: Letters that look like Latin ones (Unicode TS 39, confusables).
_LOOKS_LIKE = str.maketrans({"a": "\u0430", "e": "\u0435", "o": "\u043e", "c": "\u0441"})
#: Words in other scripts, as people register them.
_WORDS_ABROAD = (
    *("b\u00fccher", "m\u00fcnchen", "k\u00f6ln", "z\u00fcrich", "\u00fcbersetzer"),
    *("caf\u00e9", "sant\u00e9", "for\u00eat", "h\u00f4pital", "marche-cr\u00e9ole"),
    *("espa\u00f1a", "ni\u00f1os", "se\u00f1al", "jam\u00f3n", "a\u00f1o"),
    *("\u0111akovo", "\u0161kola", "\u010dasopis", "po\u017eega", "\u0107evapi"),
    *("\u043c\u043e\u0441\u043a\u0432\u0430", "\u043f\u043e\u0433\u043e\u0434\u0430"),
    *("\u043c\u0430\u0433\u0430\u0437\u0438\u043d", "\u043d\u043e\u0432\u043e\u0441\u0442\u0438"),
    *("\u03b5\u03bb\u03bb\u03ac\u03b4\u03b1", "\u03bd\u03ad\u03b1"),
    *("\u6771\u4eac", "\u5929\u6c14", "\u65b0\u805e", "\u8cfc\u7269"),
)
_HASHED = 2_000


def unseen_families(detector: ThreatDetector, data: Dataset) -> Section:
    """Leave out each family of programs from training, and look for it; also host by host.

    Parameters
    ----------
    detector : ThreatDetector
        Its parameters are used; a fresh one is trained for each family.
    data : Dataset
        With a column ``family``.

    Raises
    ------
    SchemaError
        A part has no such column.
    """
    known = detector._name("family")
    for part in (data.train, data.validation, data.test):
        if known not in part:
            raise SchemaError(
                f"Column {known!r} is missing: families of malware are left out one by one. Add "
                "it, missing for harmless names, or map your name to it."
            )
    families = sorted(set(data.train[known].dropna()))
    groups: list[tuple[str, ...]] = [g for g in _SIBLINGS if set(g) <= {*families}]
    groups += [(each,) for each in families if not any(each in g for g in groups)]
    rows: list[tuple[object, ...]] = [
        ("family left out", "names", *_METRICS[:2], "hosts", "by_host_at_1_percent")
    ]
    areas = []
    for group in tracked(groups, "families left out"):
        parts = (data.train, data.validation)
        fitted = clone(detector).fit(*(part[~part[known].isin(group)] for part in parts))
        judged = data.test[data.test[known].isna() | data.test[known].isin(group)]
        score, family = _scores(fitted, judged), judged[known].to_numpy(dtype=object)
        benign = pd.isna(family)
        for name in group:
            chosen = benign | (family == name)
            found = _estimates(~benign[chosen], score[chosen])
            hosts = [_hosts(score[each]) for each in (benign, family == name)]
            of_host = np.repeat([False, True], [*map(len, hosts)])
            by_host = _estimates(of_host, np.concatenate(hosts))[1]
            rows.append((name, int((family == name).sum()), *found[:2], len(hosts[1]), by_host))
            areas.append(Ranking(~benign[chosen], score[chosen]).auroc(np.ones(chosen.sum())))
    rows.append(("mean", None, float(np.mean(areas)), None, None, None))
    return Section(
        "Families that training had none of",
        "Each family is left out of training together with its siblings "
        f"({'; '.join(', '.join(g) for g in _SIBLINGS)}), and looked for among the harmless names "
        f"of the test. A host is the mean of {_NAMES_OF_A_HOST} names that it asks for.",
        rows,
    )


def unusual_names(detector: ThreatDetector, data: Dataset) -> Section:
    """Count false alarms among names that look generated and are not.

    Parameters
    ----------
    detector : ThreatDetector
        A fresh one is trained.
    data : Dataset
    """
    fitted = clone(detector).fit(data.train, data.validation)
    draw = np.random.default_rng(0)
    letters = np.array([*(string.ascii_lowercase + string.digits)])
    hashed = ["d" + "".join(draw.choice(letters, 13)) for _ in range(_HASHED)]
    judged = {
        "harmless names of the test": data.test.loc[
            ~data.test[data.target].astype(bool), fitted._name(fitted.raw)
        ].tolist(),
        "hashed, as content networks name hosts (simulated)": [f"{n}.example" for n in hashed],
        "words in other scripts": [f"{word}.example" for word in _WORDS_ABROAD],
    }
    rows: list[tuple[object, ...]] = [("names", "count", "stopped", "share")]
    for title, names in judged.items():
        found = fitted.false_alarms(pd.DataFrame({fitted._name(fitted.raw): names}))
        rows.append((title, found.rows, found.stopped, found.share))
    return Section(
        "Harmless names that look generated",
        "Share that is stopped at the threshold of the model. Content networks hash names as "
        "programs do: exempt the hosts that you know (AllowList), and ask about the rest.",
        rows,
    )


def evasion(detector: ThreatDetector, data: Dataset) -> Section:
    """Change fraudulent addresses as their owners might, and count what is still found.

    Parameters
    ----------
    detector : ThreatDetector
        A fresh one is trained.
    data : Dataset
    """
    fitted, column = clone(detector).fit(data.train, data.validation), detector._name(detector.raw)
    evil, score = _judged(fitted, data.test, data.target)
    threshold = DetectionCurve(score, evil).at(_RATE)[0]
    urls, before = data.test.loc[evil, column], score[evil]
    rows: list[tuple[object, ...]] = [
        ("change", "addresses", "found before", "found after", "other answers", "equivalent")
    ]
    for name, (change, equivalent) in _CHANGES.items():
        changed = urls.map(change)
        kept = changed.notna().to_numpy()
        after = _scores(fitted, pd.DataFrame({column: changed[kept]}))
        rows.append(
            (
                name,
                int(kept.sum()),
                float((before[kept] >= threshold).mean()),
                share_estimate(int((after >= threshold).sum()), len(after)),
                float((after != before[kept]).mean()),
                equivalent,
            )
        )
    return Section(
        "Evasion",
        f"Fraudulent addresses of the test, changed; the threshold stops {_RATE:.0%} of the "
        "harmless ones. Equivalent spellings lead to the same page and get the same answer; the "
        "other changes cost a fraud another name, or show in its address.",
        rows,
    )


def random_split(detector: ThreatDetector, data: Dataset) -> Section:
    """Judge the model on rows split at random, whose sites stand on both sides: a leak.

    Parameters
    ----------
    detector : ThreatDetector
        A fresh one is trained on each split.
    data : Dataset
    """
    every = pd.concat([data.train, data.validation, data.test], ignore_index=True)
    parts = split_random(every, target=data.target, seed=0)
    owner, prepared = detector.owner, [*map(detector.prepare, parts)]
    # An owner of its own for each row: nothing refuses what is asked for here.
    leaking = [
        part.drop(columns=detector._name(detector.raw), errors="ignore").assign(
            **{owner: [f"{place}:{row}" for row in range(len(part))]}
        )
        for place, part in enumerate(prepared)
    ]
    rows: list[tuple[object, ...]] = [("split", "rows of the test", *_METRICS, "accuracy")]
    for name, (train, validation, test) in {
        "by registered domain": (data.train, data.validation, data.test),
        "at random (leaks: sites on both sides)": leaking,
    }.items():
        fitted = clone(detector).fit(train, validation)
        target, score = _judged(fitted, test, data.target)
        found = _estimates(target, score)
        rows.append((name, len(test), *found, float(((score >= 0.5) == target).mean())))
    return Section(
        "A random split, as what it is",
        "Papers mostly split rows at random. Pages of one site then stand in training and in test.",
        rows,
    )


def site_parts(detector: ThreatDetector, data: Dataset) -> Section:
    """Judge homepages, pages below them, and hosts alone apart.

    Parameters
    ----------
    detector : ThreatDetector
        A fresh one is trained.
    data : Dataset
    """
    fitted, column = clone(detector).fit(data.train, data.validation), detector._name(detector.raw)
    target, score = _judged(fitted, data.test, data.target)
    read = [canonical_url(url) for url in data.test[column]]
    bare = np.array([not address.path for address in read])
    hosts = pd.DataFrame({column: [address.host for address in read]})
    once = ~hosts[column].duplicated().to_numpy()
    of_host = _scores(fitted, hosts)
    rows: list[tuple[object, ...]] = [("judged", "harmless", "fraudulent", *_METRICS[:2])]
    for name, chosen, scores in (
        ("pages below a homepage", ~bare, score),
        ("bare homepages", bare, score),
        ("the host of each address alone, once", once, of_host),
    ):
        truth = target[chosen]
        found = _estimates(truth, scores[chosen])
        rows.append((name, int((~truth).sum()), int(truth.sum()), *found[:2]))
    return Section("Homepages and hosts alone", "Thresholds are set on each part anew.", rows)


def _scores(fitted: ThreatDetector, frame: pd.DataFrame) -> _Floats:
    found = fitted.predict(frame)
    return found[fitted.outputs_.names[0]].to_numpy(dtype=np.float64)


def _judged(
    fitted: ThreatDetector, test: pd.DataFrame, target: str
) -> tuple[NDArray[np.bool_], _Floats]:
    """Truth and scores of a test part."""
    return test[target].to_numpy(dtype=bool), _scores(fitted, test)


def _estimates(target: NDArray[np.bool_], score: _Floats) -> list[Estimate | None]:
    """AUROC and detection at both rates; None where there are too few harmless records."""
    found = detection_bootstrap(target, score).estimates()
    return [found.get(name) for name in _METRICS]


def _hosts(score: _Floats) -> _Floats:
    """Scores of names [N] -> means of ten of them each, in an order at random."""
    whole = len(score) // _NAMES_OF_A_HOST * _NAMES_OF_A_HOST
    drawn = np.random.default_rng(0).permutation(score)[:whole]
    found: _Floats = drawn.reshape(-1, _NAMES_OF_A_HOST).mean(axis=1)
    return found


def _on_host(change: Callable[[str], str | None], url: str) -> str | None:
    """An address whose host is changed; None where it cannot be."""
    address = canonical_url(url)
    if address.is_ip:
        return None
    host = change(address.host)
    port = f":{address.port}" if address.port else ""
    return None if host is None else f"http://{host}{port}{address.path}"


def _alike(host: str) -> str | None:
    """Letters of other scripts in the name of the owner."""
    owner = registered_domain(host)
    name, dot, suffix = owner.partition(".")
    changed = name.translate(_LOOKS_LIKE)
    if changed == name or "xn--" in owner:
        return None
    return f"{host[: len(host) - len(owner)]}{changed}{dot}{suffix}"


def _typo(host: str) -> str | None:
    """Two neighbouring letters of the name of the owner turned round."""
    owner = registered_domain(host)
    name, dot, suffix = owner.partition(".")
    middle = len(name) // 2
    turned = name[: middle - 1] + name[middle] + name[middle - 1] + name[middle + 1 :]
    if len(name) < 3 or turned == name or "xn--" in owner or "-" in (turned[0], turned[-1]):
        return None
    return f"{host[: len(host) - len(owner)]}{turned}{dot}{suffix}"


def _written_out(url: str) -> str | None:
    address = canonical_url(url)
    if address.is_ip or address.port:
        return None
    return f"https://www.{address.host}:443{address.path}"


def _in_capitals(url: str) -> str:
    parts = urlsplit(url if "//" in url else f"http://{url}")
    return f"{parts.scheme.upper()}://{parts.netloc.upper()}{url.partition(parts.netloc)[2]}"


def _escaped(url: str) -> str | None:
    """Letters of the path written as percent-encoded bytes; None where there are some already."""
    address = canonical_url(url)
    if not address.path or "%" in address.path:
        return None
    path = "".join(f"%{ord(c):02x}" if c in string.ascii_letters else c for c in address.path)
    return f"http://{str(address)[: -len(address.path)]}{path}"


_CHANGES: Mapping[str, tuple[Callable[[str], str | None], bool]] = {
    "scheme and host in capitals": (_in_capitals, True),
    "letters of the path percent-encoded": (_escaped, True),
    "https, www. and the default port written": (_written_out, True),
    "letters of another script in the name": (partial(_on_host, _alike), False),
    "two letters of the name turned round": (partial(_on_host, _typo), False),
    "two sub-domains added": (partial(_on_host, lambda host: f"secure.account.{host}"), False),
    "300 characters added to the query": (
        lambda url: url + ("&" if "?" in url else "?") + "news=" + "weather-report-" * 20,
        False,
    ),
}
