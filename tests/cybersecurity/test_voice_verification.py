"""What is particular to voices: loudness, padding, what is refused, three persons, real ones."""

from __future__ import annotations

import io
import wave

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest

from industry_apps.cybersecurity import VoiceVerifier
from industry_apps.data import load
from industry_apps.errors import (
    LeakageError,
    ParameterError,
    SchemaError,
    TemplateError,
    TrainingError,
)
from industry_apps.recipes.verification.recipe import PRESENCE
from industry_apps.recipes.verification.voices import VoiceClips, VoiceOptions
from industry_apps.runtime import Model
from industry_apps.runtime.verification import Consent, TemplateStore, Verifier
from industry_apps.runtime.verification.sealing import Key


@pytest.fixture(scope="module")
def data():
    return VoiceVerifier.sample()


@pytest.fixture(scope="module")
def fitted(data):
    return VoiceVerifier.fast().fit(data)


@pytest.fixture(scope="module")
def model(fitted, tmp_path_factory):
    return Model(fitted.export(tmp_path_factory.mktemp("voice") / "voices.onnx"))


def embeddings(fitted, frame):
    return np.array(fitted.predict(frame)["embedding"].tolist())


def test_how_loud_it_is_does_not_count(fitted, data):
    clips = data.test.head(20)
    louder = clips.assign(samples=[clip.astype(np.int32) for clip in clips["samples"]])
    louder["samples"] = [clip * (30_000 // np.abs(clip).max()) for clip in louder["samples"]]
    both = (embeddings(fitted, frame) for frame in (clips, louder))
    np.testing.assert_allclose(*both, atol=1e-3)


def test_longer_recordings_beside_it_do_not_change_an_answer(model, data):
    clip = data.test["samples"].iloc[0]
    alone = model.predict({"samples": clip})
    long = np.tile(data.test["samples"].iloc[1], 40)
    beside = model.predict([{"samples": clip}, {"samples": long}])[0]
    np.testing.assert_allclose(alone["embedding"], beside["embedding"], atol=1e-7)


def test_the_raw_samples_are_answered_by_onnxruntime_alone(model, data):
    clip = data.test["samples"].iloc[0]
    session = ort.InferenceSession(str(model.path), providers=["CPUExecutionProvider"])
    found, _ = session.run(["embedding", "quality"], {"samples": clip[None].astype(np.float32)})
    np.testing.assert_allclose(found[0], model.predict({"samples": clip})["embedding"], atol=1e-6)


def test_a_wav_file_is_a_recording(model, data):
    clip = data.test["samples"].iloc[0]
    with io.BytesIO() as file:
        with wave.open(file, "wb") as written:
            written.setparams((1, 2, 8000, 0, "NONE", ""))
            written.writeframes(clip.astype("<i2").tobytes())
        content = file.getvalue()
    assert model.predict({"samples": content}) == model.predict({"samples": clip})


def test_silence_and_clipping_are_refused_by_the_file(model, data):
    with pytest.raises(SchemaError, match="not silent"):
        model.predict({"samples": np.zeros(4000, np.int16)})
    clip = data.test["samples"].iloc[0].astype(np.float64)
    loud = np.clip(clip / np.abs(clip).max() * 3e5, -32768, 32767).astype(np.int16)
    with pytest.raises(SchemaError, match="not clipped"):
        model.predict({"samples": loud})


def noises():
    """White, pink, brown and modulated noise, 0.2 to 10 seconds at 8000 Hz."""
    draw = np.random.default_rng(0)
    for size in (1600, 6000, 80_000):
        white = draw.normal(size=size)
        yield white
        yield draw.uniform(-1, 1, size)
        for power in (0.5, 1.0):
            waves = np.fft.rfft(white)
            yield np.fft.irfft(waves / np.arange(1, len(waves) + 1) ** power, size)
        yield white * (1.01 + np.sin(np.arange(size) * 2 * np.pi * 5 / 8000))


@pytest.mark.parametrize("of", [VoiceVerifier.fast(), VoiceVerifier()], ids=["fast", "default"])
def test_noise_is_no_voice_and_nearly_all_voices_are(data, of):
    fitted = of.fit(data)
    clips = [np.rint(sound / np.abs(sound).max() * 9000).astype(int) for sound in noises()]
    heard = fitted.predict(pd.DataFrame({"samples": clips}))["quality"].to_numpy()
    assert heard.max() < 0.95
    clicks = [np.eye(1, 8000, place)[0].astype(int) * 3000 for place in (0, 500, 7000, 7999)]
    heard = fitted.predict(pd.DataFrame({"samples": clicks}))["quality"].to_numpy()
    assert (heard >= 0).all()
    assert heard.max() < 0.95
    for part in (data.train, data.test):
        assert (fitted.predict(part)["quality"] >= 1).mean() > 0.93
        presence = fitted.recipe_._told(fitted._samples(part).values, PRESENCE)
        assert (presence >= fitted.recipe_.least_presence_).mean() > 0.98


def test_noise_is_refused_at_enrolment_and_by_the_file(model):
    draw = np.random.default_rng(0)
    clips = [{"samples": np.rint(draw.normal(0, 1500, 6000)).astype(int)} for _ in range(3)]
    today = pd.Timestamp("2026-01-01").date()
    with pytest.raises(TemplateError, match="as one of nobody"):
        Verifier(model, TemplateStore(Key.new()), today=lambda: today).enrol(
            "noise", clips, consent=Consent(purpose="test", given=today, keep_until=today)
        )


def test_the_rate_of_the_file_is_that_of_training(data):
    with pytest.raises(ParameterError, match="rate"):
        VoiceVerifier(rate=4000).fit(data)
    twice = data.train.assign(samples=[np.repeat(clip, 2) for clip in data.train["samples"]])
    fitted = VoiceVerifier.fast().set_params(rate=16_000).fit(twice)
    assert fitted.column_.rate == 16_000
    with pytest.raises(SchemaError, match="3200 samples at 16000 Hz"):
        fitted.predict(pd.DataFrame({"samples": [data.test["samples"].iloc[0][:2000]]}))


def test_three_persons_are_enough_and_two_are_not(data):
    names = data.train["person"].unique()
    few = [data.train[data.train["person"].isin(names[:count])] for count in (2, 3)]
    with pytest.raises(TrainingError, match="2 persons"):
        VoiceVerifier.fast().fit(few[0])
    fitted = VoiceVerifier.fast().fit(few[1])
    assert -1 < fitted.recipe_.threshold_ < 1


def test_persons_on_both_sides_are_refused(fitted, data):
    with pytest.raises(LeakageError, match="person"):
        fitted.evaluate(data.train)


def test_options_are_limited():
    with pytest.raises(ParameterError, match="bands"):
        VoiceOptions(bands=5)


def test_voices_are_enrolled_as_faces_are(model, fitted, data):
    usual = data.test[fitted.predict(data.test)["quality"].to_numpy() >= 1]
    name, clips = next((n, g["samples"]) for n, g in usual.groupby("person") if len(g) >= 5)
    samples = [{"samples": clip} for clip in clips]
    consent = Consent(
        purpose="test", given=pd.Timestamp("2026-01-01").date(), keep_until=pd.Timestamp.max.date()
    )
    verifier = Verifier(model, TemplateStore(Key.new()))
    verifier.enrol(name, samples[:4], consent=consent)
    assert verifier.verify(name, samples[0]).score > 0.5
    assert model.metadata["intended_use"].startswith("Verification of people who have agreed")


def test_changed_recordings_are_as_long_and_no_others(data):
    column = VoiceVerifier.schema["samples"]
    samples = column.to_array(data.train["samples"].head(6))
    options = VoiceOptions(noise=10, tilt=0.2)
    changed = VoiceClips(8000, options).changed(samples, np.random.default_rng(0))
    np.testing.assert_array_equal(np.isnan(changed), np.isnan(samples))
    off = np.nanmean((changed - samples) ** 2, axis=1) / np.nanmean(samples**2, axis=1)
    assert ((off > 1e-4) & (off < 0.3)).all()


@pytest.mark.real_data("fsdd")
def test_voices_of_persons_not_learned_from():
    data = load("fsdd", run=3)
    assert not set(data.train["person"]) & set(data.test["person"])
    assert data.train["person"].nunique() == data.test["person"].nunique() == 3
    some = data.test.groupby("person").head(60)
    fitted = VoiceVerifier(options=VoiceOptions(copies=0)).fit(data.train)
    assert (fitted.predict(some)["quality"] >= 1).mean() > 0.95
    report = fitted.evaluate(some)
    assert report.metrics["eer"].value < 0.9 * report.baselines["mfcc_cosine"]["eer"].value
