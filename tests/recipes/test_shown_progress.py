"""A fit that takes long says how far it is."""

from __future__ import annotations

import pytest

from industry_apps.healthcare import SurvivalPredictor
from industry_apps.retail import SentimentAnalyzer
from industry_apps.runtime import progress
from industry_apps.training import TrainingOptions


@pytest.mark.parametrize(
    ("application", "model", "lines"),
    [
        (SurvivalPredictor, "auto", ("learning models: 20%", "learning folds: 20%")),
        (SurvivalPredictor, "forest", ("growing trees: 10%", "learning folds: 20%")),
        (SentimentAnalyzer, "stack", ("learning models: 50%", "learning folds: 20%")),
    ],
)
def test_each_fit_of_several_steps_shows_how_far_it_is(
    monkeypatch, capsys, application, model, lines
):
    monkeypatch.setattr(progress, "_WAIT_SECONDS", -1.0)
    short = application.fast().set_params(model=model, training=TrainingOptions(max_epochs=1))
    short.fit(application.sample().train.head(200))
    shown = capsys.readouterr().err
    assert [line for line in lines if line not in shown] == []


def test_a_single_step_shows_nothing(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_WAIT_SECONDS", -1.0)
    assert list(progress.tracked("a", "example")) == ["a"]
    assert capsys.readouterr().err == ""
