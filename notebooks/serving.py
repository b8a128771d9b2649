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
# # A model file in front of people and programs
#
# This notebook serves two models on this machine, asks them for records and for tensors, swaps a
# version for another one, and rolls back. It takes half a minute, to train two small versions.
# `make demo-serving` does it in a process of its own, for curl and Triton's client, under load.

# %%
import http.client
import json
import threading
import time
from pathlib import Path
from tempfile import mkdtemp

from industry_apps.finance import FraudDetector
from industry_apps.runtime import Model
from industry_apps.runtime.zoo import verify
from industry_apps.serving.served import Served
from industry_apps.serving.server import Server, listener
from industry_apps.serving.settings import Binding
from industry_apps.versions import Store

# %% [markdown]
# ## 1. Keep versions
#
# A store is a folder: files by their digest, a pointer to the one in production, and a log whose
# entries are chained. Whoever may write the log can write all of it anew; what proves it is its
# head, kept elsewhere.

# %%
folder = Path(mkdtemp())
store = Store(folder / "fraud")
data = FraudDetector.sample()
for seed, why in enumerate(("the first one", "another seed")):
    detector = FraudDetector.fast().set_params(seed=seed).fit(data.train, data.validation)
    detector.export(folder / f"{seed}.onnx", check=data.test)
    store.add(folder / f"{seed}.onnx", who="release", why=why)
first, second = store.versions
store.promote(first, who="release", why="the first one")
store.head()

# %% [markdown]
# ## 2. Serve
#
# In the shell: `industry-apps serve fraud=FOLDER credit=finance.credit_scoring.scorecard`. Here in
# a thread, on a port that is free.

# %%
served = Served({"fraud": store.folder, "credit": "finance.credit_scoring.scorecard"})
binding = Binding(port=0)
listening = listener(binding)
port = listening.getsockname()[1]
server = Server(served, binding)
thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
thread.start()
while not server.started:
    time.sleep(0.01)


def ask(path, told=None):
    """Send JSON, and return status and answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET" if told is None else "POST", path, json.dumps(told) if told else None)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


ask("/ready"), ask("/models")

# %% [markdown]
# ## 3. Ask
#
# A record in, its decision out; what cannot be answered is refused by the sentence that the library
# itself has for it.

# %%
record = Model("finance.credit_scoring.scorecard").metadata["self_test"]["records"][0]
ask("/models/credit/predict", record)

# %%
ask("/models/credit/explain", record)

# %%
ask("/models/credit/predict", {**record, "amount": "much"})

# %% [markdown]
# The same as tensors of the Open Inference Protocol, which Triton's and KServe's clients speak. A
# missing number is null.

# %%
status, told = ask("/v2/models/credit")
inputs = [{**each, "shape": [1, 1], "data": [record.get(each["name"])]} for each in told["inputs"]]
ask("/v2/models/credit/infer", {"inputs": inputs, "outputs": [{"name": "decision"}]})

# %% [markdown]
# ## 4. Promote, and roll back
#
# A version is loaded beside the one in use: digest, self-test, the same columns, the latest
# requests, runs to warm it up. Only then it takes its place. The one before stays loaded, so that a
# rollback reads no file.

# %%
payment = Model(folder / "0.onnx").metadata["self_test"]["records"][0]
ask("/models/fraud/predict", payment)

# %%
ask("/models/fraud/promote", {"version": second, "who": "retraining", "why": "to try it"})

# %%
ask("/models/fraud/predict", payment), store.production == second

# %%
ask("/models/fraud/rollback", {"who": "release", "why": "back to the one that is known"})

# %%
ask("/models/fraud/predict", payment), store.production == first

# %% [markdown]
# What does not fit is refused, and what was there answers on: a file that lost its end, and one of
# another application.

# %%
damaged = folder / "damaged.onnx"
damaged.write_bytes((folder / "1.onnx").read_bytes()[:-100])
bad = store.add(damaged, who="retraining", why="in a hurry")
ask("/models/fraud/promote", {"version": bad, "why": "better?"})

# %%
other = store.add(
    verify("finance.credit_scoring.scorecard"), who="retraining", why="the wrong file"
)
ask("/models/fraud/promote", {"version": other})

# %%
ask("/health"), store.production == first

# %% [markdown]
# ## 5. Stop
#
# What runs is answered first.

# %%
server.should_exit = True
thread.join()
[(entry.action, entry.sha256[:12], entry.who, entry.why) for entry in store.entries()]
