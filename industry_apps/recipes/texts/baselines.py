"""What a model of texts has to beat: models that scikit-learn users reach for first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.recipes.scorers import Labelled


class TextBaselines:
    """The share of positives, multinomial naive Bayes, and TF-IDF with logistic regression.

    All read single words and pairs, as scikit-learn finds them, with its default settings.

    Parameters
    ----------
    column : str
        The text column.
    """

    def __init__(self, column: str) -> None:
        self.column = column
        self.models_: Mapping[str, Any] = {}  # until they are learned, there is none

    def fit(self, train: Labelled) -> TextBaselines:
        """Learn from training texts.

        Parameters
        ----------
        train : Labelled
        """
        from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.naive_bayes import MultinomialNB
        from sklearn.pipeline import make_pipeline

        texts = train.arrays[self.column].tolist()
        self.share_ = float(train.target.mean())
        self.models_ = {
            "naive_bayes": make_pipeline(CountVectorizer(ngram_range=(1, 2)), MultinomialNB()),
            "tfidf_logistic_regression": make_pipeline(
                TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1_000)
            ),
        }
        for model in self.models_.values():
            model.fit(texts, train.target)
        return self

    def probabilities(self, texts: NDArray[np.object_]) -> dict[str, NDArray[np.float64]]:
        """Texts [rows] -> {baseline: probability [rows]}.

        Parameters
        ----------
        texts : ndarray of str, shape [rows]
        """
        if not self.models_:
            return {}
        found = {"prevalence": np.full(len(texts), self.share_)}
        for name, model in self.models_.items():
            found[name] = model.predict_proba(texts.tolist())[:, 1]
        return found
