"""One model file, loaded and served: raw business record in, decision out.

Nothing but numpy and onnxruntime is needed; pandas only when handed a frame or a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from industry_apps.errors import MissingExtraError, ModelFileError, ParameterError, SchemaError
from industry_apps.runtime import inputs
from industry_apps.runtime.zoo import locate
from industry_apps.schema import Schema

Provider = Literal["cpu", "openvino", "cuda"]

_PROVIDERS: dict[str, str] = {
    "cpu": "CPUExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cuda": "CUDAExecutionProvider",
}
_REQUIRED = ("application", "schema", "outputs", "parity", "reference", "self_test")

#: Largest difference of a number that the replay of the self-test accepts.
TOLERANCE = 1e-4


class Model:
    """A model file on a serving machine.

    The file's self-test rows are replayed at load on the provider that will be used, so a
    file that answers differently here than where it was made is refused. Instances may be
    shared by threads.

    Parameters
    ----------
    path : str or Path
        A file written by ``Application.export``, or a name of the model zoo.
    provider : {"cpu", "openvino", "cuda"}
        What runs it; the last two need their build of onnxruntime.
    threads : int, optional
        Threads of one run; all cores by default.

    Raises
    ------
    ModelFileError
        The file is missing, damaged, not one of ours, or fails its self-test.
    ParameterError
        There is no such provider.
    MissingExtraError
        The provider is not in the installed onnxruntime.

    Examples
    --------
    >>> from industry_apps.runtime import TransactionState
    >>> model = Model("finance.fraud_detection")
    >>> state = TransactionState(**model.metadata["state"])
    >>> usual = {"customer": "C1", "terminal": "T1", "amount": 12.0}
    >>> for day in range(1, 8):
    ...     record = state.update({**usual, "time": f"2018-08-0{day} 12:00"})
    >>> model.predict(record)["is_fraud"]
    False
    >>> record = state.update({**usual, "time": "2018-08-08 03:00", "amount": 612.0})
    >>> model.predict(record)["is_fraud"]
    True
    """

    def __init__(
        self, path: str | Path, *, provider: Provider = "cpu", threads: int | None = None
    ) -> None:
        self.path = locate(path)
        self._session = _open_session(self.path, provider, threads)
        self.metadata = _read_metadata(self._session, self.path)
        self.schema = Schema.from_json(self.metadata["schema"])
        self.outputs = Schema.from_json(self.metadata["outputs"])
        self._output_names = self.outputs.names
        self._inputs = self.schema.inputs()
        self._read_record = inputs.record_reader(self._inputs)
        self._self_test()

    @overload
    def predict(self, data: Mapping[str, Any]) -> dict[str, Any]: ...
    @overload
    def predict(self, data: Any, *, to: str | Path | None = None) -> Any: ...

    def predict(self, data: Any, *, to: str | Path | None = None) -> Any:
        """Answer one record or many.

        Parameters
        ----------
        data : dict, list of dict, DataFrame, dict of arrays, Arrow table, str or Path
            One record is a dict of single values. A path names a CSV or Parquet file,
            which is read in chunks. Columns that the model does not know are ignored.
        to : str or Path, optional
            With a path: write all columns and the answers to this CSV or Parquet file,
            chunk by chunk. An answer takes the place of a column of the same name.

        Returns
        -------
        dict, list of dict, DataFrame, dict of arrays, Arrow table, or int
            The declared outputs, in the form the data came in (a DataFrame for a path;
            with ``to``, the number of rows written).

        Raises
        ------
        SchemaError
            Names the column, row, value, expectation and remedy.
        """
        if isinstance(data, str | Path):
            return self._predict_file(Path(data), None if to is None else Path(to))
        if to is not None:
            raise ParameterError("`to` goes with the path of a file. Write the answer yourself.")
        if inputs.is_record(data):
            answers = self._session.run(self._output_names, self._read_record(data))
            return {
                name: answer.item()
                for name, answer in zip(self._output_names, answers, strict=True)
            }
        answers = self._predict_table(inputs.table_of(data, self._inputs))
        return _like(data, answers)

    def explain(self, record: Mapping[str, Any]) -> dict[str, float]:
        """Contribution of each column to the first output of one record.

        A contribution is the answer less the answer with that column replaced by its
        reference value (median or most frequent in training); all replacements are
        answered in one batch. Contributions of columns that act together overlap, so they
        need not add up to the answer.

        Parameters
        ----------
        record : dict

        Returns
        -------
        dict of str to float
            Column -> contribution, the largest first.

        Raises
        ------
        SchemaError
            It is not one record, or a value does not fit.
        """
        if not inputs.is_record(record):
            raise SchemaError(
                f"Got {type(record).__name__}, expected one record: a dict of column names to "
                "single values. Explain records one by one."
            )
        feeds = self._read_record(record)
        reference = self._read_record(self.metadata["reference"])
        rows = len(feeds) + 1
        batch = {name: np.repeat(array, rows, axis=0) for name, array in feeds.items()}
        for row, name in enumerate(feeds, start=1):
            batch[name][row] = reference[name][0]
        answer = self._session.run(self._output_names[:1], batch)[0].reshape(rows)
        effects = {name: float(answer[0] - answer[row]) for row, name in enumerate(feeds, start=1)}
        return dict(sorted(effects.items(), key=lambda item: -abs(item[1])))

    def describe(self) -> dict[str, Any]:
        """What the file says of itself: application, columns, decision, metrics, parity."""
        hidden = ("self_test", "reference", "schema", "outputs")
        described = {key: value for key, value in self.metadata.items() if key not in hidden}
        described["columns"] = self.metadata["schema"]
        described["outputs"] = self.metadata["outputs"]
        return described

    def _predict_table(self, table: Any) -> dict[str, NDArray[Any]]:
        feeds = inputs.feeds_of(self._inputs.to_arrays(table), self._inputs)
        if not len(next(iter(feeds.values()))):
            return {
                column.name: np.empty(0, dtype=bool if column.kind == "boolean" else np.float32)
                for column in self.outputs
            }
        names = self._output_names
        found = inputs.run_in_slices(self._session, names, feeds, self._inputs)
        return {name: answer.reshape(-1) for name, answer in zip(names, found, strict=True)}

    def _predict_file(self, path: Path, to: Path | None) -> Any:
        import pandas as pd

        from industry_apps.runtime.files import TableWriter, chunks
        from industry_apps.runtime.progress import progress

        label = f"scoring {path.name}"
        if to is None:
            found = [
                pd.DataFrame(self._predict_table(frame))
                for frame in progress(chunks(path, self._inputs, only=True), label)
            ]
            return pd.concat(found, ignore_index=True)
        rows = 0
        with TableWriter(to, path, self._inputs) as writer:
            for frame in progress(chunks(path, self._inputs, only=False), label):
                writer.write(frame, self._predict_table(frame))
                rows += len(frame)
        return rows

    def _self_test(self) -> None:
        test = self.metadata["self_test"]
        if not test["records"] or set(test["answers"]) != set(self._output_names):
            raise ModelFileError(
                f"{self.path.name} carries no self-test of its outputs. Export the model again."
            )
        answers = self._predict_table(inputs.table_of(test["records"], self._inputs))
        for name, expected in test["answers"].items():
            wanted = np.asarray(expected, dtype=np.float64)
            same = np.isclose(answers[name], wanted, rtol=0, atol=TOLERANCE, equal_nan=True)
            if not same.all():
                row = int(same.argmin())
                raise ModelFileError(
                    f"{self.path.name} does not answer its self-test on this machine: row {row}, "
                    f"output {name!r}, got {answers[name][row]}, expected {expected[row]}. "
                    "Try provider='cpu', or export the model again."
                )


def _open_session(path: Path, provider: str, threads: int | None) -> ort.InferenceSession:
    if provider not in _PROVIDERS:
        raise ParameterError(f"Unknown provider {provider!r}; choose from {list(_PROVIDERS)}.")
    if _PROVIDERS[provider] not in ort.get_available_providers():
        raise MissingExtraError(
            f"The installed onnxruntime cannot run on {provider!r} (it has "
            f"{ort.get_available_providers()}). Install onnxruntime-"
            f"{'gpu' if provider == 'cuda' else provider} instead of onnxruntime."
        )
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if threads is not None:
        options.intra_op_num_threads = threads
    order = list(dict.fromkeys([_PROVIDERS[provider], _PROVIDERS["cpu"]]))
    try:
        session = ort.InferenceSession(str(path), options, providers=order)
    except Exception as error:
        raise ModelFileError(
            f"{path.name} cannot be loaded by onnxruntime {ort.__version__}: {error}. "
            "The file may be damaged; fetch or export it again."
        ) from error
    if order[0] not in session.get_providers():  # onnxruntime falls back without an error
        raise MissingExtraError(
            f"The installed onnxruntime has {provider!r}, but cannot start it on this machine. "
            "Install its drivers, or use provider='cpu'."
        )
    return session


def _read_metadata(session: ort.InferenceSession, path: Path) -> dict[str, Any]:
    stored = session.get_modelmeta().custom_metadata_map
    absent = [key for key in _REQUIRED if key not in stored]
    if absent:
        raise ModelFileError(
            f"{path.name} was not written by industry_apps: its metadata lacks "
            f"{', '.join(absent)}. Run it with onnxruntime, or export it with an application."
        )
    try:
        return {key: json.loads(value) for key, value in stored.items()}
    except json.JSONDecodeError as error:
        raise ModelFileError(f"The metadata of {path.name} are damaged: {error}.") from error


def _like(data: Any, answers: dict[str, NDArray[Any]]) -> Any:
    """Answers in the form that the data came in."""
    if hasattr(data, "iloc"):
        import pandas as pd

        return pd.DataFrame(answers, index=data.index)
    if hasattr(data, "column_names"):
        import pyarrow as pa

        return pa.table(answers)
    if isinstance(data, Sequence):
        rows = zip(*(column.tolist() for column in answers.values()), strict=True)
        return [dict(zip(answers, row, strict=True)) for row in rows]
    return answers
