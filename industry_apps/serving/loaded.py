"""One version of a model file, loaded, self-tested and warmed up: what answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from time import perf_counter
from typing import Any

from industry_apps.errors import IndustryAppsError, ModelFileError, ParameterError
from industry_apps.runtime.batches import Asked, RecordBatches
from industry_apps.runtime.model import Model
from industry_apps.serving.turns import Turns, too_late

#: Seconds of a run for which the event loop may wait; longer ones go to a thread.
_AT_ONCE = 0.002
_WARM_RUNS = 3


class Loaded:
    """One version of a model, ready to answer.

    Parameters
    ----------
    model : Model
        Its file has been checked and has answered its self-test.
    sha256 : str
        Of the file.
    executor : Executor
        Where long runs go.
    seconds : float
        That a request may wait for its run.

    Raises
    ------
    ModelFileError
        It fails on the records of its own self-test, asked as clients ask.
    """

    def __init__(self, model: Model, sha256: str, executor: Executor, seconds: float) -> None:
        self.model, self.sha256, self.version = model, sha256, sha256[:12]
        self.batches = RecordBatches(model)
        self._executor, self._limit = executor, seconds
        #: Whether records that share a run get the answers that they get alone, bit for bit.
        self.shares_runs = False
        #: Seconds of one record.
        self.seconds = 0.0
        self._warm_up()
        thread = executor if self.seconds > _AT_ONCE else None
        self.turns = Turns(self._outcomes, seconds=seconds, executor=thread)

    @property
    def is_of_records(self) -> bool:
        """Whether it answers records, and not windows of series."""
        return self.model.windows is None

    @property
    def explains(self) -> bool:
        """Whether it says what each column adds to its answers."""
        try:
            self.model._explainer.check(self.model.path.name)
        except ParameterError:
            return False
        return self.is_of_records

    def record(self, asked: Asked) -> asyncio.Future[dict[str, Any]]:
        """Answer one record that :meth:`RecordBatches.read` has checked."""
        return self.turns.ask(asked)

    async def table(self, data: Any, rows: int) -> Any:
        """Answer a table in the form that it comes in.

        Parameters
        ----------
        data : sequence of dict, or dict of arrays
        rows : int
            Of it.
        """
        return await self._run(partial(self.model.predict, data), rows)

    async def explained(self, data: Any, rows: int) -> Any:
        """Say what each column adds to the answers to a record, or to a sequence of them."""
        return await self._run(partial(self.model.explain, data), 20 * rows)

    async def _run(self, call: Callable[[], Any], rows: int) -> Any:
        if rows * self.seconds <= _AT_ONCE:
            return call()
        arrived = perf_counter()

        def late() -> Any:
            if perf_counter() - arrived > self._limit:
                raise too_late(self._limit)
            return call()

        return await asyncio.get_running_loop().run_in_executor(self._executor, late)

    def _outcomes(self, asked: Sequence[Asked]) -> Sequence[Any]:
        """Answers, or errors, of some records; one that fails does so alone."""
        if self.shares_runs or len(asked) == 1:
            try:
                return self.batches.run(asked)
            except Exception as error:  # noqa: BLE001 - whose it is shows each of them alone
                if len(asked) == 1:
                    return [error]
        return [self._outcome(each) for each in asked]

    def _outcome(self, asked: Asked) -> Any:
        try:
            return self.batches.one_by_one([asked])[0]
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            return error

    def _warm_up(self) -> None:
        records = self.model.metadata["self_test"]["records"]
        if not self.is_of_records:
            began = perf_counter()
            self.model.predict(records)
            self.seconds = (perf_counter() - began) / len(records)
            return
        try:
            asked = [self.batches.read(record) for record in records]
            alone = self.batches.one_by_one(asked)
            began = perf_counter()
            for _ in range(_WARM_RUNS):
                self.batches.one_by_one(asked[:1])
            self.seconds = (perf_counter() - began) / _WARM_RUNS
            sizes = {min(size, len(asked)) for size in (2, 3, 5, len(asked))}
            self.shares_runs = all(
                _text(self.batches.run(asked[:size])) == _text(alone[:size]) for size in sizes
            )
        except IndustryAppsError as error:
            raise ModelFileError(
                f"{self.model.path.name} refuses a record of its own self-test: {error} Export "
                "the model again."
            ) from error


def _text(answers: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(answers)
