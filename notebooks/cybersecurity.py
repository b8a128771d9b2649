# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Cybersecurity: is somebody who they say they are
#
# One contract: data that cannot leak, a model, a report with baselines and intervals, and **one
# ONNX file from the raw record to the answer**, proven equal to the model that was trained. The
# figures measured in full stand in [results](results/README.md).
#
# It takes a minute, on patterns, voices and fingers that are simulated: none of people are in it.

# %%
import warnings
from datetime import date, timedelta
from pathlib import Path
from tempfile import mkdtemp

from industry_apps.cybersecurity import FaceVerifier, FingerprintVerifier, VoiceVerifier
from industry_apps.errors import SchemaError
from industry_apps.runtime import Model
from industry_apps.runtime.verification import Consent, TemplateStore, Verifier
from industry_apps.runtime.verification.sealing import Key

warnings.filterwarnings("ignore", message="IProgress")  # no widgets are needed
folder = Path(mkdtemp())

# %% [markdown]
# ## 1. An embedding, and when two are of one person
#
# People never are on both sides of the split. The threshold is set at a share of false accepts.

# %%
people = FaceVerifier.sample()
verifier = FaceVerifier.fast().fit(people)
verifier.evaluate(people)

# %% [markdown]
# ## 2. Enrolment
#
# A template is kept with purpose and end of a consent, sealed by a key that stays elsewhere. Not
# for access control without a check of liveness: a photograph of a photograph has the same face.

# %%
path = verifier.export(folder / "faces.onnx", check=people)
print(verifier.parity_)
door = Verifier(Model(path), TemplateStore(Key.new()))
today = date.today()
consent = Consent(
    purpose="door of the laboratory", given=today, keep_until=today + timedelta(days=90)
)
names = people.test["person"].drop_duplicates().tolist()
one, other = (people.test[people.test["person"] == name] for name in names[:2])
samples = [{"image": image} for image in one["image"]]
door.enrol("first", samples[:3], consent=consent)
door.verify("first", samples[-1])

# %% [markdown]
# Somebody else is not accepted.

# %%
door.verify("first", {"image": other["image"].iloc[0]})

# %% [markdown]
# ## 3. Voices
#
# A recording is a list of 16-bit samples or the bytes of a WAV file; cepstra are computed in the
# file. Silence, clipping, another sample rate and less than 0.2 seconds are refused by name.

# %%
voices = VoiceVerifier.sample()
listener = VoiceVerifier.fast().fit(voices)
print(listener.evaluate(voices).headline())
spoken = Model(listener.export(folder / "voices.onnx", check=voices))
clip = voices.test["samples"].iloc[0]
print(round(spoken.predict({"samples": clip})["quality"], 2))
try:
    spoken.predict({"samples": clip * 0})
except SchemaError as error:
    print(error)

# %% [markdown]
# ## 4. Fingers
#
# Directions of ridges are read around the core, whose answer to a complex filter tells how the
# finger is turned. Minutiae are not compared: what this tells apart is shapes of fingers.

# %%
fingers = FingerprintVerifier.sample()
reader = FingerprintVerifier.fast().fit(fingers)
print(reader.evaluate(fingers).headline())
