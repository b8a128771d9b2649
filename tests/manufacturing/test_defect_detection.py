"""What is particular to defects of parts: regimes, thresholds, aligned maps, boxes, bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import LeakageError, ParameterError, SchemaError, TrainingError
from industry_apps.manufacturing import DefectDetector
from industry_apps.runtime import Model, RegionBoxes


def fast(**parameters):
    return DefectDetector.fast().set_params(**parameters)


def brief(**parameters):
    """Trained for a moment: what it has learned does not matter."""
    made = fast(**parameters)
    training = replace(made.options.training, max_epochs=1)
    return made.set_params(options=replace(made.options, draws=32, training=training))


def changed(frame, row, name, value):
    """A table with another value in one cell, which may be an array."""
    cells = list(frame[name])
    cells[row] = value
    return frame.assign(**{name: pd.Series(cells, index=frame.index, dtype=object)})


@pytest.fixture(scope="module")
def data():
    return DefectDetector.sample()


@pytest.fixture(scope="module")
def detector(data):
    return fast().fit(data)


@pytest.fixture(scope="module")
def model(detector, data, tmp_path_factory):
    return Model(detector.export(tmp_path_factory.mktemp("parts") / "parts.onnx", check=data))


@pytest.fixture(scope="module")
def normal(data):
    return brief(regime="one_class").fit(data)


@pytest.fixture(scope="module")
def pairs(data):
    return brief(regime="comparison").fit(data)


def test_known_defects_are_found_named_and_marked(detector, data):
    report = detector.evaluate(data)
    assert report.margins["nearest_neighbour"]["macro_f1"].low > 0
    assert report.margins["gradients_pca_svm"]["auroc"].low > 0
    assert report.metrics["pixel_auroc"].low > 0.7
    types = set(detector.predict(data.test)["defect_type"])
    assert types <= {"good", "pit", "scratch", "stain"}
    assert len(types) > 2


def test_file_and_trained_model_mark_the_same_pixels_and_draw_the_same_boxes(detector, model, data):
    ours, theirs = detector.predict(data.test), model.predict(data.test)
    assert all(map(np.array_equal, ours["mask"], theirs["mask"]))
    draw = RegionBoxes.of_file(model.metadata)
    boxes = draw.of_table(list(theirs["mask"]), list(theirs["heat_map"]))
    assert boxes == detector.boxes(data.test)
    assert any(boxes)
    assert all(box.type in detector.classes_[1:] for each in boxes for box in each)


def test_maps_lie_where_the_image_does_whatever_its_aspect(detector, model, data):
    marked = data.test[data.test["defect"] == "pit"].iloc[0]
    good = data.test[data.test["defect"] == "good"]["image"].iloc[0]
    for axis in (0, 1):
        for first in (True, False):
            parts = [marked["image"], good] if first else [good, marked["image"]]
            answer = model.predict({"image": np.concatenate([*parts, good], axis=axis)})
            heat, side = np.asarray(answer["heat_map"]), good.shape[axis]
            assert heat.shape == np.concatenate([*parts, good], axis=axis).shape
            place = np.unravel_index(heat.argmax(), heat.shape)[axis]
            assert (place < side) == first, (axis, first, place)


def test_which_regime_it_is_follows_from_the_data(data):
    train = data.train
    plain = train.drop(columns="reference")
    names = {name: name for name in DefectDetector.schema.names}
    from industry_apps.manufacturing.defects.reading import regime_of

    assert regime_of("auto", train, names, "good") == "comparison"
    assert regime_of("auto", plain, names, "good") == "supervised"
    assert regime_of("auto", plain[plain["defect"] == "good"], names, "good") == "one_class"
    masks = plain.drop(columns="defect")
    assert regime_of("auto", masks, names, "good", {"pit": 255}) == "supervised"
    with pytest.raises(SchemaError, match="no column 'defect' or 'boxes'"):
        regime_of("auto", masks, names, "good")
    assert regime_of("one_class", train[["image"]], names, "good") == "one_class"
    with pytest.raises(SchemaError, match="regime='one_class' where all parts are good"):
        regime_of("auto", train[["image"]], names, "good")
    with pytest.raises(SchemaError, match="no column 'reference'"):
        regime_of("comparison", plain, names, "good")


def test_the_report_says_which_regime_it_is(normal, data):
    report = normal.evaluate(data)
    assert "The regime is 'one_class'." in report.notes
    assert set(report.baselines) == {"constant", "patch_statistics", "linear_autoencoder"}
    assert report.metrics["pixel_auroc"].value > 0


def test_good_parts_alone_set_the_threshold_at_the_wanted_false_alarms(normal, data):
    facts = normal.recipe_.facts()["decision"]
    assert facts["threshold_set_by"] == "false_alarm_rate"
    good = data.validation[data.validation["defect"] == "good"]
    assert facts["normal_records"] == len(good)
    assert normal.predict(good)["is_defect"].mean() <= 0.05
    assert "promises nothing of how many anomalies" in str(normal.evaluate(data))


def test_validation_without_a_defect_sets_the_threshold_at_the_wanted_false_alarms(data):
    good = data.validation[data.validation["defect"] == "good"]
    fitted = brief(false_alarm_rate=0.1).fit(data.train, good)
    assert fitted.recipe_.decision_.threshold.way == "false_alarm_rate"
    assert fitted.predict(good)["is_defect"].mean() <= 0.1


def test_scores_are_not_clipped(data):
    made = brief(regime="one_class")
    normal = made.set_params(options=replace(made.options, scorer="memory")).fit(data)
    strange = np.zeros((32, 40), np.uint8)
    strange[10:12, 20:22] = 255  # which departs from the rest by 20 standard deviations
    scores = normal.predict(pd.DataFrame({"image": [strange, data.test["image"].iloc[0]]}))
    assert scores["anomaly_score"][0] > 5
    column = normal.outputs_["anomaly_score"]
    assert (column.low, column.high) == (None, None)


def test_a_threshold_of_ones_own_is_kept_and_written(data, tmp_path):
    for regime, score, own in (
        ("supervised", "defect_probability", 0.321),
        ("one_class", "anomaly_score", -7.5),
    ):
        fitted = brief(regime=regime, threshold=own).fit(data)
        model = Model(fitted.export(tmp_path / f"{regime}.onnx", check=data.test.head(20)))
        told = model.metadata["decision"]
        assert (told["threshold"], told["threshold_set_by"]) == (own, "given")
        answer = model.predict(data.test)
        assert ((answer[score] >= own) == answer["is_defect"]).all()


def test_a_threshold_that_no_probability_reaches_and_costs_of_nothing_are_refused(data):
    with pytest.raises(ParameterError, match=r"'threshold'.*in \[0, 1\].*Got 5.0"):
        brief(threshold=5.0).fit(data)
    brief(threshold=1.0).fit(data)
    nothing = brief(missed_defect_cost=0.0, false_alarm_cost=0.0)
    words = "'false_alarm_cost' and 'missed_defect_cost' parameters of DefectDetector are both 0"
    with pytest.raises(ParameterError, match=f"{words}.*Give one of them above 0"):
        nothing.fit(data)
    nothing.set_params(missed_defect_cost=1.0).fit(data)


@pytest.mark.parametrize("regime", ["supervised", "one_class"])
def test_other_labels_of_good_parts_are_named_with_a_remedy_that_works(data, regime):
    def called(word):
        parts = data.train, data.validation
        return [part.assign(defect=part["defect"].replace("good", word)) for part in parts]

    count = int((data.train["defect"] == "good").sum())
    with pytest.raises(TrainingError, match=rf"'defect': no .*'ok' \({count} rows\).*good='ok'"):
        brief(regime=regime).fit(*called("ok"))
    brief(regime=regime, good="ok").fit(*called("ok"))
    with pytest.raises(SchemaError, match=r"'defect', row \d+.*got 'Good '.*good='Good '"):
        brief(regime=regime).fit(*called("Good "))
    brief(regime=regime, good="Good ").fit(*called("Good "))


def test_a_covered_lens_teaches_nothing_and_passes_nothing(detector, model, normal, data):
    black = pd.DataFrame({"image": [np.zeros((32, 40), np.uint8), np.full((9, 9), 200, np.uint8)]})
    for answer in (detector.predict(black), model.predict(black)):
        assert answer["is_defect"].all()
        assert (answer["defect_probability"] == 1).all()
        assert (answer["defect_type"] != "good").all()
    assert normal.predict(black)["is_defect"].all()
    train = changed(data.train, 3, "image", np.zeros((32, 40), np.uint8))
    with pytest.raises(SchemaError, match="'image', row 3: an image of a single shade, 0"):
        brief().fit(train, data.validation)


def test_masks_that_do_not_fit_are_refused(data):
    row = int((data.train["defect"] == "pit").to_numpy().argmax())
    train = changed(data.train, row, "mask", np.zeros((8, 9), np.uint8))
    with pytest.raises(
        SchemaError, match=f"'mask', row {row}: a mask of 8 x 9 pixels for an image"
    ):
        brief().fit(train, data.validation)
    good = int((data.train["defect"] == "good").to_numpy().argmax())
    train = changed(data.train, good, "mask", np.full((32, 40), 255, np.uint8))
    with pytest.raises(
        SchemaError, match=f"'mask', row {good}: 1280 pixels of a part that is 'good'"
    ):
        brief().fit(train, data.validation)


def test_without_a_good_part_there_is_nothing_to_learn(data):
    bad = data.train[data.train["defect"] != "good"]
    for regime in ("supervised", "one_class"):
        with pytest.raises(TrainingError, match=r"no training part is good \('good'\).* add good"):
            brief(regime=regime).fit(bad, data.validation)
    with pytest.raises(TrainingError, match=r"No training part has a defect.*regime='one_class'"):
        brief().fit(data.train[data.train["defect"] == "good"], data.validation)


def test_one_good_part_is_learned_from_but_tells_no_share_of_false_alarms(data):
    good = data.train[data.train["defect"] == "good"].head(1)
    with pytest.raises(TrainingError, match="from 1 normal records to choose on: 19 are needed"):
        brief(regime="one_class").fit(good, good)
    fitted = brief(regime="one_class").fit(good, data.validation)
    assert np.isfinite(fitted.predict(data.test.head(3))["anomaly_score"]).all()


def test_photographs_of_one_part_stay_together(data):
    train = data.train.assign(part=[f"P{row // 2}" for row in range(len(data.train))])
    split = brief().split(train)
    assert not set(split.train["part"]) & set(split.test["part"])
    fitted = brief().fit(train)
    with pytest.raises(LeakageError, match="'part'"):
        fitted.evaluate(train)


def test_corrected_images_are_learned_from_and_weights_go_on(detector, data):
    corrected = data.test[data.test["defect"] == "stain"].head(6)
    again = fast(seed=0)
    again.fit(data)
    before = [p.detach().clone() for p in again.recipe_.network_.parameters()]
    again.options = replace(
        again.options, training=replace(again.options.training, max_epochs=1, learning_rate=1e-6)
    )
    again.learn_on(corrected, data.train, data.validation)
    moved = max(
        float((one - other).abs().max())
        for one, other in zip(before, again.recipe_.network_.parameters(), strict=True)
    )
    assert 0 < moved < 1e-2  # from the weights that it had, and not from random ones
    assert again.split_["train"]["stain"] == detector.split_["train"]["stain"] + len(corrected)
    with pytest.raises(SchemaError, match="or fit anew"):
        again.learn_on(corrected.assign(defect="dent"), data.train, data.validation)


def test_pairs_are_compared_and_have_to_be_of_one_size(pairs, data, tmp_path):
    report = pairs.evaluate(data)
    assert set(report.baselines) == {"no_boxes", "xor_components"}
    assert report.metrics["box_f1_any_type"].value >= report.metrics["box_f1"].value
    model = Model(pairs.export(tmp_path / "pairs.onnx", check=data.test.head(20)))
    asked = data.test.head(2).copy()
    asked["reference"] = [asked["reference"].iloc[0], np.zeros((32, 41), np.uint8)]
    for ask in (pairs.predict, model.predict):
        with pytest.raises(
            SchemaError, match=r"'reference', row 1: got an image of 41 x 32 .* 'image', 40 x 32"
        ):
            ask(asked)
    with pytest.raises(SchemaError, match="'reference', row 0"):
        model.predict(asked.iloc[1].to_dict())


def test_boxes_teach_as_masks_do_and_wrong_ones_are_refused(data):
    cells = []
    for kind, mask in zip(data.train["defect"], data.train["mask"], strict=True):
        rows, columns = np.nonzero(mask)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else ()
        cells.append([] if kind == "good" else [(*map(int, box), kind)])
    train = data.train[["image", "reference"]].assign(boxes=cells)
    fitted = brief().set_params(regime="auto").fit(train)
    assert (fitted.regime_, fitted.classes_) == ("comparison", ("good", "pit", "scratch", "stain"))
    for wrong, words in (
        ([(0, 0, 99, 5, "pit")], r"the box \(0, 0, 99, 5\) reaches beyond an image of 40 x 32"),
        ([(5, 0, 5, 5, "pit")], "left lies before their right"),
        ([(0, 0, 5)], "a list of"),
        (None, "Give an empty list"),
    ):
        broken = changed(train, 0, "boxes", wrong)
        with pytest.raises(SchemaError, match=f"'boxes', row 0.*{words}"):
            brief().set_params(regime="comparison").fit(broken, broken)


def test_labels_alone_are_enough(data):
    told = data.train[["image"]].assign(defect=data.train["defect"] != "good")
    fitted = brief(regime="auto").fit(told)
    assert fitted.classes_ == ("good", "defect")
    answer = fitted.predict(data.test.head(1))
    assert answer["mask"][0].shape == data.test["image"].iloc[0].shape
    told = changed(told, 2, "defect", None)
    with pytest.raises(SchemaError, match="'defect', row 2"):
        brief().fit(told, told)


def test_masks_that_number_their_types_need_no_label(data):
    numbers = {"pit": 10, "scratch": 20, "stain": 30}
    cells = [
        (mask > 0) * np.uint8(numbers.get(kind, 0))
        for kind, mask in zip(data.train["defect"], data.train["mask"], strict=True)
    ]
    train = data.train[["image"]].assign(mask=pd.Series(cells, dtype=object))
    with pytest.raises(SchemaError, match=r"name the types of the masks by `region`"):
        brief(regime="auto").fit(train)
    with pytest.raises(SchemaError, match=r"'mask', row .*region="):
        brief(regime="auto").fit(train.assign(defect=data.train["defect"]))
    fitted = brief(regime="auto", region=numbers).fit(train)
    assert fitted.classes_ == ("good", "pit", "scratch", "stain")
    counts = fitted.split_["train"]
    told = data.train["defect"].value_counts()
    parts = fitted.split_["validation"]
    assert {name: counts[name] + parts[name] for name in told.index} == told.to_dict()
