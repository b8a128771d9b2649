"""A server that is handed damaged files, and bodies that are none, goes on answering as before.

2 000 changes of a model file of the zoo, in one bit or cut short, are put in its place one by one,
and the server is told to reload; between two of them it is sent a body that was changed as well::

    python tests/hostile/serving.py [--changes 2000] [--seconds 900]

Counts, of which all but the first three are to be 0:

- refused: reloads of which an error names the file;
- bodies refused, and bodies that are answered, as a change of one bit may be a record still;
- accepted: reloads that were not refused;
- failed: answers of 500 and above, or none in time;
- wrong: answers of the model in use that are other ones than before.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from industry_apps.runtime.zoo import verify
from tests.hostile.model_files import changed, changes, sealed
from tests.serving.running import Running, running

NAME = "finance.fraud_detection"
NONE_OF = ("accepted", "failed", "wrong")
PREDICT = "/models/model/predict"


def main() -> int:
    """Run the trials, print the counts, and return 1 where one that should be 0 is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=900)
    options = parser.parse_args()
    content = sealed(verify(NAME).read_bytes())
    cuts = options.changes // 5
    chosen = [c for c in changes(content, options.changes - cuts, cuts) if c[0] != "reseal"]
    counts: Counter[str] = Counter()
    stop = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(content)
        with running({"model": path}) as server:
            record = server.served.slot("model").current.model.metadata["self_test"]["records"][0]
            body = json.dumps(record).encode()
            wanted = server.post(PREDICT, body).told
            for number, change in enumerate(chosen):
                if time.monotonic() > stop:
                    break
                path.write_bytes(changed(content, change))
                _try(server, body, number, counts)
                counts["wrong"] += server.post(PREDICT, body).told != wanted
    for word in ("refused", "bodies refused", "bodies answered", *NONE_OF):
        sys.stdout.write(f"{counts[word]:6} {word}\n")
    return int(any(counts[word] for word in NONE_OF))


def _try(server: Running, body: bytes, number: int, counts: Counter[str]) -> None:
    found = server.post("/models/model/reload")
    named = found.status == 422 and "model.onnx" in found.told["error"]
    counts["refused" if named else "accepted" if found.status == 200 else "failed"] += 1
    random = np.random.default_rng(number)
    bits = bytearray(body)
    bits[int(random.integers(len(bits)))] ^= 1 << int(random.integers(8))
    cut = bytes(bits) if number % 2 else body[: int(random.integers(len(body)))]
    status = server.post(PREDICT, cut).status
    told = {200: "bodies answered", 400: "bodies refused", 413: "bodies refused"}
    counts[told.get(status, "failed")] += 1


if __name__ == "__main__":
    sys.exit(main())
