"""One model file, loaded and served: raw business record in, decision out.

Nothing but numpy and onnxruntime is needed; pandas only when handed a frame or a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from industry_apps.errors import MissingExtraError, ModelFileError, ParameterError, SchemaError
from industry_apps.runtime import inputs
from industry_apps.runtime.answers import cells, differs, like, no_answers, of_one, shaped
from industry_apps.runtime.csv_rows import ShortRows
from industry_apps.runtime.forecasts import question_of
from industry_apps.runtime.long_tables import WindowRule, long_schema
from industry_apps.runtime.records import Plain, RecordReader
from industry_apps.runtime.single_runs import BoundSession
from industry_apps.runtime.watch import Seen, Watch
from industry_apps.runtime.windows import run_windows
from industry_apps.runtime.zoo import locate
from industry_apps.schema import Schema
from industry_apps.schema.names import Names

Provider = Literal["cpu", "openvino", "cuda"]

_PROVIDERS: dict[str, str] = {
    "cpu": "CPUExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cuda": "CUDAExecutionProvider",
}
_REQUIRED = ("application", "schema", "outputs", "parity", "reference", "self_test")

#: Largest difference of a number that the replay of the self-test accepts; of a number
#: beyond 1, as a share of it.
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
        self.windows: WindowRule | None = None
        self._table = self._inputs  # the columns that are read from a table
        self._keys: list[str] = []  # what says whose an answer is, beside the index
        if "windows" in self.metadata:
            self.windows = WindowRule.from_dict(self.metadata["windows"])
            self._table = long_schema(self.schema, self.windows)
            self._keys = self.windows.keys
        self._names: Names | None = None  # files of the first format answer whatever the names
        if "answers_empty" in self.metadata:
            self._names = Names(self._table, answers_empty=self.metadata["answers_empty"])
        self._read_record = RecordReader(self._inputs, self._names)
        self._one = BoundSession(
            self._session, self._read_record, self._output_names, in_place=provider == "cpu"
        )
        self._seen = Seen(self._inputs, self.metadata.get("seen", {}))
        self._self_test()

    @overload
    def predict(self, data: Mapping[str, Any]) -> dict[str, Any]: ...
    @overload
    def predict(
        self, data: Any, *, to: str | Path | None = None, short_rows: ShortRows = "refuse"
    ) -> Any: ...

    def predict(
        self, data: Any, *, to: str | Path | None = None, short_rows: ShortRows = "refuse"
    ) -> Any:
        """Answer one record or many, or each series of a long table.

        A model of windows of series (one with ``windows``) takes a long table, with a row
        for each series and moment, and answers one row for each series as of the last
        moment of the table. A forecast answers one row for each series and future moment; it
        begins behind the last moment at which any history column has a value, and rows
        behind that hold what is known in advance.

        Parameters
        ----------
        data : dict, list of dict, DataFrame, dict of arrays, Arrow table, str or Path
            One record is a dict of single values. A path names a CSV or Parquet file,
            which is read in chunks. Columns that the model does not know are ignored.
        to : str or Path, optional
            With a path: write all columns and the answers to this CSV or Parquet file,
            chunk by chunk. An answer takes the place of a column of the same name.
        short_rows : {"refuse", "missing"}
            With the path of a CSV file: what is done with a row that has fewer cells than the
            header, refuse the file or take what the row lacks as missing.

        Returns
        -------
        dict, list of dict, DataFrame, dict of arrays, Arrow table, or int
            The declared outputs, in the form the data came in (a DataFrame for a path;
            with ``to``, the number of rows written). A list column of the outputs is a list
            in each row. Of series: in order of their names, which (and the moments of a
            forecast) are the index of a DataFrame and a column or key of all other forms.

        Raises
        ------
        SchemaError
            Names the column, row, value, expectation and remedy.

        Warns
        -----
        UnlikeTrainingWarning
            Of a table of 100 rows and more: half a column is missing or unseen, which next to
            none of it was in training.
        """
        if isinstance(data, str | Path):
            return self._predict_file(Path(data), None if to is None else Path(to), short_rows)
        if to is not None:
            raise ParameterError("`to` goes with the path of a file. Write the answer yourself.")
        plain = self._read_record.plain(data) if self.windows is None else None
        if plain is not None or inputs.is_record(data, self._inputs):
            if self.windows is not None:
                raise SchemaError(
                    f"Got one record, expected a history: rows of {self.windows.length} moments "
                    f"of each {self.windows.series!r}, with their {self.windows.time!r}. Give a "
                    "DataFrame, a dict of arrays or a list of records."
                )
            return self._predict_one(data, plain)
        watch = Watch(self._seen)
        answers = self._predict_table(inputs.table_of(data, self._table, self._names), watch)
        watch.warn()
        return like(data, answers, self._keys)

    def explain(self, record: Mapping[str, Any]) -> dict[str, float]:
        """Contribution of each column to the first numeric output of one record.

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
        ParameterError
            The model answers from windows of series or images, or with no single number.
        """
        told = [c.name for c in self.outputs if c.kind == "number" and not c.is_list]
        if self.windows is not None:
            raise ParameterError(
                f"{self.path.name} answers from windows of series, whose answers are not "
                "explained column by column. Compare predict() with and without a change."
            )
        if any(column.kind == "image" for column in self._inputs):
            raise ParameterError(
                f"{self.path.name} answers from images, which are not explained column by column. "
                "Look at the map among its answers, where it has one."
            )
        if not told:
            raise ParameterError(
                f"{self.path.name} answers with no single number, so columns contribute to "
                "nothing that could be added up. Compare predict() with and without a change."
            )
        if not inputs.is_record(record, self._inputs):
            raise SchemaError(
                f"Got {type(record).__name__}, expected one record: a dict of column names to "
                "single values. Explain records one by one."
            )
        feeds = self._read_record(record)
        reference = self._read_record(self.metadata["reference"])
        rows = len(feeds) + 1
        batch = {}
        for row, (name, array) in enumerate(feeds.items(), start=1):
            empty = self._inputs[name].missing(1).ravel()[0]
            width = max(array.shape[1], reference[name].shape[1])
            batch[name] = np.repeat(_widened(array, width, empty), rows, axis=0)
            batch[name][row] = _widened(reference[name], width, empty)[0]
        answer = self._session.run(told[:1], batch)[0].reshape(rows)
        effects = {name: float(answer[0] - answer[row]) for row, name in enumerate(feeds, start=1)}
        return dict(sorted(effects.items(), key=lambda item: -abs(item[1])))

    def describe(self) -> dict[str, Any]:
        """What the file says of itself: application, columns, decision, metrics, parity."""
        hidden = ("self_test", "reference", "schema", "outputs", "seen")
        described = {key: value for key, value in self.metadata.items() if key not in hidden}
        described["columns"] = self.metadata["schema"]
        described["outputs"] = self.metadata["outputs"]
        return described

    def _predict_one(self, record: Mapping[str, Any], plain: Plain | None) -> dict[str, Any]:
        if plain is None:
            answers = self._session.run(self._output_names, self._read_record(record))
        else:
            answers = self._one.run(plain)
        return {
            column.name: of_one(column, answer)
            for column, answer in zip(self.outputs, answers, strict=True)
        }

    def _predict_table(self, table: Any, watch: Watch | None = None) -> dict[str, NDArray[Any]]:
        if self.windows is not None:
            return self._predict_series(table, self.windows)
        arrays = self._inputs.to_arrays(table)
        if watch is not None:
            watch.count(arrays)
        feeds = inputs.feeds_of(arrays, self._inputs)
        if not len(next(iter(feeds.values()))):
            return no_answers(self.outputs)
        most = self.metadata.get("rows_a_run")
        found = inputs.run_in_slices(self._session, self._output_names, feeds, self._inputs, most)
        return shaped(self.outputs, found)

    def _predict_series(self, table: Any, rule: WindowRule) -> dict[str, NDArray[Any]]:
        asked = question_of(table, self.schema, rule)
        answers = run_windows(self._session, self._output_names, asked.feeds, self.schema, rule)
        return {**asked.keys, **{name: a.reshape(-1) for name, a in answers.items()}}

    def _predict_file(self, path: Path, to: Path | None, short_rows: ShortRows) -> Any:
        import pandas as pd

        from industry_apps.runtime.files import TableWriter, chunks
        from industry_apps.runtime.progress import progress

        label = f"scoring {path.name}"
        read = partial(chunks, path, short_rows=short_rows, checked=self._names)
        if self.windows is not None:  # the rows of a series may lie in any chunk
            table = pd.concat(progress(read(self._table, only=True), label))
            answers = self._predict_table(table)
            if to is None:
                return like(table, answers, self._keys)
            keys = pd.DataFrame({name: answers.pop(name) for name in self._keys})
            with TableWriter(to, Path(), self._table) as writer:  # nothing of the source stays
                writer.write(keys, answers)
            return len(keys)
        watch = Watch(self._seen)
        if to is None:
            found = [
                pd.DataFrame(cells(self._predict_table(frame, watch)))
                for frame in progress(read(self._inputs, only=True), label)
            ]
            watch.warn()
            return pd.concat(found, ignore_index=True)
        rows = 0
        with TableWriter(to, path, self._inputs) as writer:
            for frame in progress(read(self._inputs, only=False), label):
                writer.write(frame, self._predict_table(frame, watch))
                rows += len(frame)
        watch.warn()
        return rows

    def _self_test(self) -> None:
        test = self.metadata["self_test"]
        if not test["records"] or set(test["answers"]) != set(self._output_names):
            raise ModelFileError(
                f"{self.path.name} carries no self-test of its outputs. Export the model again."
            )
        answers = self._predict_table(inputs.table_of(test["records"], self._table))
        for name, expected in test["answers"].items():
            if len(answers[name]) != len(expected):
                raise ModelFileError(
                    f"{self.path.name} is damaged: its self-test has {len(expected)} answers for "
                    f"{len(answers[name])} records. Export the model again."
                )
            wrong = differs(answers[name], expected, self.metadata.get("tolerance", TOLERANCE))
            if wrong.any():
                row = int(wrong.argmax())
                raise ModelFileError(
                    f"{self.path.name} does not answer its self-test on this machine: row {row}, "
                    f"output {name!r}, got {answers[name][row]}, expected {expected[row]}. "
                    "Try provider='cpu', or export the model again."
                )


def _widened(array: NDArray[Any], width: int, empty: Any) -> NDArray[Any]:
    """Lists [rows, values] made longer by values that are none."""
    return np.pad(array, ((0, 0), (0, width - array.shape[1])), constant_values=empty)


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
