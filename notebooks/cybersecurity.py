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
# # Cybersecurity: is somebody who they say they are, and is a program one of those flagged
#
# One contract: data that cannot leak, a model, a report with baselines and intervals, and **one
# ONNX file from the raw record to the answer**, proven equal to the model that was trained. The
# figures measured in full stand in [results](results/README.md).
#
# It takes a minute, on patterns and programs that are simulated: no faces of people and no programs
# of anybody are in it.

# %%
import warnings
from datetime import date, timedelta
from pathlib import Path
from tempfile import mkdtemp

from industry_apps.cybersecurity import ExecutableClassifier, ExecutableFeatures, FaceVerifier
from industry_apps.data.simulators.cybersecurity.executables import simulated_executables
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
# ## 3. Programs, by labels of your own
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
