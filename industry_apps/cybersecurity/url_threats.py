"""URL threats: addresses that lead to pages which imitate somebody else's log-in.

Asked by a mail gateway, a proxy or an analyst, of each address before anybody follows it, from
its text alone. Runs of characters see what lures have in common; numbers of the spelling
(sub-domains, digits, a suffix where none belongs) see what names never met show;
the two are weighed on addresses of other owners (Sahingoz et al. 2019,
doi:10.1016/j.eswa.2018.09.029). How much false alarm can be borne is the
user's: decisions keep to a false-positive rate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.cybersecurity.threats import FEW_TREES, ThreatDetector, number_columns
from industry_apps.evaluation.detection import DETECTION
from industry_apps.evaluation.variants import Question
from industry_apps.limits import DROPOUT, SHARE, integer
from industry_apps.recipes import NgramOptions, TreeOptions
from industry_apps.runtime.addresses.lexical import URL_NUMBERS, url_columns
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

_WORD = re.compile(r"[a-z0-9]+", re.ASCII | re.IGNORECASE)
#: What padding begins with, and what stands between its words.
_FORMS = (("/", "/"), ("/", "-"), ("?q=", "+"), ("&n=", "-"), ("?a=", "&b="), ("#", "-"))
_MOST_PADDING = 700


class UrlThreatDetector(ThreatDetector):
    """Probability that a URL is phishing, and whether to stop it at a false-positive rate.

    Addresses are read in one canonical form (:mod:`industry_apps.runtime.addresses.canonical`):
    the scheme, ``www.``, the default port and a trailing slash have no effect, nor has the way
    of writing what a browser reads alike. The file takes the columns of
    :func:`industry_apps.runtime.addresses.lexical.url_columns`; ``Model``, a server and
    :meth:`prepare` make them of the address, by the same function.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"url": "link"}``.
    model : {"stack", "characters", "words", "trees", "character_cnn"}
        Linear models of runs of characters or of words, boosted trees over the numbers and
        frequent words, a convolutional network over the first 256 characters, or characters and
        trees weighed on addresses they have not seen.
    false_positive_rate : float
        Share of harmless addresses that may be stopped, in (0, 1]; the threshold is set on held
        out addresses of other owners.
    ngrams : NgramOptions, optional
    trees : TreeOptions, optional
    training : TrainingOptions, optional
        Of the network.
    seed : int
    padded : float
        Share of the training addresses, harmless and not, that are learned from once more with
        words of harmless ones behind them, in [0, 1): who sends an address can append anything.
        With 0.3 more is found of what is padded, and less of what is not.

    Notes
    -----
    Who knows the model evades it by a long harmless query behind an address: see ``padded``, and
    ``--study evasion``, which counts it.

    An owner is a registered domain by the public-suffix list, its private section included: two
    customers of a host are two owners. Who is read as evil by an address alone may be wronged;
    reasons name the columns that count most against it, of a stack and of trees; the other models
    read the text alone, and name none.

    Examples
    --------
    >>> from industry_apps.cybersecurity import UrlThreatDetector
    >>> data = UrlThreatDetector.sample()
    >>> detector = UrlThreatDetector.fast().fit(data)
    >>> detector.predict(data.test.head(2)).columns[:2].tolist()
    ['phishing_probability', 'is_phishing']
    """

    name = "cybersecurity.url_threats"
    question = "Does this address lead to a fraud?"
    simulator = "cybersecurity_url_simulator"
    schema = Schema(
        (
            Column("url", "text", "The address, as it was found"),
            Column.label("is_phishing", "The label, in training"),
        )
    )
    outputs = Schema(
        (
            Column.probability("phishing_probability", "Calibrated probability of phishing"),
            Column("is_phishing", "boolean", "Stop it", nullable=False),
            Column("reasons", "category", "What speaks most against it, falling", size=None),
        )
    )
    traits = Traits(inputs=("text", "number"), explains=True)
    problem = DETECTION
    label: ClassVar[str] = "is_phishing"
    raw: ClassVar[str] = "url"
    owner: ClassVar[str] = "owner"
    reader: ClassVar[str] = "url"
    read_schema: ClassVar[Schema] = Schema(
        (
            Column("address", "text", "In canonical form", nullable=False),
            *number_columns(URL_NUMBERS),
        )
    )

    runs: ClassVar[NgramOptions] = NgramOptions(
        shortest=3, longest=5, character_freedom=0.3, negators=()
    )

    model: Literal["stack", "characters", "words", "trees", "character_cnn"] = "stack"
    false_positive_rate: Annotated[float, SHARE] = 0.01
    ngrams: NgramOptions | None = None
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    padded: Annotated[float, DROPOUT] = 0.0
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds."""
        return cls(
            trees=FEW_TREES,
            training=TrainingOptions(max_epochs=2, progress=False),
        )

    def studies(self) -> Mapping[str, Question]:
        """Evasion, parts of a site, and what a split at random would promise."""
        from industry_apps.cybersecurity.threat_studies import evasion, random_split, site_parts

        return {
            "evasion": lambda data: (evasion(self, data),),
            "random_split": lambda data: (random_split(self, data),),
            "site_parts": lambda data: (site_parts(self, data),),
        }

    def _with_copies(self, train: pd.DataFrame) -> pd.DataFrame:
        """The training table, and copies of some addresses with more behind them."""
        if not self.padded:
            return train
        draw = np.random.default_rng(self.seed)
        chosen = train[draw.random(len(train)) < self.padded]
        harmless = train.loc[~self._table(train).records.labels(train), "address"]
        text = " ".join(harmless.map(lambda address: address.partition("/")[2]))
        words = np.array(_WORD.findall(text) or ["page"], dtype=object)
        found = [each if "/" in each else f"{each}/" for each in chosen["address"]]
        made = url_columns([f"http://{each}{_padding(words, draw)}" for each in found])
        made.pop(self.owner)
        return pd.concat([train, chosen.assign(**made)], ignore_index=True)


def _padding(words: NDArray[np.object_], draw: np.random.Generator) -> str:
    """Words of harmless addresses, as folders, as a query or as a fragment."""
    found = draw.choice(words, int(draw.integers(5, 80)))
    begin, between = _FORMS[int(draw.integers(len(_FORMS)))]
    return f"{begin}{between.join(found)}"[:_MOST_PADDING]
