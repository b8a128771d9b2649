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
# # Healthcare: images, molecules, outcomes
#
# **For research. Nothing here is a medical device, and no diagnosis follows from any of it.**
#
# Data that cannot leak, a model, a report with baselines and intervals, and **one ONNX file from
# the raw record to the decision**: bytes of an image, a SMILES, a row of a patient table go in.
# The figures measured in full, with their splits and seeds, stand in
# [results](results/README.md); this notebook shows how they come about.
#
# It takes some minutes. With `INDUSTRY_APPS_QUICK=1` it runs on small simulated data, without
# a network.

# %%
import os
import warnings
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from industry_apps.data import load
from industry_apps.healthcare import (
    ImagingClassifier,
    ImagingSegmenter,
    MoleculeGenerator,
    OutcomePredictor,
    PropertyPredictor,
    SurvivalPredictor,
    log_p_window,
)
from industry_apps.runtime import Model
from industry_apps.training import ReinforceOptions, TrainingOptions

warnings.filterwarnings("ignore", message="IProgress")  # no widgets are needed
QUICK = os.environ.get("INDUSTRY_APPS_QUICK") == "1"
folder = Path(mkdtemp())


def data_for(application, name):
    return application.sample() if QUICK else load(name)


# %% [markdown]
# ## 1. What an image shows
#
# Chest radiographs of children, 28 x 28 pixels, normal or pneumonia, in the official split. The
# file takes the bytes of an image of any size. Beside the finding and its probability it says
# when not to rely on it, and where on the image the answer comes from.

# %%
images = data_for(ImagingClassifier, "pneumoniamnist")
classifier = (ImagingClassifier.fast() if QUICK else ImagingClassifier()).fit(images)
report = classifier.evaluate(images)
report

# %%
path = classifier.export(folder / "imaging.onnx", check=images)
print(classifier.parity_)
answer = Model(path).predict(images.test.head(5))
answer[["finding", "probability", "abstain"]].assign(truth=images.test["finding"].head(5))

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(2, 5, figsize=(10, 4))
for column, (image, heat) in enumerate(
    zip(images.test["image"].head(5), answer["heat_map"], strict=True)
):
    axes[0, column].imshow(np.squeeze(image), cmap="gray")
    axes[1, column].imshow(heat, vmin=0, vmax=255)
for axis in axes.flat:
    axis.set_axis_off()

# %% [markdown]
# In eight-bit integers the file is smaller and faster; it is written only where it loses at most
# half a point of the area under the curve, and says how much it lost.

# %%
small = classifier.export(folder / "imaging_int8.onnx", precision="int8", check=images)
print(classifier.parity_)
print(f"{path.stat().st_size / 1e6:.2f} MB in float32, {small.stat().st_size / 1e6:.2f} MB in int8")

# %% [markdown]
# ## 2. Where it lies
#
# No medical masks are at hand: a U-Net marks the defects of magnetic tiles. The answer is a mask
# of the size of the image.

# %%
tiles = data_for(ImagingSegmenter, "magnetic_tile_masks")
segmenter = (ImagingSegmenter.fast() if QUICK else ImagingSegmenter()).fit(tiles)
report = segmenter.evaluate(tiles)
report

# %%
path = segmenter.export(folder / "masks.onnx", check=tiles)
print(segmenter.parity_)
segmenter.predict(tiles.test.head(5)).drop(columns="mask")

# %% [markdown]
# Further on images: `ImageGenerator` makes images of a class and tells how unlike them a new one
# is, and `generative_report` measures of what use that is. On the radiographs above, generated
# images [do not help](results/README.md#healthcare) a classifier that is trained as long on real
# ones alone.

# %% [markdown]
# ## 3. What a molecule will do
#
# Solubility in water, from the SMILES alone, which is read inside the file: no chemistry package
# is needed to serve it. One that does not parse is answered as unreadable.

# %%
molecules = data_for(PropertyPredictor, "moleculenet_esol")
if QUICK:
    predictor = PropertyPredictor.fast()
else:
    predictor = PropertyPredictor(task="regression", targets=("log_solubility",))
report = predictor.fit(molecules).evaluate(molecules)
report

# %%
path = predictor.export(folder / "molecules.onnx", check=molecules)
print(predictor.parity_)
smiles = ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "CC("]
Model(path).predict(pd.DataFrame({"smiles": smiles})).assign(smiles=smiles)

# %% [markdown]
# ## 4. Molecules that nobody has made
#
# A network writes SELFIES, in which whatever is written is a molecule, token by token; the step
# model is an ONNX file, too. Here it is a small one, after four epochs.

# %%
written = data_for(MoleculeGenerator, "zinc_smiles")
if QUICK:
    generator = MoleculeGenerator.fast()
else:
    brief = TrainingOptions(max_epochs=4, batch_size=128, learning_rate=2e-3)
    generator = MoleculeGenerator(units=128, training=brief)
report = generator.fit(written).evaluate(written)
report

# %%
generator.sample_molecules(5, seed=1)

# %%
generator.export_writer(folder / "writer.onnx").name  # for runtime.SequenceWriter, without torch

# %% [markdown]
# A copy is turned by reinforcement toward whatever scores high: here molecules that lie between
# water and fat, with a log P from 1 to 2.

# %%
wanted = log_p_window(1, 2)
tuned = generator.toward(wanted, ReinforceOptions(steps=5 if QUICK else 60))
for name, each in (("before", generator), ("after", tuned)):
    scores = [wanted(smiles) for smiles in each.sample_molecules(200, seed=1)]
    print(f"{name}: mean score {np.mean(scores):.2f}")

# %% [markdown]
# Other scores are `drug_likeness`, `likeness(smiles)`, `predicted_window` of a model file, or any
# function of a SMILES. `MoleculeSpace` makes points of molecules, and searches from known ones for
# those of a high score; the [results](results/README.md#healthcare) say whether that beats as
# many draws.

# %% [markdown]
# ## 5. Who comes back within 30 days
#
# Stays of diabetics in 130 hospitals. All stays of a patient lie in one part; columns that tell
# the outcome are refused. The report compares groups, and says at which thresholds acting on the
# risk is better than treating all alike.

# %%
stays = data_for(OutcomePredictor, "health_diabetes130")
if QUICK:
    outcomes = OutcomePredictor.fast()
else:
    outcomes = OutcomePredictor(
        columns={"outcome": "readmitted_30d"}, diagnoses=("diag_1", "diag_2", "diag_3")
    )
report = outcomes.fit(stays).evaluate(stays)
report

# %%
path = outcomes.export(folder / "outcomes.onnx", check=stays)
print(outcomes.parity_)
Model(path).predict(stays.test.head(5))

# %% [markdown]
# ## 6. For how long
#
# Women with breast cancer, until it comes back. The curve, its interval and the median are
# computed in the file, from the raw row.

# %%
cohort = data_for(SurvivalPredictor, "health_gbsg2")
survival = (SurvivalPredictor.fast() if QUICK else SurvivalPredictor()).fit(cohort)
report = survival.evaluate(cohort)
report

# %%
path = survival.export(folder / "survival.onnx", check=cohort)
print(survival.parity_)
Model(path).predict(cohort.test.head(5))
