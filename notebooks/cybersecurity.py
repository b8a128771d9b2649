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
# # Cybersecurity: threats in addresses, flows and programs; is somebody who they say they are
#
# One contract: data that cannot leak, a model, a report with baselines and intervals, and **one
# ONNX file from the raw record to the answer**, proven equal to the model that was trained. The
# figures measured in full stand in [results](results/README.md).
#
# It takes two minutes, on simulated data: no faces, voices, fingers, programs or traffic of anybody
# are in it.

# %%
import warnings
from datetime import date, timedelta
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from industry_apps.cybersecurity import (
    DomainThreatDetector,
    ExecutableClassifier,
    ExecutableFeatures,
    FaceVerifier,
    FingerprintVerifier,
    NetworkAnomalyDetector,
    UrlThreatDetector,
    VoiceVerifier,
)
from industry_apps.data.simulators.cybersecurity.executables import simulated_executables
from industry_apps.errors import SchemaError
from industry_apps.runtime import Model
from industry_apps.runtime.addresses.allowed import AllowList
from industry_apps.runtime.verification import Consent, TemplateStore, Verifier
from industry_apps.runtime.verification.sealing import Key

warnings.filterwarnings("ignore", message="IProgress")  # no widgets are needed
folder = Path(mkdtemp())

# %% [markdown]
# ## 1. Addresses
#
# A raw address in, a probability, a decision at a false-positive rate and reasons out. Scheme,
# `www.`, default port and the way of writing have no effect; owners are never on both sides.

# %%
addresses = UrlThreatDetector.sample()
urls = UrlThreatDetector.fast().fit(addresses)
urls.evaluate(addresses)

# %%
mail = Model(urls.export(folder / "urls.onnx", check=addresses))
mail.predict([{"url": "HTTP://www.river.example:80/news/"}, {"url": "river.example/news"}])

# %% [markdown]
# Before anything is stopped: what would be stopped of addresses that you know are harmless, and
# owners that are exempt, each until a day.

# %%
harmless = addresses.test.loc[~addresses.test["is_phishing"], ["url"]]
print(urls.false_alarms(harmless))
allowed = AllowList({"river.example": "2030-01-01"})
allowed.covers(["http://river.example/a", "http://river.example.evil.test/a"], date.today())

# %% [markdown]
# Names that programs write, for malware to call home by. One name says little; a host that asks
# for ten says much.

# %%
names = DomainThreatDetector.sample()
domains = DomainThreatDetector.fast().set_params(model="trees").fit(names)
domains.predict(pd.DataFrame({"domain": ["xkqzvbwqhtpl.com", "river-hotel.com"]}))

# %% [markdown]
# ## 2. Flows of a network
#
# Learned from normal traffic beside known attacks; judged at 1 % and 0.1 % false alarms, with the
# kinds of attack that training had none of apart. `read_zeek` and `read_suricata` read logs.

# %%
flows = NetworkAnomalyDetector.sample()
network = NetworkAnomalyDetector.fast().fit(flows)
network.evaluate(flows)

# %% [markdown]
# ## 3. An embedding, and when two are of one person
#
# People never are on both sides of the split. The threshold is set at a share of false accepts.

# %%
people = FaceVerifier.sample()
verifier = FaceVerifier.fast().fit(people)
verifier.evaluate(people)

# %% [markdown]
# ## 4. Enrolment
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
# ## 5. Programs, by labels of your own
#
# A folder of PE and ELF files becomes a table: shares of bytes, entropy, strings, headers,
# sections, imports, and counts of what is damaged. Nothing in it is run, and links, other files
# and files that are too large are refused by name.

# %%
programs = folder / "programs"
for file in simulated_executables(3, seed=7):
    path = programs / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.data)
table = ExecutableFeatures().read(programs)
table[["file", "format", "size", "entropy", "sections", "functions", "faults_outside"]]

# %% [markdown]
# Join your labels to it, and learn what they have in common. The sample tells plain builds from
# those that a packer of ours has wrapped: it shows the machinery, and says nothing about harmful
# programs. A threshold on entropy alone stands beside the model.

# %%
files = ExecutableClassifier.sample()
classifier = ExecutableClassifier.fast().fit(files)
classifier.evaluate(files)

# %%
path = classifier.export(folder / "programs.onnx", check=files)
print(classifier.parity_)
Model(path).predict(table).assign(file=table["file"])

# %% [markdown]
# ## 6. Voices
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
# ## 7. Fingers
#
# Directions of ridges are read around the core, whose answer to a complex filter tells how the
# finger is turned. Minutiae are not compared: what this tells apart is shapes of fingers.

# %%
fingers = FingerprintVerifier.sample()
reader = FingerprintVerifier.fast().fit(fingers)
print(reader.evaluate(fingers).headline())
