"""What HTTP and gRPC have in common: tensors in, tensors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from industry_apps import __version__
from industry_apps.errors import RequestError, unknown_name
from industry_apps.serving.calls import Call
from industry_apps.serving.loaded import Loaded
from industry_apps.serving.protocol.signature import Signature
from industry_apps.serving.protocol.tensors import Tensor, to_json
from industry_apps.serving.served import Served
from industry_apps.serving.swapping.slot import Slot

#: Rows of a request that is kept for the next version to answer.
_KEPT = 1_000


class Inference:
    """Answers requests of the protocol.

    Parameters
    ----------
    served : Served
    """

    def __init__(self, served: Served) -> None:
        self.served = served
        self._signatures: WeakKeyDictionary[Loaded, Signature] = WeakKeyDictionary()

    def signature(self, loaded: Loaded) -> Signature:
        """What a version takes and gives."""
        found = self._signatures.get(loaded)
        if found is None:
            found = self._signatures[loaded] = Signature(loaded)
        return found

    def of(self, name: str, version: str) -> tuple[Slot, Loaded]:
        """The model of a name, which must be of a version where one is asked for.

        Parameters
        ----------
        name, version : str
            No version is any.

        Raises
        ------
        UnknownNameError
        """
        slot = self.served.slot(name)
        loaded = slot.current
        if version not in ("", loaded.version):
            raise unknown_name(f"version of {name!r}", version, [loaded.version])
        return slot, loaded

    async def infer(
        self,
        slot: Slot,
        loaded: Loaded,
        asked: Sequence[Tensor] | dict[str, Any],
        names: Sequence[str],
        call: Call,
    ) -> list[Tensor]:
        """Answer tensors.

        Parameters
        ----------
        slot : Slot
        loaded : Loaded
            The version that answers.
        asked : sequence of Tensor, or dict
            A record, where the tensors are of one.
        names : sequence of str
            Outputs that are asked for; none for all.
        call : Call
            Told of model, version and rows.

        Raises
        ------
        IndustryAppsError
        """
        signature = self.signature(loaded)
        call.model, call.version = slot.name, loaded.version
        unknown = [name for name in names if name not in signature.outputs]
        if unknown or len(set(names)) < len(names):
            wrong = f"Unknown output {unknown[0]!r:.120}" if unknown else "An output is asked twice"
            raise RequestError(f"{wrong}. The model gives: {', '.join(signature.outputs)}.")
        record, rows = (asked, 1) if isinstance(asked, dict) else (None, 0)
        table: dict[str, Any] = {}
        if not isinstance(asked, dict):
            table, rows = signature.asked(asked)
            if signature.is_plain and rows == 1:
                record = {name: values[0] for name, values in table.items()}
        if rows > self.served.settings.limits.rows:
            raise RequestError(
                f"The request has {rows} rows, expected at most "
                f"{self.served.settings.limits.rows}. Send fewer at a time.",
                413,
            )
        call.records = rows
        kept: Any = record or (_records(table, rows) if rows <= _KEPT else [])
        try:
            if record is None:
                answers = await loaded.table(table, rows)
            else:
                answer = await loaded.record(loaded.batches.read(record))
                answers = {name: [value] for name, value in answer.items()}
        except Exception as error:
            slot.failed(loaded, kept, error)
            raise
        slot.answered(loaded, kept, answers)
        found = signature.answers(answers, names or list(signature.outputs))
        if self.served.payloads is not None:
            told = {tensor.name: to_json(tensor) for tensor in found}
            self.served.payloads.sample(slot.name, loaded.version, kept, told)
        return found

    def server(self) -> dict[str, Any]:
        """What the server is."""
        extensions = ["binary_tensor_data", "model_repository"]
        return {"name": "industry_apps", "version": __version__, "extensions": extensions}

    def model(self, name: str, version: str) -> dict[str, Any]:
        """What a model takes and gives.

        Parameters
        ----------
        name, version : str
        """
        _, loaded = self.of(name, version)
        signature = self.signature(loaded)
        return {
            "name": name,
            "versions": [loaded.version],
            "platform": "onnxruntime_onnx",
            "inputs": [each.told() for each in signature.inputs.values()],
            "outputs": [each.told() for each in signature.outputs.values()],
        }


def _records(table: dict[str, Any], rows: int) -> list[dict[str, Any]]:
    return [{name: values[row] for name, values in table.items()} for row in range(rows)]
