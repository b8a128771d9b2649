"""Points of a scorecard, drawn."""

from __future__ import annotations

import pandas as pd

from industry_apps.recipes.decision.scorecard_plots import points_plot, points_section

TABLE = pd.DataFrame(
    {
        "attribute": ["age", "age", "purpose", "purpose", "purpose"],
        "bin": ["less than 25", "25 or more", "car", "x" * 90, "missing"],
        "points": [-12, 30, 8, 14, 0],
    }
)


def test_each_bin_has_a_bar_of_its_points():
    (axes,) = points_plot(TABLE, "purpose").axes
    assert [bar.get_width() for bar in axes.patches] == [8, 14, 0]
    assert [text.get_text() for text in axes.texts] == ["8", "14", "0"]
    words = [tick.get_text() for tick in axes.get_yticklabels()]
    assert words[::2] == ["car", "missing"]
    assert words[1].endswith("...")
    assert axes.lines[0].get_xdata()[0] == 14
    (axes,) = points_plot(TABLE, "age").axes
    assert [bar.get_width() for bar in axes.patches] == [-12, 30]
    assert axes.patches[0].get_facecolor() != axes.patches[1].get_facecolor()


def test_the_section_has_the_table_and_a_figure_for_each_attribute():
    section = points_section(TABLE)
    assert section.title == "Points"
    assert section.records()[1] == {"attribute": "age", "bin": "25 or more", "points": 30}
    labels = [draw().get_label() for draw in section.figures]
    assert labels == ["Points of age", "Points of purpose"]
