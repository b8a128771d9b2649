"""Survival: what is particular to its answers."""

from __future__ import annotations

import numpy as np

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
