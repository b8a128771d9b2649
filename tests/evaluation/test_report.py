"""The report as table, JSON and page, and its plots."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Costs, Estimate, Published, Report, Section
from industry_apps.evaluation import page as page_module
from industry_apps.evaluation.decisions import DECISION, DecisionCurves
from industry_apps.evaluation.plots import (
    blank_figure,
    calibration_plot,
    cost_plot,
    drift_plot,
    precision_recall_plot,
)

EVIL = "<script src=http://x.example/a.js>'\"&"
PLOTS = (precision_recall_plot, calibration_plot, cost_plot, drift_plot)


def scored(n=2000, seed=0, day=True):
    rng = np.random.default_rng(seed)
    probability = rng.beta(0.3, 6, n)
    start = np.datetime64("2018-08-08")
    return DecisionCurves(
        target=rng.random(n) < probability,
        probability=probability,
        threshold=0.05,
        costs=Costs(),
        day=start + rng.integers(0, 14, n) if day else None,
    )


@pytest.fixture(scope="module")
def report():
    return Report(
        application="a.b",
        data="rows",
        model="trees",
        problem=DECISION,
        metrics={"auroc": Estimate(0.914, 0.89, 0.93), "brier": Estimate(0.1, 0.09, 0.11)},
        split={"test": {"rows": np.int64(2000), "from": np.datetime64("2018-08-08")}},
        baselines={
            "prevalence": {"auroc": Estimate(0.5, 0.5, 0.5), "brier": Estimate(0.2, 0.19, 0.21)},
            "linear": {"auroc": Estimate(0.9, 0.88, 0.92), "brier": Estimate(0.11, 0.1, 0.12)},
        },
        margins={"linear": {"brier": Estimate(-0.01, -0.012, -0.008)}},
        published=(
            Published("forest", "auroc", 0.90321, "a paper", True),
            Published("tuned", "auroc", 0.95678, "a blog", False),
        ),
        parity={"rows": 2000, "changed_decisions": 0, "largest_difference": 2.3e-7},
        curves=scored(),
        notes=("Simulated.",),
    )


def test_the_text_holds_the_metrics_verdicts_and_published_numbers(report):
    text = str(report)
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    assert [
        "auroc",
        "0.91 [0.89, 0.93]",
        "0.500 [0.500, 0.500]",
        "0.90 [0.88, 0.92]",
        "0.90",
    ] in lines
    assert ["auroc", "cannot be told apart from linear"] in lines
    assert ["brier", "beats linear (difference -0.010 [-0.012, -0.008])"] in lines
    assert ["system", "metric", "value", "same protocol", "source"] in lines
    assert ["tuned", "auroc", "0.96", "no", "a blog"] in lines  # no finer than our interval
    assert "0.957" not in text
    assert "test   2 000 rows, from 2018-08-08" in text
    assert "0 changed decisions" in text
    assert "note: Simulated." in text


@pytest.mark.parametrize(
    ("metric", "mine", "margin", "verdict"),
    [
        ("auroc", (0.6, 0.5, 0.7), (0.1, 0.05, 0.15), "beats"),
        ("auroc", (0.4, 0.3, 0.5), (-0.1, -0.15, -0.05), "does not beat"),
        ("auroc", (0.5, 0.4, 0.6), (0.0, -0.05, 0.05), "cannot be told apart from"),
        ("brier", (0.4, 0.3, 0.5), (-0.1, -0.15, -0.05), "beats"),
        ("brier", (0.6, 0.5, 0.7), (0.1, 0.05, 0.15), "does not beat"),
        ("auroc", (0.9, 0.8, 0.95), None, "beats"),
        ("auroc", (0.2, 0.1, 0.3), None, "does not beat"),
        ("auroc", (0.6, 0.5, 0.7), None, "cannot be told apart from"),
        ("brier", (0.2, 0.1, 0.3), None, "beats"),
        ("brier", (0.9, 0.8, 0.95), None, "does not beat"),
    ],
)
def test_verdicts(metric, mine, margin, verdict):
    report = Report(
        application="a",
        data="d",
        model="m",
        problem=DECISION,
        metrics={metric: Estimate(*mine)},
        baselines={"other": {metric: Estimate(0.5, 0.4, 0.6)}},
        margins={} if margin is None else {"other": {metric: Estimate(*margin)}},
    )
    (found,) = report.comparisons()
    assert (found.verdict, found.baseline) == (verdict, "other")


def test_the_headline_counts_alerts(report):
    curves = DecisionCurves(
        target=np.array([1, 1, 0, 0], bool),
        probability=np.array([0.9, 0.2, 0.8, 0.1]),
        threshold=0.8,
        costs=Costs(),
    )
    told = replace(report, curves=curves).headline()
    assert "2 alerts on 4 rows and catches 1 of 2 positives; 50% of the alerts are right" in told
    assert "0.91 [0.89, 0.93]" in replace(report, curves=None).headline()


def test_json_round_trip(report, tmp_path):
    path = tmp_path / "new" / "report.json"
    text = report.to_json(path)
    found = json.loads(text)
    assert json.loads(path.read_text(encoding="utf-8")) == found
    assert found["metrics"]["auroc"] == {"value": 0.914, "low": 0.89, "high": 0.93}
    assert found["baselines"]["linear"]["brier"]["high"] == 0.12
    assert found["published"][1] == {
        "system": "tuned",
        "metric": "auroc",
        "value": 0.95678,
        "source": "a blog",
        "same_protocol": False,
    }
    assert found["split"]["test"] == {"rows": 2000, "from": "2018-08-08"}
    assert found["parity"]["changed_decisions"] == 0
    assert {"application", "data", "model", "comparisons", "notes"} <= set(found)


class Page(HTMLParser):
    """Collects tags, attributes and text; counts unclosed elements."""

    VOID = frozenset({"meta", "br", "img", "link", "input"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def html(report, tmp_path_factory):
    path = report.to_html(tmp_path_factory.mktemp("page") / "deep" / "report.html")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
    return path.read_text(encoding="utf-8")


def test_the_page_needs_nothing_else_and_is_well_formed(html):
    page = Page(html)
    assert page.open == []
    assert not {"script", "link", "iframe", "img", "object", "base"} & set(page.tags)
    fetching = {"src", "href", "xlink:href", "srcset", "action", "data"}
    for name, value in page.attributes:
        assert name not in fetching or value.startswith("#")
        assert not name.startswith("on")
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert page.tags.count("svg") == page.tags.count("figcaption") == len(PLOTS)
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert len(labels) == len(PLOTS)


def test_ids_that_plots_share_name_the_same_thing(html):
    defined = re.findall(r'<(?:path|clipPath)\b[^>]* id="([^"]+)"[^>]*>', html)
    used = set(re.findall(r'(?:url\(|xlink:href=")#([^)"]+)', html))
    assert used <= set(defined)


def test_names_are_escaped_everywhere(report):
    evil = replace(
        report,
        application=EVIL,
        data=EVIL,
        model=EVIL,
        metrics={EVIL: Estimate(0.5, 0.4, 0.6)},
        split={EVIL: {EVIL: EVIL}},
        baselines={EVIL: {EVIL: Estimate(0.4, 0.3, 0.5)}},
        margins={},
        published=(Published(EVIL, EVIL, 0.5, EVIL, True),),
        parity={EVIL: EVIL},
        notes=(EVIL,),
        curves=None,
    )
    page = Page(page_module.page(evil))
    assert page.open == []
    assert "script" not in page.tags
    assert sum(EVIL in words for words in page.words) >= 8


def test_a_notebook_shows_the_same_page_without_its_shell_every_time(report, html):
    shown = report._repr_html_()
    assert shown in html
    assert "<html" not in shown


def test_a_failed_write_leaves_the_old_page_and_no_debris(report, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(page_module, "page", lambda report: "\ud800")  # cannot be encoded
    with pytest.raises(UnicodeEncodeError):
        report.to_html(path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_without_curves_or_days_the_plots_are_left_out(report):
    assert page_module.page(replace(report, curves=None)).count("<svg") == 0
    assert page_module.page(replace(report, curves=scored(day=False))).count("<svg") == 3
    with pytest.raises(SchemaError, match="needs the day"):
        drift_plot(scored(day=False))


@pytest.fixture(scope="module")
def sectioned(report):
    def draw():
        figure, _ = blank_figure()
        figure.set_label("How to read it.")
        return figure

    frame = pd.DataFrame(
        {
            "rate": [Estimate(0.5, 0.4, 0.6), Estimate(np.nan, np.nan, np.nan)],
            "long_name": [np.int64(12345), 7],
            "share": [np.inf, np.nan],
            "day": pd.to_datetime(["2017-01-03", None]),
        },
        index=pd.Index(["a", EVIL], name="group"),
    )
    sections = (
        Section("First", "One.\n\nTwo & three.", frame, (draw, draw)),
        Section("Second", table=[["points", ""], [1.23456, None], [20000.4, True]]),
        Section("Third", "Words only."),
    )
    return replace(report, curves=None, sections=sections, headline_text="All <well>.")


def test_sections_stand_in_the_text(sectioned):
    lines = [re.split(r"\s{2,}", line.strip()) for line in str(sectioned).splitlines()]
    assert ["group", "rate", "long name", "share", "day"] in lines
    assert ["a", "0.50 [0.40, 0.60]", "12 345", "inf", "2017-01-03"] in lines
    assert [EVIL, "undefined (no interval)", "7", "-", "-"] in lines
    assert ["20 000", "yes"] in lines
    assert ["Words only."] in lines
    assert ["All <well>."] in lines
    assert sectioned.headline() == "All <well>."


def test_sections_stand_in_the_json(sectioned):
    json.dumps(sectioned.to_dict()["sections"], allow_nan=False)
    found = json.loads(sectioned.to_json())["sections"]
    assert list(found) == ["First", "Second", "Third"]
    assert found["First"]["text"] == "One.\n\nTwo & three."
    assert found["First"]["table"] == [
        {
            "group": "a",
            "rate": {"value": 0.5, "low": 0.4, "high": 0.6},
            "long_name": 12345,
            "share": None,
            "day": "2017-01-03",
        },
        {
            "group": EVIL,
            "rate": {"value": None, "low": None, "high": None},
            "long_name": 7,
            "share": None,
            "day": None,
        },
    ]
    assert found["Second"]["table"][1] == {"points": 20000.4, "": True}
    assert found["Third"]["table"] == []


def test_sections_stand_on_the_page(sectioned):
    html = page_module.page(sectioned)
    page = Page(html)
    assert page.open == []
    assert "script" not in page.tags
    assert EVIL in page.words
    assert {"First", "Second", "Third", "Words only.", "One.", "Two & three."} <= set(page.words)
    assert "All <well>." in page.words
    assert page.tags.count("svg") == 2
    assert page.words.count("How to read it.") == 2
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert labels == ["Plot: First. How to read it."] * 2


def test_sections_need_titles_of_their_own(report):
    with pytest.raises(ParameterError, match=r"different titles. Got \['A'\]"):
        replace(report, sections=(Section("A"), Section("A"), Section("B")))


EDGES = {
    "one row": DecisionCurves(
        target=np.array([True]),
        probability=np.array([0.5]),
        threshold=0.5,
        costs=Costs(),
        day=np.array([3]),
    ),
    "no alert": replace(scored(50), threshold=1.5),
    "all alerts": replace(scored(50), threshold=0.0),
    "no positive": replace(scored(50), target=np.zeros(50, bool)),
    "constant score": replace(scored(50), probability=np.full(50, 0.1)),
    "zero score": replace(scored(50), probability=np.zeros(50)),
    "free alerts": replace(scored(50), costs=Costs(false_alarm=0.0)),
    "many days": replace(scored(50), day=np.arange(50) * 100),
}


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("plot", PLOTS)
def test_plots_of_edge_cases_draw_with_labels(plot, name):
    figure = plot(EDGES[name])
    figure.set_layout_engine("none")  # placing the axes takes longer than all the rest
    figure.draw_without_rendering()
    assert all(axes.get_ylabel() for axes in figure.axes)
    assert figure.axes[-1].get_xlabel()


def test_plots_draw_what_they_say():
    curves = scored()
    target, probability = curves.target, curves.probability
    (axes,) = precision_recall_plot(curves).axes
    dot = axes.lines[-1]
    raised = probability >= 0.05
    assert dot.get_xdata()[0] == pytest.approx(target[raised].sum() / target.sum())
    assert dot.get_ydata()[0] == pytest.approx(target[raised].mean())
    (axes,) = cost_plot(curves).axes
    missed, false_alarms = (target & ~raised).sum(), (raised & ~target).sum()
    assert axes.lines[-1].get_ydata()[0] == pytest.approx((20 * missed + false_alarms) / 2)
    shares, counts = drift_plot(curves).axes
    first_day = curves.day == curves.day.min()
    assert shares.lines[0].get_ydata()[0] == pytest.approx(target[first_day].mean())
    assert sum(bar.get_height() for bar in counts.patches) == raised.sum()
    _, rows = calibration_plot(curves).axes
    assert sum(bar.get_height() for bar in rows.patches) == 2000
