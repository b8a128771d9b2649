"""Survival: what is particular to its answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import LeakageWarning
from industry_apps.healthcare import SurvivalPredictor
from industry_apps.runtime import Model


def test_one_horizon_and_one_reason_are_lists_of_one(tmp_path):
    data = SurvivalPredictor.sample()
    fitted = SurvivalPredictor.fast().set_params(horizons=(365,), reasons=1).fit(data)
    native = fitted.predict(data.test.head(3))
    model = Model(fitted.export(tmp_path / "one.onnx"))
    answers = model.predict(data.test.head(3))
    one = model.predict(data.test.head(1).to_dict("records")[0])
    for name in ("survival", "survival_low", "survival_high", "reasons"):
        assert [len(each) for each in native[name]] == [1, 1, 1]
        assert [len(each) for each in answers[name]] == [1, 1, 1]
        assert isinstance(one[name], list)
    assert native["reasons"].tolist() == answers["reasons"].tolist()
    assert np.allclose(np.stack(native["survival"]), np.stack(answers["survival"]), atol=1e-4)


def test_equal_rows_are_counted_and_a_column_that_tells_is_named():
    data = SurvivalPredictor.sample()
    parts = [
        part.drop(columns="patient", errors="ignore") for part in (data.train, data.validation)
    ]
    fitted = SurvivalPredictor.fast().fit(*parts)
    twice = pd.concat([data.test, parts[0].head(5)])
    assert any(n.startswith("5 of ") for n in fitted.evaluate(twice).notes)
    leaking = [part.assign(cause=np.where(part["event"], "heart", None)) for part in parts]
    with pytest.warns(LeakageWarning, match="'cause' alone"):
        SurvivalPredictor.fast().fit(*leaking)
