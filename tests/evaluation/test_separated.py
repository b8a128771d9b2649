"""Baselines that are all but right: said of every kind of problem, and of nothing less."""

from __future__ import annotations

import pytest

from industry_apps.evaluation import Estimate, Problem, Report
from industry_apps.registry import APPLICATIONS, application

PROBLEMS = {kind.problem.name: kind.problem for kind in map(application, APPLICATIONS)}
#: Metric, what the trivial baseline reaches, what is nearly right, and what is not.
CASES = {
    "decision": ("auroc", 0.5, 0.996, 0.99),
    "detection": ("auroc", 0.5, 0.996, 0.99),
    "record detection": ("auroc", 0.5, 0.996, 0.99),
    "classes": ("accuracy", 0.4, 0.995, 0.99),
    "labels": ("accuracy", 0.5, 0.996, 0.99),
    "forecast": ("mase", 1.2, 0.01, 0.02),
    "survival": ("c_index", 0.5, 0.996, 0.99),
    "masks": ("dice", 0.0, 0.991, 0.98),
    "properties": ("rmse", 300.0, 2.9, 3.1),
    "ranking": ("ndcg_at_10", 0.2, 0.993, 0.99),
    "defects": ("auroc", 0.5, 0.996, 0.99),
    "failure alarm": ("missed_failures", 1.0, 0.005, 0.02),
    "remaining life": ("rmse", 40.0, 0.3, 0.5),
    "supply chain": ("regret", 8000.0, 70.0, 90.0),
    "line faults": ("accuracy", 0.4, 0.995, 0.99),
    "plant faults": ("median_delay", 300.0, 2.0, 5.0),
    "power": ("rmse", 40.0, 0.3, 0.5),
    "verification": ("eer", 0.5, 0.004, 0.01),
}


def judged(problem: Problem, metric: str, usual: float, others: list[float], **test: int) -> str:
    rows = {f"learned_{n}": {metric: Estimate(v, v, v)} for n, v in enumerate(others)}
    rows[problem.trivial[0]] = {metric: Estimate(usual, usual, usual)}
    return Report(
        model="trees",
        metrics={metric: Estimate(usual, usual, usual)},
        problem=problem,
        baselines=rows,
        split={"test": test or {"rows": 200}},
    ).separated()


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_every_problem_says_so_or_has_no_best_answers(name: str):
    problem = PROBLEMS[name]
    if name not in CASES:
        assert all(metric.best is None for metric in problem.metrics)
        return
    metric, usual, right, nearly = CASES[name]
    said = judged(problem, metric, usual, [right, right])
    assert said.startswith("Every baseline separates the outcomes")
    assert f"{metric} of nearly" in said
    assert "learned_0, learned_1" in said
    assert judged(problem, metric, usual, [right, nearly]) == ""
    assert judged(problem, metric, usual, []) == ""


def test_few_events_tell_too_little():
    asked = PROBLEMS["decision"], "auroc", 0.5, [1.0]
    assert judged(*asked, rows=500, positives=50)
    assert not judged(*asked, rows=500, positives=49)
    assert not judged(*asked, rows=500, positives=451)
    assert not judged(*asked, rows=49)
