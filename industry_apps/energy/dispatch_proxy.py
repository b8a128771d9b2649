"""A fast stand-in for optimal dispatch: loads in, set-points and their cost out, in one file.

Asked where the same grid is dispatched thousands of times: in simulations, in screening of
contingencies, in planning under many weathers, and on machines without a solver. Networks that
stand in for optimal power flow are surveyed by Van Hentenryck (2021), "Machine learning for optimal
power flows", doi:10.1287/educ.2021.0234. What they answer must keep balance and limits, or it is of
no use: here a part of the file without weights makes sure of the balance and of the limits of
generators, and of those of lines wherever a known point keeps them; what is left is told with each
answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split
from industry_apps.data.resampling import split_resampled
from industry_apps.data.rules import Resampling
from industry_apps.data.splits import set_aside
from industry_apps.energy.grid.assessment import DISPATCH, KEPT_MW, dispatch_bootstrap
from industry_apps.energy.grid.cases import Floats
from industry_apps.energy.grid.network import Network
from industry_apps.energy.grid.rivals import DispatchRivals
from industry_apps.energy.grid.sources import EXAMPLE, case_named
from industry_apps.energy.grid.stand_in import check_fit_for_it, grid_arrays, optima
from industry_apps.errors import SchemaError, TrainingError
from industry_apps.evaluation import Report
from industry_apps.evaluation.intervals import BootstrapResult
from industry_apps.evaluation.variants import Question
from industry_apps.export.convert import network_to_onnx
from industry_apps.features import GraphBuilder
from industry_apps.limits import TEXT, integer
from industry_apps.runtime.answers import no_answers, shaped
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import torch

_LOADS = "load_mw"
_FEWEST = 20
_TRAINING = TrainingOptions(
    max_epochs=80, batch_size=64, learning_rate=2e-3, patience=80, precision="float32"
)
#: Rows of one pass outside training.
_ROWS_A_PASS = 1_024
#: What an overload before the repair adds to the loss, in largest marginal costs.
_OVERLOAD_WEIGHT = 1.0


class DispatchProxy(Application):
    """Set-points of generators for the loads of all buses, near the cheapest, within limits.

    What a file of this application guarantees: outputs lie within the limits of generators, and sum
    to the load where these allow it; no line is overloaded by more than at a point
    made of set-points found safe in training, brought within the lines by projections. Where that
    point overloads none, no line is; ``feasible`` says for each answer whether all is kept. Nothing
    is guaranteed of the cost; see the report for how far it is from the optimum. Lines that go out,
    units that fail, ramps and starts are not seen: learn one for each topology, or take
    GridDispatcher.

    Parameters
    ----------
    grid : str
        ``"example"``, the path of a MATPOWER case file, or a case of a data set, as
        ``"energy_matpower_cases/case30.m"``. Connected.
    units : int
        Of the two hidden layers of the network, in [4, 4096].
    training : TrainingOptions, optional
    seed : int

    Notes
    -----
    The network learns without solved examples: its loss is the cost of what the file answers. The
    report solves each test record, and a part of the training records for the rivals.

    Examples
    --------
    >>> from industry_apps.energy import DispatchProxy
    >>> data = DispatchProxy.sample()
    >>> proxy = DispatchProxy.fast().fit(data)
    >>> usual = pd.DataFrame({"load_mw": [[0, 0, 60, 70, 90, 50, 80, 30, 40]]})
    >>> bool(proxy.predict(usual)["feasible"][0])
    True
    """

    name = "energy.dispatch_proxy"
    question = "What should power plants feed in now?"
    simulator = "energy_grid_simulator"
    schema = Schema(
        (
            Column(
                _LOADS,
                "number",
                "Loads of all buses, in the order of the buses of the case",
                unit="MW",
                low=-1e5,
                high=1e5,
                size=None,
                nullable=False,
            ),
        )
    )
    outputs = Schema(
        (
            Column(
                "generation_mw",
                "number",
                "Of each generator in service, in the order of the case",
                unit="MW",
                size=None,
                nullable=False,
            ),
            Column("cost", "number", "Of an hour", unit="$/h", nullable=False),
            Column(
                "largest_overload_mw",
                "number",
                "Of the line that is overloaded most; 0 where none is",
                unit="MW",
                low=0,
                nullable=False,
            ),
            Column(
                "unserved_mw",
                "number",
                "Load less generation: above 0 where the capacity of all does not suffice, below 0 "
                "where their least outputs are more than the load, else 0",
                unit="MW",
                nullable=False,
            ),
            Column(
                "feasible", "boolean", f"Lines and balance are kept to {KEPT_MW} MW", nullable=False
            ),
        )
    )
    traits = Traits(inputs=("number",))
    problem = DISPATCH
    defaults: ClassVar[Mapping[str, Any]] = {"training": _TRAINING}

    grid: Annotated[str, TEXT] = EXAMPLE
    units: Annotated[int, integer(4, 4096)] = 128
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """A small network and few passes."""
        return cls(units=32, training=replace(_TRAINING, max_epochs=30, progress=False))

    def split(self, frame: pd.DataFrame) -> Split:
        """Split records that are independent of each other, at random.

        Parameters
        ----------
        frame : DataFrame
            With ``load_mw``. Of loads in time, which depend on each other, set the latest aside
            instead, by :func:`industry_apps.data.split_latest`.
        """
        rule = Resampling(repeats=1, test=0.2, validation=0.2, stratified=False)
        return split_resampled(frame, rule, target=_LOADS, run=self.seed)

    def studies(self) -> Mapping[str, Question]:
        """Costs of known cases, rolling commitment, and the speed beside the solver."""
        from industry_apps.energy.grid.studies import commitment, known_costs, speed

        return {
            "costs": lambda data: (known_costs(data),),
            "commitment": lambda data: (commitment(data),),
            "speed": lambda data: (speed(self, data),),
        }

    def searches(self) -> Mapping[str, Callable[[Dataset, bool], Report]]:
        """The dispatcher itself, which is solved anew each time: id of a data set -> its judge."""
        from industry_apps.energy.grid.studies import measured_costs

        return {"energy_matpower_costs": measured_costs}

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.case_ = case_named(self.grid)
        self.network_ = Network(self.case_)
        check_fit_for_it(self.case_, self.network_)
        loads = replace(self.schema[_LOADS], size=len(self.case_.buses))
        self.schema_ = Schema((loads,))
        train, validation = self._parts(train, validation)
        parts = {"train": self._rows(train), "validation": self._rows(validation)}
        if len(parts["train"]) < _FEWEST:
            raise TrainingError(
                f"There are {len(train)} training records; expected {_FEWEST} at least. Give more."
            )
        self.split_ = {name: {"rows": len(part)} for name, part in parts.items()}
        self._learn(parts["train"], parts["validation"])
        self.rivals_ = DispatchRivals(self.network_, self.model_.repair)
        self.check_ = validation

    def _learn(self, train: NDArray[np.float32], validation: NDArray[np.float32]) -> None:
        from industry_apps.backbones import DispatchNetwork
        from industry_apps.training import fit_network, seeded

        loads = train.astype(np.float64)
        arrays = grid_arrays(self.network_, loads)
        spread = loads.std(axis=0)
        # A load that hardly changes tells nothing, and its rounding should not.
        spread = np.where(spread > 1e-3 * (1 + np.abs(loads.mean(axis=0))), spread, 1.0)
        middle = arrays.safe[len(arrays.safe) // 2]
        with seeded(self.seed):
            network = DispatchNetwork(arrays, loads.mean(axis=0), spread, middle, self.units)
        scale = float(np.abs(self.case_.generators.costs.of(arrays.safe).sum(axis=1)).mean()) or 1.0
        steepest = float(np.abs(self.case_.generators.costs.slope(arrays.most)).max())

        def objective(net: Any, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
            found = net.repaired(batch[0])
            lost = found.cost[:, 0] + _OVERLOAD_WEIGHT * steepest * found.wished
            return (lost.mean() / scale).float()

        options = replace(self.training or self.defaults["training"], seed=self.seed)
        self.history_ = fit_network(network, (train,), (validation,), objective, options)
        self.model_ = network.double()  # so that one record is answered as among others

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        loads = self._rows(self._parts(train, validation)[0])
        self.rivals_.fit(loads)

    def _parts(
        self, train: pd.DataFrame, validation: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        return set_aside(train, 0.2, seed=self.seed) if validation is None else (train, validation)

    def _rows(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """Loads of shape [records, buses]."""
        return self.schema_.to_arrays(frame)[_LOADS]

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        loads = self._rows(frame)
        if not len(frame):
            return no_answers(self.outputs_)
        found = self._found(loads)
        feasible = (found[2] <= KEPT_MW) & (np.abs(found[3]) <= KEPT_MW)
        return shaped(self.outputs_, [*found, feasible])

    def _found(self, loads: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Outputs, cost, overload and unserved load by the trained network, [records, ...] each."""
        import torch

        with torch.inference_mode():
            passes = [
                self.model_(torch.from_numpy(loads[start : start + _ROWS_A_PASS]))
                for start in range(0, len(loads), _ROWS_A_PASS)
            ]
        return [torch.cat(parts).numpy() for parts in zip(*passes, strict=True)]

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        import torch

        names = ["generation", "cost", "overload", "unserved"]
        model = network_to_onnx(
            self.model_,
            (torch.zeros(2, len(self.case_.buses)),),
            ["load"],
            dynamo=False,  # which takes a tenth of the time; no size depends on the loads
            output_names=names,
        )
        found = builder.append(model, {"load": inputs[_LOADS]})
        kept = builder.constant(np.float32(KEPT_MW))
        calm = builder.node("LessOrEqual", found["overload"], kept)
        served = builder.node("LessOrEqual", builder.node("Abs", found["unserved"]), kept)
        return {
            "generation_mw": found["generation"],
            "cost": found["cost"],
            "largest_overload_mw": found["overload"],
            "unserved_mw": found["unserved"],
            "feasible": builder.node("And", calm, served),
        }

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        loads = self._rows(frame)
        optimal = optima(self.network_, loads.astype(np.float64), "optimal dispatch")
        solved = ~np.isnan(optimal[:, 0])
        if solved.sum() < 2:
            raise SchemaError(
                f"Column {_LOADS!r}: of {len(frame)} records {int(solved.sum())} can be served "
                "within all limits, expected two at least. Give loads nearer to those of the case."
            )
        least = self.case_.generators.costs.of(optimal[solved]).sum(axis=1)

        def judged(cost: Floats, overload: Floats, unserved: Floats) -> BootstrapResult:
            return dispatch_bootstrap(least, cost, overload, unserved)

        loads = loads[solved]
        ours = judged(*(part[:, 0].astype(np.float64) for part in self._found(loads)[1:]))
        others = {name: judged(*found) for name, found in self.rivals_.answers(loads).items()}
        notes = [_NOTE]
        if not solved.all():
            notes.append(
                f"{int((~solved).sum())} of {len(frame)} records cannot be served within all "
                "limits, as the solver proves, and are left out of the figures."
            )
        full = self._full_lines(loads, optimal[solved])
        return Report.beside(
            "network",
            ours,
            others,
            split={**self.split_, "test": {"rows": len(frame)}},
            headline_text=_headline(ours.values, len(loads)),
            notes=(*notes, f"In the optima {full:.2f} lines are full on average."),
        )

    def _full_lines(self, loads: NDArray[np.float32], output: Floats) -> float:
        """Lines that are full in the optima, on average."""
        fed_in = self.network_.feeding @ output.T - loads.T - self.case_.shunt[:, None]
        flows = self.network_.flows(fed_in)
        limit = self.case_.branches.limit[:, None]
        return float((np.abs(flows) >= limit - KEPT_MW).sum(axis=0).mean())

    def _facts(self) -> dict[str, Any]:
        case = self.case_
        decision = {
            "grid": case.name,
            "buses": case.buses.tolist(),
            "generators": case.generator_names,
            "kept_mw": KEPT_MW,
        }
        return {"model": "network", "decision": decision}


_NOTE = (
    "Optimal costs are of the DC model: no losses, reactive power or voltages. Each is proven by "
    "the conditions of optimality."
)


def _headline(values: Mapping[str, float], rows: int) -> str:
    return (
        f"{values['feasible']:.1%} of {rows} dispatches keep all limits; these cost "
        f"{values['gap_where_feasible']:.3%} more than the optimum."
    )
