"""One model file, loaded and served: raw business record in, decision out.

Nothing but numpy and onnxruntime is needed; pandas only when handed a frame or a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any, Self, overload

from numpy.typing import NDArray

from industry_apps.errors import ModelFileError, ParameterError, SchemaError
from industry_apps.runtime import inputs
from industry_apps.runtime.answers import cells, like, no_answers, of_one, replayed, shaped
from industry_apps.runtime.completion import completion_of
from industry_apps.runtime.csv_rows import ShortRows
from industry_apps.runtime.explanations import explainer_of, outputs_of
from industry_apps.runtime.loading import (
    Checked,
    Provider,
    TimedSession,
    check,
    open_session,
    read_file,
    refused,
)
from industry_apps.runtime.metadata import OF_FORMAT, TOLERANCE, printable, read_metadata
from industry_apps.runtime.records import Plain, RecordReader
from industry_apps.runtime.series.forecasts import question_of
from industry_apps.runtime.series.long_tables import WindowRule, long_schema
from industry_apps.runtime.series.windows import run_windows
from industry_apps.runtime.single_runs import BoundSession
from industry_apps.runtime.stream.state import TransactionState
from industry_apps.runtime.watch import Seen, Watch
from industry_apps.runtime.zoo import locate
from industry_apps.schema import Schema
from industry_apps.schema.image_files import with_files
from industry_apps.schema.names import Names

_Path = str | Path | None
_HIDDEN = ("self_test", "reference", "schema", "outputs", "seen", "explanation", *OF_FORMAT)


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
    sha256 : str, optional
        Of the file, as ``sha256sum`` prints it. The digest in the file tells damage; this one
        tells a file that somebody put in its place.

    Raises
    ------
    ModelFileError
        The file is missing, damaged, not one of ours, or fails its self-test; to pickle a
        model, its file must be there as it was.
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
        self,
        path: str | Path,
        *,
        provider: Provider = "cpu",
        threads: int | None = None,
        sha256: str | None = None,
    ) -> None:
        self.path = locate(path)
        checked = check(read_file(self.path, sha256), self.path.name)
        self._load(checked, provider, threads)

    @classmethod
    def _of(
        cls, content: bytes, path: Path, provider: Provider = "cpu", threads: int | None = None
    ) -> Self:
        """The model of these bytes, as if they stood at a path."""
        model = cls.__new__(cls)
        model.path = path
        model._load(check(content, path.name), provider, threads)
        return model

    def _load(self, checked: Checked, provider: Provider, threads: int | None) -> None:
        self.metadata = read_metadata(checked.stored, checked.name)
        self._identity, self._provider, self._threads = checked.identity, provider, threads
        self._session = open_session(checked.content, checked.name, provider, threads)
        with refused(checked.name):
            self._prepare()
            self._self_test()

    def _prepare(self) -> None:
        self.schema = Schema.from_json(self.metadata["schema"])
        self.outputs = Schema.from_json(self.metadata["outputs"])
        self._output_names = self.outputs.names
        self._inputs = self.schema.inputs()
        self.windows: WindowRule | None = None
        self._table = self._inputs  # the columns that are read from a table
        self._keys: list[str] = []  # what says whose an answer is, beside the index
        self._tolerance = self.metadata.get("tolerance", TOLERANCE)
        if "windows" in self.metadata:
            self.windows = WindowRule.from_dict(self.metadata["windows"])
            self._table = long_schema(self.schema, self.windows)
            self._keys = self.windows.keys
        self.completion = completion_of(self.metadata, self._inputs, self.path.name)
        self._check_names()
        self._names: Names | None = None  # files of the first format answer whatever the names
        if "answers_empty" in self.metadata:
            self._names = Names(self._table, answers_empty=self.metadata["answers_empty"])
        self._read_record = RecordReader(self._inputs, self._names)
        record = (self._session, self._read_record, self._output_names)
        self._one = BoundSession(*record, in_place=self._provider == "cpu")
        self._seen = Seen(self._inputs, self.metadata.get("seen", {}))
        typical = self.metadata["reference"]
        read = self._read_record(typical) if typical else {}
        columns = (self._inputs, self.outputs)
        self._explainer = explainer_of(self._session, *columns, self.metadata, read)
        if self.metadata.get("state") is not None:
            TransactionState(**self.metadata["state"])

    def _check_names(self) -> None:
        """The graph has the inputs and the outputs that the metadata declare."""
        asked = {each.name for each in self._session.get_inputs()}
        told = {each.name for each in self._session.get_outputs()}
        expected = {*self._output_names, *outputs_of(self.metadata)}
        if asked != set(self._inputs.names) or not expected <= told:
            raise ModelFileError(
                f"{self.path.name} is damaged or not ours: its graph takes {sorted(asked)} and "
                f"gives {sorted(told)}, expected {sorted(self._inputs.names)} and "
                f"{sorted(expected)} of its metadata. Fetch or export the file again."
            )

    def __reduce__(self) -> tuple[Any, ...]:
        checked = check(read_file(self.path), self.path.name)
        if checked.identity != self._identity:
            raise ModelFileError(
                f"{self.path} is another file than when it was loaded, so the model cannot be "
                "pickled. Load it again."
            )
        return Model._of, (checked.content, self.path, self._provider, self._threads)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Another model on the same session, with metadata of its own."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.metadata = deepcopy(self.metadata, memo)
        return other

    def __copy__(self) -> Self:
        return self.__deepcopy__({})

    @overload
    def predict(self, data: Mapping[str, Any], *, paths: _Path = None) -> dict[str, Any]: ...
    @overload
    def predict(
        self, data: Any, *, to: _Path = None, short_rows: ShortRows = "refuse", paths: _Path = None
    ) -> Any: ...

    def predict(
        self, data: Any, *, to: _Path = None, short_rows: ShortRows = "refuse", paths: _Path = None
    ) -> Any:
        """Answer one record or many, or each series of a long table.

        A model of windows of series (one with ``windows``) takes a long table, with a row
        for each series and moment, and answers one row for each series as of the last
        moment of the table, or of its own (``windows.as_of``). A forecast answers one row for
        each series and future moment; it begins behind the last moment at which any history
        column has a value, and rows behind that hold what is known in advance.

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
        paths : str or Path, optional
            The folder beneath which a text in a column of images is the path of one; by default
            that of the CSV or Parquet file, none of records. Not for records of others.

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
            Of a table of 100 rows and more: half a column is missing, unseen, or beyond the
            numbers of training, which next to none of it was in training.
        """
        if isinstance(data, str | Path):
            watch = Watch(self._seen)
            answers = self._predict_file(Path(data), to, short_rows, paths, watch)
            watch.warn()
            return answers
        if to is not None:
            raise ParameterError("`to` goes with the path of a file. Write the answer yourself.")
        asked, data = data, self._completed(data)
        plain = self._read_record.plain(data) if self.windows is None else None
        if plain is not None or inputs.is_record(data, self._inputs):
            if self.windows is not None:
                raise SchemaError(
                    f"Got one record, expected a history: rows of {self.windows.length} moments of "
                    f"each {self.windows.series!r}, with their {self.windows.time!r}. Give a table."
                )
            return self._predict_one(self._with_files(data, paths), plain)
        watch = Watch(self._seen)
        table = inputs.table_of(data, self._table, self._names)
        answers = self._predict_table(self._with_files(table, paths), watch=watch)
        watch.warn()
        return like(asked, answers, self._keys, self.outputs)

    @overload
    def explain(self, data: Mapping[str, Any]) -> dict[str, Any]: ...
    @overload
    def explain(self, data: Any) -> Any: ...
    def explain(self, data: Any) -> Any:
        """What each column adds to the answer, against a stated reference.

        Of a file that names reasons: what the column adds to the log-odds, the log-hazard or the
        points lost, as its reasons are found. Of a file of molecules: what each atom adds, the
        answer less the answer without it. Of all others: the first numeric output less that
        output with the column replaced by its reference value. Columns, and atoms, that act
        together overlap there, and need not add up to the answer. ``describe()["explanation"]``
        states method, reference and unit.

        Parameters
        ----------
        data : dict, list of dict, DataFrame, dict of arrays or Arrow table
            One record, or many.

        Returns
        -------
        dict of str to float, list of them, or DataFrame
            Column -> contribution, the largest first; of a DataFrame one on its index, of any
            other table a dict for each row. Of a molecule ``symbol``, a list of its atoms, and
            what they add to each answer, lists in the same order; of a DataFrame a row for each
            atom.

        Raises
        ------
        SchemaError
            A value does not fit, or a molecule cannot be read.
        ParameterError
            The model answers from windows of series or images, or with no single number.
        """
        if self.windows is not None:
            raise ParameterError(
                f"{self.path.name} answers from windows of series, whose answers are not "
                "explained column by column. Compare predict() with and without a change."
            )
        self._explainer.check(self.path.name)
        data = self._completed(data)
        if inputs.is_record(data, self._inputs):
            return self._explainer.explained(data, self._read_record(data))[0]
        table = inputs.table_of(data, self._table, self._names)
        feeds = inputs.feeds_of(self._inputs.to_arrays(table), self._inputs)
        return self._explainer.explained(data, feeds)

    def describe(self) -> dict[str, Any]:
        """What the file says of itself: application, columns, decision, metrics, parity."""
        described = {key: value for key, value in self.metadata.items() if key not in _HIDDEN}
        if self.windows is None and self._explainer.facts:
            described["explanation"] = self._explainer.facts
        described["columns"] = self.metadata["schema"]
        described["outputs"] = self.metadata["outputs"]
        return dict(printable(described))

    def _predict_one(self, record: Mapping[str, Any], plain: Plain | None) -> dict[str, Any]:
        if plain is None:
            answers = self._session.run(self._output_names, self._read_record(record))
        else:
            answers = self._one.run(plain)
        return {
            column.name: of_one(column, answer)
            for column, answer in zip(self.outputs, answers, strict=True)
        }

    def _predict_table(
        self, table: Any, session: Any = None, watch: Watch | None = None
    ) -> dict[str, NDArray[Any]]:
        session = session or self._session
        arrays = (self._inputs if self.windows is None else self._seen.columns).to_arrays(table)
        if watch is not None:
            watch.count(arrays)
        if self.windows is not None:
            return self._predict_series(table, self.windows, session, warn=watch is not None)
        feeds = inputs.feeds_of(arrays, self._inputs)
        if not len(next(iter(feeds.values()))):
            return no_answers(self.outputs)
        most = self.metadata.get("rows_a_run")
        found = inputs.run_in_slices(session, self._output_names, feeds, self._inputs, most)
        return shaped(self.outputs, found)

    def _predict_series(
        self, table: Any, rule: WindowRule, session: Any, *, warn: bool
    ) -> dict[str, NDArray[Any]]:
        asked = question_of(table, self.schema, rule, warn=warn)
        answers = run_windows(session, self._output_names, asked.feeds, self.schema, rule)
        return {**asked.keys, **{name: asked.rows(a) for name, a in answers.items()}}

    def _completed(self, data: Any) -> Any:
        return data if self.completion is None else self.completion.of(data)

    def _with_files(self, table: Any, paths: _Path) -> Any:
        images = [column.name for column in self._inputs if column.kind == "image"]
        return with_files(table, images, paths) if images and paths is not None else table

    def _predict_file(
        self, path: Path, to: _Path, short_rows: ShortRows, paths: _Path, watch: Watch
    ) -> Any:
        import pandas as pd

        from industry_apps.runtime.files import TableWriter, chunks
        from industry_apps.runtime.progress import progress

        columns, names = self._inputs, self._names
        if self.completion is not None:
            columns, names = self.completion.of_file(path, columns, names)
        read = partial(chunks, path, short_rows=short_rows, checked=names)
        if self.windows is not None:  # the rows of a series may lie in any chunk
            table = pd.concat(progress(read(self._table, only=True), f"scoring {path.name}"))
            answers = self._predict_table(table, watch=watch)
            if to is None:
                return like(table, answers, self._keys, self.outputs)
            keys = pd.DataFrame({name: answers.pop(name) for name in self._keys})
            # Nothing of the source stays.
            with TableWriter(Path(to), Path(), self._table, self.outputs) as writer:
                writer.write(keys, answers)
            return len(keys)
        paths = path.parent if paths is None else paths
        frames = progress(read(columns, only=to is None), f"scoring {path.name}")

        def answered(frame: Any) -> dict[str, NDArray[Any]]:
            table = self._completed(self._with_files(frame, paths))
            return self._predict_table(table, watch=watch)

        if to is None:
            found = [pd.DataFrame(cells(answered(frame), self.outputs)) for frame in frames]
            return pd.concat(found, ignore_index=True)
        rows = 0
        with TableWriter(Path(to), path, columns, self.outputs) as writer:
            for frame in frames:
                writer.write(frame, answered(frame))
                rows += len(frame)
        return rows

    def _self_test(self) -> None:
        test = self.metadata["self_test"]
        if not test["records"] or set(test["answers"]) != set(self._output_names):
            raise ModelFileError(
                f"{self.path.name} carries no self-test of its outputs. Export the model again."
            )
        session = TimedSession(self._session)  # a file can ask for a loop without an end
        records = inputs.table_of(test["records"], self._table)
        answers = self._predict_table(records, session=session)
        replayed(self.path.name, answers, test["answers"], self.outputs, self._tolerance)
