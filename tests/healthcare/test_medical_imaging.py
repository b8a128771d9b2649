"""What is particular to medical images: channels, sizes, costs, doubt, precision, real scans."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
import pytest
from PIL import Image

from industry_apps.data import load
from industry_apps.errors import (
    LeakageError,
    ParameterError,
    ParityError,
    SchemaError,
    TrainingError,
)
from industry_apps.export.model_card import render_card
from industry_apps.healthcare import ImagingClassifier
from industry_apps.recipes.imaging.baselines import oriented_gradients
from industry_apps.recipes.imaging.recipe import ImagingOptions
from industry_apps.runtime import Model
from industry_apps.schema.images import pack
from industry_apps.training import Augmentation, TrainingOptions

TRAINING = TrainingOptions(
    max_epochs=1, batch_size=16, patience=1, progress=False, precision="float32"
)


@pytest.fixture(scope="module")
def data():
    return ImagingClassifier.sample()


@pytest.fixture(scope="module")
def fitted(data):
    return ImagingClassifier.fast().fit(data)


def quick(**options: object) -> ImagingClassifier:
    given = {"network": "resnet10", "width": 4, "training": TRAINING, **options}
    return ImagingClassifier(options=ImagingOptions(**given))


def coloured(rows: int, channels: int, sizes: tuple[tuple[int, int], ...]) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    shapes = [(*sizes[row % len(sizes)], channels) for row in range(rows)]
    images = [draw.integers(0, 256, shape, dtype=np.uint8) for shape in shapes]
    return pd.DataFrame({"image": images, "finding": ["no", "yes"] * (rows // 2)})


@pytest.mark.parametrize(
    ("channels", "options"),
    [
        (3, {"members": 2, "mirrored": True, "augmentation": Augmentation(mixup=0.3)}),
        (5, {"network": "convnext", "squeeze": True, "size": 16}),
    ],
)
def test_colours_and_bands_of_any_size(tmp_path, channels, options):
    frame = coloured(48, channels, ((24, 24), (17, 40), (24, 24)))
    model = quick(**options).fit(frame, frame.head(24))
    path = model.export(tmp_path / "model.onnx", check=frame)
    assert model.parity_.changed_decisions == 0
    served = Model(path)
    assert np.shape(served.predict({"image": frame["image"][1]})["heat_map"]) == (17, 40)
    with pytest.raises(SchemaError, match=r"Column 'image', row 0.*not one of 1 channels"):
        served.predict({"image": np.zeros((9, 9), np.uint8)})


def test_every_form_of_an_image_gets_the_same_answer(data, fitted, tmp_path):
    served = Model(fitted.export(tmp_path / "model.onnx", check=data))
    grey = data.test["image"][0]
    content = io.BytesIO()
    Image.fromarray(grey).save(content, "PNG")
    forms = [grey, grey.tolist(), content.getvalue(), pack(grey[:, :, None])]
    first, *others = (served.predict({"image": form}) for form in forms)
    assert all(other == first for other in others)
    stacked = np.stack(data.test["image"].head(4).tolist())[..., None]
    assert served.predict({"image": stacked})["finding"][0] == first["finding"]
    with pytest.raises(ParameterError, match="from images"):
        served.explain({"image": grey})


def test_int8_states_what_it_loses_and_refuses_to_lose_more(data, fitted, tmp_path):
    path = fitted.export(tmp_path / "small.onnx", precision="int8", check=data)
    served = Model(path)
    loss = served.metadata["loss"]
    assert loss["metric"] == "auroc"
    assert loss["trained"] - loss["file"] <= loss["most"] == 0.005
    speed = served.metadata["speed"]
    assert set(speed["times_as_fast"]) == {"float32", "int8"}
    assert speed["times_as_fast"][speed["faster"]] >= 1
    assert f"{speed['faster']} is faster there" in render_card(served.metadata)
    same = served.predict(data.test)["finding"] == fitted.predict(data.test)["finding"]
    assert same.mean() > 0.9
    whole = fitted._exportable("int8")
    strict = replace(whole, loss=replace(whole.loss, most=-1.0))
    with pytest.raises(ParityError, match=r"loses .* of auroc"):
        strict.loss.state(data.test, fitted._answers(data.test), fitted._answers(data.test), "int8")


def test_bfloat16_runs_or_says_why_not(data, fitted, tmp_path):
    path, asked = tmp_path / "narrow.onnx", partial(fitted.export, precision="bfloat16", check=data)
    found = onnx.helper.make_tensor_value_info
    types = [found(name, onnx.TensorProto.BFLOAT16, [1, 1, 3, 3]) for name in "xwy"]
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([node], "one convolution", types[:2], types[2:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)])
    try:
        ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    except ort.capi.onnxruntime_pybind11_state.NotImplemented:
        with pytest.raises(ParameterError, match="cannot run this network in bfloat16"):
            asked(path)
        assert not path.exists()
    else:
        asked(path)
        assert Model(path).metadata["precision"] == "bfloat16"


def test_one_study_tells_how_far_to_trust_it(data):
    pointed, shifted, precision = quick().studies()["trust"](data)
    (row,) = pointed.records()
    assert row["images"] == sum(mask.any() for mask in data.test["mask"])
    assert 0 < row["share of the box"] < 0.5
    assert 0 <= row["map"] <= 1
    shares = {row["images"]: row for row in shifted.records()}
    assert shares["as they are"]["novel"] < 0.2 < shares["stripes"]["novel"]
    assert shares["stripes"]["correct"] == 0
    assert precision.title == "Precision"


def test_what_it_costs_to_miss_a_class_is_weighed(data):
    dear = ImagingClassifier.fast().set_params(missed_costs={"band": 1e9, "clear": 1, "spot": 1})
    assert (dear.fit(data).predict(data.test)["finding"] == "band").all()
    with pytest.raises(ParameterError, match="must name each class"):
        quick().set_params(missed_costs={"band": 2}).fit(data)


def test_labels_that_training_does_not_know_are_refused(data, fitted):
    strange = data.test.assign(finding="fracture")
    with pytest.raises(SchemaError, match="Column 'finding', row 0: got 'fracture'"):
        fitted.evaluate(strange)


def test_a_class_of_one_image_is_refused(data):
    few = data.train[data.train["finding"] != "band"]
    one = pd.concat([few, data.train[data.train["finding"] == "band"].head(1)])
    with pytest.raises(TrainingError, match="1 of 'band'"):
        quick().fit(one, data.validation)


def test_without_validation_images_some_are_set_aside(data):
    model = quick().fit(data.train)
    assert set(model.predict(data.test)["finding"]) <= {"band", "clear", "spot"}


def test_columns_may_have_other_names(data):
    mine = data.train.rename(columns={"image": "scan", "finding": "label"})
    model = quick().set_params(columns={"image": "scan", "finding": "label"}).fit(mine)
    assert len(model.predict(mine[["scan"]].head(3))) == 3


def test_the_map_lies_on_what_is_there(data, fitted):
    rows = data.test[data.test["finding"] == "spot"]
    answers = fitted.predict(rows)
    right = (answers["finding"] == "spot").to_numpy()
    heat = np.array(answers["heat_map"][right].tolist())
    inside = np.stack(rows["mask"][right].tolist()) > 0
    assert heat[inside].mean() > 1.5 * heat[~inside].mean()


def test_gradients_do_not_see_brightness():
    draw = np.random.default_rng(0)
    pixels = draw.normal(size=(3, 1, 32, 32)).astype(np.float32)
    assert np.allclose(oriented_gradients(pixels), oriented_gradients(pixels + 5), atol=1e-4)


def test_images_of_16_bits_keep_their_window_in_the_file(data, tmp_path):
    deep = [part.assign(image=[image.astype(np.uint16) * 16 for image in part["image"]])
            for part in (data.train.head(60), data.validation.head(30))]  # fmt: skip
    model = quick().fit(*deep)
    served = Model(model.export(tmp_path / "deep.onnx"))
    column = served.schema["image"]
    greys = np.stack(deep[0]["image"].tolist())
    assert column.window == model.schema_["image"].window == (greys.min(), greys.max())
    assert "becomes 255 before they enter the graph" in render_card(served.metadata)
    one, both = deep[1]["image"].iloc[0], deep[1].head(2)
    assert served.predict({"image": one})["finding"] == model.predict(both)["finding"].iloc[0]
    with pytest.raises(SchemaError, match=r"not 8 bits\. Give the image as it was"):
        served.predict({"image": data.test["image"][0]})
    given = ImagingClassifier(window=(160, 3_200), options=model.options).fit(*deep)
    assert given.schema_["image"].window == (160, 3_200)
    with pytest.raises(SchemaError, match=r"'image', row 0.*which a window is for"):
        ImagingClassifier(window=(0, 9)).fit(data)
    with pytest.raises(ParameterError, match="a tuple of two rising numbers"):
        ImagingClassifier(window=(9, 0)).fit(data)


def test_a_text_is_a_path_only_beneath_a_folder_that_is_named(data, fitted, tmp_path):
    served = Model(fitted.export(tmp_path / "model.onnx", check=data))
    Image.fromarray(data.test["image"][0]).save(tmp_path / "a.png")
    answer = served.predict({"image": data.test["image"][0]})
    assert served.predict({"image": "a.png"}, paths=tmp_path) == answer
    assert served.predict([{"image": "a.png"}], paths=tmp_path) == [answer]
    (tmp_path / "scans.csv").write_text("image\na.png\n")
    assert served.predict(tmp_path / "scans.csv")["finding"].tolist() == [answer["finding"]]
    for asked in ({"image": "a.png"}, [{"image": str(tmp_path / "a.png")}]):
        with pytest.raises(SchemaError, match="only beneath a folder that is named"):
            served.predict(asked)
    with pytest.raises(SchemaError, match="a path beneath"):
        served.predict({"image": "../a.png"}, paths=tmp_path / "deeper")


@pytest.mark.real_data("pneumoniamnist")
def test_real_radiographs_are_told_apart(tmp_path):
    data = load("pneumoniamnist")
    training = replace(TRAINING, max_epochs=3, batch_size=64, learning_rate=4e-3, patience=3)
    options = ImagingOptions(network="resnet10", width=8, averaging=0.9, training=training)
    model = ImagingClassifier(options=options).fit(data.train.head(1_500), data.validation)
    report = model.evaluate(data.test)
    assert report.metrics["auroc"].value > 0.85
    model.export(tmp_path / "model.onnx", check=data.test.head(100))
    assert model.parity_.changed_decisions == 0


def test_images_of_a_patient_stay_together(data):
    frame = data.train.assign(patient=[f"p{row // 3}" for row in range(len(data.train))])
    parts = quick().split(frame)
    known = [set(part["patient"]) for part in parts]
    assert len(set.union(*known)) == sum(map(len, known))
    fitted = quick().fit(frame)  # sets patients aside by itself
    assert len(fitted.patients_) == len(frame)
    few = data.test.assign(
        patient=[f"q{row}" if row < 5 else None for row in range(len(data.test))]
    )
    plain, known = (fitted.evaluate(part).metrics["auroc"] for part in (data.test, few))
    assert (plain.low, plain.high) == (known.low, known.high)  # each unknown is somebody else
    with pytest.raises(LeakageError, match="'patient'"):
        fitted.evaluate(frame.head(30))
    with pytest.raises(LeakageError, match="'patient'"):
        quick().fit(parts.train, pd.concat([parts.validation, parts.train.head(1)]))


def test_a_class_without_images_is_named(fitted, data):
    without = data.test[data.test["finding"] != "band"]
    with pytest.raises(SchemaError, match=r"'finding'.*shows 'band'"):
        fitted.evaluate(without)


def test_what_is_no_table_is_refused(data):
    with pytest.raises(ParameterError, match="got dict"):
        quick().fit({"image": list(data.train["image"])})


def test_images_that_were_learned_from_are_counted(fitted, data):
    without = data.train.drop(columns="patient", errors="ignore")
    twice = pd.concat([data.test, without.head(3)], ignore_index=True)
    before, after = (fitted.evaluate(table).notes for table in (data.test, twice))
    assert not any("equal a record" in note for note in before)
    assert any(note.startswith(f"3 of {len(twice)} records") for note in after)
