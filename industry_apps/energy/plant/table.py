"""Faults in the runs of a long table: learned, judged, and answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.energy.plant.assessment import answers_at, assess_plant
from industry_apps.energy.plant.baselines import PlantBaselines
from industry_apps.energy.plant.diagnosis import Diagnosis
from industry_apps.energy.plant.model import FAULT, NEW, UNKNOWN, PlantModel
from industry_apps.energy.plant.runs import RunColumns, Runs
from industry_apps.errors import LeakageError, SchemaError, TrainingError
from industry_apps.evaluation import Report
from industry_apps.recipes.anomaly.moving import Moved
from industry_apps.recipes.anomaly.recipe import AnomalyOptions, AnomalyRecipe
from industry_apps.recipes.anomaly.scaling import Columns
from industry_apps.recipes.trees import TreeOptions
from industry_apps.runtime import Panel, WindowRule
from industry_apps.schema import Schema

__all__ = ["Feeds", "PlantTable"]

#: Where nobody holds normal rows out: so much of each stretch, its end.
_HELD_OUT = 0.3
#: A run is known where more than this share of its readings is.
_LEARNED = 0.5
#: Faults that are fewer tell nothing apart.
_FEWEST_FAULTS = 2

Feeds = Mapping[str, NDArray[Any]]


@dataclass(kw_only=True)
class PlantTable:
    """A detector of the runs of a long table.

    Parameters
    ----------
    schema : Schema
        The tags, of the role "history"; whose a reading is, and of when.
    rule : WindowRule
        With clocks of the runs' own; its length is learned.
    names : RunColumns
    options : AnomalyOptions
    trees : TreeOptions
        Of the diagnosis.
    apart : tuple of str
        Faults that are reported apart.
    """

    schema: Schema
    rule: WindowRule
    names: RunColumns
    options: AnomalyOptions
    trees: TreeOptions
    apart: tuple[str, ...]

    def fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> PlantTable:
        """Learn normal operation from the normal rows of the first, and faults from all others."""
        self.schema = self.schema.with_offsets(train)
        parts = self._parts(train, validation)
        self.split_ = {name: runs.described(self.names.normal) for name, runs in parts.items()}
        self.check_ = train if validation is None else validation
        self.notes_: list[str] = []
        normal, held_out = self._normal(parts)
        detection = AnomalyRecipe(self.options).fit(self.schema, normal, held_out)
        self._note(detection)
        self.model_ = PlantModel(detection, self._diagnosis(parts), self.names.normal)
        self.windows = replace(self.rule, length=self.model_.length)
        first = parts["train"]
        self.normal_ = self._usual(first)
        self.longest_runs_ = first.longest_runs(self.used.inputs().names)
        self.learned_runs_ = {str(each) for runs in parts.values() for each in runs.machines}
        told = np.concatenate([runs.fingerprints() for runs in parts.values()])
        self.learned_readings_ = np.unique(told[told > 0])
        self.baselines_: PlantBaselines | None = None
        return self

    def fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        """Learn what the model is compared with, from the same rows."""
        normal, held_out = self._normal(self._parts(train, validation))
        self.baselines_ = PlantBaselines(self.schema, normal, held_out)

    @property
    def used(self) -> Schema:
        """The columns that the file reads, and those that say whose a reading is, and of when."""
        tags = self.model_.detection.scaling_.columns
        if self.model_.diagnosis is not None:
            tags = tuple(dict.fromkeys([*tags, *self.model_.diagnosis.graph_.columns]))
        return Schema(tuple(self.schema[name] for name in (self.names.run, self.names.time, *tags)))

    def asked(self, frame: pd.DataFrame) -> tuple[Feeds, pd.Index]:
        """The windows up to the last reading of each run, and whose they are."""
        panel = Panel.read(frame, self.used, self.windows)
        feeds = panel.feeds(len(panel.times), self.used, self.windows)
        return feeds, pd.Index(panel.series, name=self.rule.series)

    def trajectories(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The answers as of each reading, from what was known then.

        Returns
        -------
        DataFrame
            On an index of run and time, in order.
        """
        runs = self._read(frame)
        answers = answers_at(self.model_, runs)
        keys = [runs.machines[runs.owner], runs.shown_times(self.rule)]
        index = pd.MultiIndex.from_arrays(keys, names=[self.rule.series, self.rule.time])
        return pd.DataFrame(answers, index=index)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What each tag does to the score of each run, as of its last reading.

        Returns
        -------
        DataFrame
            On the sorted names of the runs.
        """
        feeds, index = self.asked(frame)
        detection = self.model_.detection
        changes = detection.answer(feeds).changes
        return pd.DataFrame(changes, index=index, columns=list(detection.scaling_.columns))

    def nearest_normal(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The normal reading of training that is most like the last one of each run.

        Returns
        -------
        DataFrame
            On the sorted names of the runs: the run and time of that reading, and the root mean
            squared difference of the tags in their standard deviations.
        """
        runs = self._read(frame)
        detection = self.model_.detection
        names = detection.scaling_.columns
        last = {name: runs.columns[name][runs.last] for name in names}
        rows = detection.scaling_.apply(last, self.schema)
        usual, keys = self.normal_
        apart = np.array([((usual - row) ** 2).mean(axis=1) for row in rows])
        place = np.nan_to_num(apart, nan=np.inf).argmin(axis=1)
        unknown = np.isnan(rows).any(axis=1)
        found = keys.iloc[place].set_axis(runs.machines, axis=0).rename_axis(self.rule.series)
        found["difference"] = np.sqrt(apart[np.arange(len(place)), place])
        found.loc[unknown] = None
        return found

    def moved(
        self, frame: pd.DataFrame, tags: Sequence[str], memory: float, bound: float
    ) -> tuple[PlantTable, list[Moved]]:
        """A copy whose named tags follow the readings that raise no alarm."""
        runs = self._read(frame)
        quiet = answers_at(self.model_, runs)["score"] < 1
        rows = {name: values[quiet] for name, values in runs.columns.items()}
        detection, told = self.model_.detection.moved(
            rows, columns=tags, memory=memory, bound=bound
        )
        found = copy(self)
        found.model_ = replace(self.model_, detection=detection)
        return found, told

    def stuck(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Tags whose last readings are equal for longer than they ever were in training.

        Returns
        -------
        DataFrame
            A row for each: run, tag, equal readings up to the last one, and the most in training.
        """
        runs = self._read(frame)
        rows = []
        for place, (begin, end) in enumerate(zip(runs.starts[:-1], runs.starts[1:], strict=True)):
            for name in self.used.inputs().names:
                values = runs.columns[name][begin:end][::-1]
                changed = np.flatnonzero(values != values[0])
                equal = int(changed[0]) if len(changed) else len(values)
                most = self.longest_runs_[name]
                # As SensorState says it, reading by reading.
                if equal > max(2 * most, 5):
                    rows.append([runs.machines[place], name, equal, most])
        return pd.DataFrame(rows, columns=[self.rule.series, "tag", "equal", "most_in_training"])

    def evaluate(self, frame: pd.DataFrame) -> Report:
        """Judge it on runs that it has not learned from."""
        if self.names.fault not in frame:
            raise SchemaError(
                f"Column {self.names.fault!r} is missing: without what was wrong there is nothing "
                f"to compare alarms with. Add it, with {self.names.normal!r} where nothing was."
            )
        runs = Runs.read(frame, self.schema, self.rule, self.names)
        shared = sorted(self.learned_runs_ & set(map(str, runs.machines)))
        if shared:
            raise LeakageError(
                f"Run {shared[0]!r} is in the test data and was learned from: its windows are all "
                "but those of training. Split by run, before windows are cut."
            )
        self._refuse_learned(runs)
        return assess_plant(
            self.model_,
            self.baselines_,
            runs,
            name=self.options.model,
            apart=self.apart,
            split={**self.split_, "test": runs.described(self.names.normal)},
            notes=tuple(self.notes_),
        )

    def _refuse_learned(self, runs: Runs) -> None:
        """Refuse a run most of whose readings were learned from, whatever it is called."""
        known = np.isin(runs.fingerprints(), self.learned_readings_)
        share = np.bincount(runs.owner, known) / runs.counts
        if (share > _LEARNED).any():
            place = int(share.argmax())
            raise LeakageError(
                f"Run {runs.machines[place]!r} is in the test data, and {share[place]:.0%} of its "
                "readings equal, value by value, such that were learned from, under another name. "
                "Leave it out, or give readings of another time."
            )

    def facts(self) -> dict[str, Any]:
        """What answers, as JSON values for the file."""
        diagnosis = self.model_.diagnosis
        told = {} if diagnosis is None else {"faults": list(diagnosis.faults_)}
        return {
            **self.model_.detection.facts(),
            **told,
            "tags": list(self.model_.detection.scaling_.columns),
            "longest_runs": self.longest_runs_,
        }

    def _read(self, frame: pd.DataFrame) -> Runs:
        """Runs to answer, whatever is said of their faults."""
        unlabelled = frame.drop(columns=[self.names.fault], errors="ignore")
        return Runs.read(unlabelled, self.used, self.rule, self.names)

    def _parts(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> dict[str, Runs]:
        parts = {"train": train, **({} if validation is None else {"validation": validation})}
        for frame in parts.values():
            if self.names.fault not in frame:
                raise SchemaError(
                    f"Column {self.names.fault!r} is missing. Add it, with the name of the fault "
                    f"that was active, or {self.names.normal!r} where there was none: in all rows, "
                    "where nothing but normal operation is known."
                )
        found = {
            name: Runs.read(frame, self.schema, self.rule, self.names)
            for name, frame in parts.items()
        }
        if validation is not None:
            both = set(found["train"].machines) & set(found["validation"].machines)
            if both:
                raise LeakageError(
                    f"Run {min(both)!r} is in the validation data and in those of training: "
                    "neighbouring rows are alike, and a threshold set by them raises false alarms. "
                    "Split by run, or give its parts names of their own."
                )
        return found

    def _normal(self, parts: Mapping[str, Runs]) -> tuple[list[Columns], list[Columns]]:
        """Normal rows to learn from, and such that set the threshold."""
        normal: list[Columns] = list(parts["train"].normal_parts(self.names.normal))
        if "validation" in parts:
            held_out: list[Columns] = list(parts["validation"].normal_parts(self.names.normal))
        else:
            cuts = [_cut(len(next(iter(each.values())))) for each in normal]
            held_out = [_rows(e, slice(c, None)) for e, c in zip(normal, cuts, strict=True)]
            normal = [_rows(e, slice(c)) for e, c in zip(normal, cuts, strict=True)]
        for rows, words in ((normal, "to learn from"), (held_out, "to set the threshold by")):
            if not rows:
                raise TrainingError(
                    f"There is no normal row {words}: in the column {self.names.fault!r} none is "
                    f"{self.names.normal!r}. Give normal operation, or say by 'normal' what it is "
                    "called."
                )
        return normal, held_out

    def _diagnosis(self, parts: Mapping[str, Runs]) -> Diagnosis | None:
        """What tells faults apart, learned from the rows of training at which one was active."""
        normal = self.names.normal
        told = {name: sorted(set(map(str, runs.fault)) - {normal}) for name, runs in parts.items()}
        for word in (FAULT, NEW, UNKNOWN):
            if word in told["train"]:
                raise SchemaError(
                    f"Column {self.names.fault!r} names a fault {word!r}, which is a word of the "
                    "answers. Give it another name."
                )
        if told.get("validation"):
            self.notes_.append("Faults of the validation part are not learned from.")
        if len(told["train"]) < _FEWEST_FAULTS:
            self.notes_.append(
                f"{len(told['train'])} faults were active in training, and {_FEWEST_FAULTS} are "
                "needed to tell one from another: alarms are not diagnosed."
            )
            return None
        return Diagnosis(self.schema, self.trees).fit(parts["train"], normal)

    def _usual(self, runs: Runs) -> tuple[NDArray[np.float64], pd.DataFrame]:
        """Normal rows of training, standardised, and whose and of when each is."""
        scaling = self.model_.detection.scaling_
        places = np.flatnonzero(runs.fault == self.names.normal)
        values = {name: runs.columns[name][places] for name in scaling.columns}
        rows = scaling.apply(values, self.schema)
        whole = ~np.isnan(rows).any(axis=1)
        chosen = places[whole]
        keys = {
            f"normal_{self.rule.series}": runs.machines[runs.owner[chosen]],
            f"normal_{self.rule.time}": runs.shown_times(self.rule)[chosen],
        }
        return rows[whole], pd.DataFrame(keys)

    def _note(self, detection: AnomalyRecipe) -> None:
        if still := detection.scaling_.still:
            self.notes_.append(
                f"Constant or missing in normal operation, and not read: "
                f"{', '.join(map(repr, still))}."
            )
        if detection.left_out_:
            self.notes_.append(
                f"{detection.left_out_} normal rows of training have a missing value: no window "
                "with one of them is learned from."
            )


def _cut(rows: int) -> int:
    return rows - max(round(_HELD_OUT * rows), 1)


def _rows(columns: Columns, chosen: slice) -> Columns:
    return {name: values[chosen] for name, values in columns.items()}
