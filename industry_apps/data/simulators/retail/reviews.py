"""Simulated reviews of products that do not exist."""

from __future__ import annotations

import numpy as np
import pandas as pd

from industry_apps.errors import ParameterError

__all__ = ["product_reviews"]

_GOOD = (
    "great", "excellent", "perfect", "lovely", "solid", "reliable", "fast", "wonderful", "happy",
    "recommend", "best", "beautiful", "easy", "comfortable",
)  # fmt: skip
_BAD = (
    "poor", "terrible", "awful", "disappointing", "broken", "slow", "useless", "cheap", "worst",
    "refund", "ugly", "noisy", "flimsy", "annoyed",
)  # fmt: skip
_ABOUT = {
    "price": ("the price is {}", "{} value for the money", "for this price it is {}"),
    "delivery": ("delivery was {}", "the parcel arrived, {} shipping", "{} delivery"),
    "quality": ("the material feels {}", "{} quality", "it is made {}"),
    "service": ("the seller was {}", "{} service", "their support is {}"),
    "": ("it is {}", "{}", "my daughter finds it {}", "all in all {}"),
}
_FILLER = (
    "bought it in spring", "second one we have", "as in the picture", "for the kitchen",
    "used it every day", "it was a gift", "the colour is blue", "comes with two batteries",
)  # fmt: skip
#: Share of the statements that go against the whole review.
_AGAINST = 0.22
#: Share of statements that are said by a denial: "not great".
_DENIED = 0.15
_START = np.datetime64("2023-01-01", "s")
_DAYS = 540


def product_reviews(reviews: int = 20_000, products: int = 12, seed: int = 0) -> pd.DataFrame:
    """Simulate what customers write about the products of a shop.

    Each product has a share of positive reviews of its own that drifts over a year and a half.
    A review makes one to four statements on price, delivery, quality, service or the whole;
    about a fifth of them go against the review, some are said by a denial ("not great"), and
    fillers say nothing: no model can tell all reviews.

    Parameters
    ----------
    reviews : int
        > 0.
    products : int
        > 0.
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        ``time``, ``product``, ``text`` and ``is_positive``, by time.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> list(product_reviews(100).columns)
    ['time', 'product', 'text', 'is_positive']
    """
    if reviews < 1 or products < 1 or seed < 0:
        raise ParameterError(
            "product_reviews needs reviews > 0, products > 0 and seed >= 0. "
            f"Got {reviews!r}, {products!r} and {seed!r} instead."
        )
    rng = np.random.default_rng(seed)
    when = np.sort(rng.integers(0, _DAYS * 86_400, reviews))
    product = rng.integers(0, products, reviews)
    level, drift = rng.normal(0.3, 0.8, products), rng.normal(0, 1.0, products)
    liking = level[product] + drift[product] * (when / (_DAYS * 86_400) - 0.5)
    is_positive = rng.random(reviews) < 1 / (1 + np.exp(-liking))
    return pd.DataFrame(
        {
            "time": _START + when.astype("timedelta64[s]"),
            "product": [f"product {number + 1}" for number in product],
            "text": [_review(rng, bool(positive)) for positive in is_positive],
            "is_positive": is_positive,
        }
    )


def _review(rng: np.random.Generator, positive: bool) -> str:
    """One to four statements and a filler or two, as sentences."""
    count = int(rng.integers(1, 5))
    parts = [_statement(rng, positive != (rng.random() < _AGAINST)) for _ in range(count)]
    parts += [_FILLER[each] for each in rng.integers(0, len(_FILLER), rng.integers(0, 3))]
    order = rng.permutation(len(parts))
    return " ".join(f"{parts[place].capitalize()}." for place in order)


def _statement(rng: np.random.Generator, positive: bool) -> str:
    about = list(_ABOUT.values())[int(rng.integers(0, len(_ABOUT)))]
    denied = rng.random() < _DENIED
    words = _GOOD if positive != denied else _BAD
    # A few words are said most of the time, as in any language.
    word = words[min(int(rng.exponential(4.0)), len(words) - 1)]
    return about[int(rng.integers(0, len(about)))].format(f"not {word}" if denied else word)
