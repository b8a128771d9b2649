"""A space of molecules: each is a point, points near each other are alike, and one can search.

Asked by whoever wants a molecule better than some known ones, where a score can be computed and
the known ones say where to begin (Gomez-Bombarelli et al. 2018, doi:10.1021/acscentsci.7b00572).
For research: nobody has made the molecules that are found, and nothing says that they can be
made, work, or do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from industry_apps.data import Dataset
from industry_apps.data.chemistry import respelled
from industry_apps.data.splits import set_aside
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation.sections import Section
from industry_apps.healthcare.molecules.notations import SELFIES, SMILES, to_selfies
from industry_apps.healthcare.molecules.scores import drug_likeness
from industry_apps.healthcare.molecules.search import evolve
from industry_apps.healthcare.molecules.sequence_space import SequenceSpace
from industry_apps.healthcare.molecules.written import (
    WrittenMolecules,
    canonical,
    restored_estimates,
)
from industry_apps.limits import NOT_NEGATIVE, POSITIVE, check_parameters, integer, wrong_parameter
from industry_apps.schema import Column, Schema
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    pass

__all__ = ["MoleculeSpace"]

_TRAINING = TrainingOptions(max_epochs=4, batch_size=128, learning_rate=2e-3, least_steps=2_000)
_TABLE = Schema((Column(SMILES, "text", notation="smiles"),))
_MOLECULES_A_PASS = 1_024
#: Shown of molecules that were restored, that were drawn, and that are real.
_SHOWN = ("reconstruction", "similarity", "validity", "uniqueness", "novelty", "qed")
_ARGUMENTS = dict.fromkeys(("count", "samples", "steps"), integer(1))
_ARGUMENTS |= {"population": integer(4), "reach": POSITIVE, "seed": integer(0)}


@dataclass(kw_only=True, eq=False)
class MoleculeSpace:
    """Molecules as points of a space that can be searched, by a variational autoencoder.

    Parameters
    ----------
    notation : {"selfies", "smiles"}
        What the network reads and writes; of SELFIES whatever is written is a molecule.
        Molecules are given and come back as SMILES either way.
    units : int
        Of a recurrent layer, in [8, 4096].
    latent : int
        L, numbers of a point.
    spellings : int
        Ways, at random, in which each training molecule is learned beside its own: the space has
        to carry what is written then, since it cannot be recalled. An epoch takes longer alike.
    divergence : float
        Weight of the Kullback-Leibler divergence from the normal distribution, >= 0. At 1 the
        loss is the bound of the likelihood, and on few data points say little; the smaller the
        truer molecules come back, and the less is said by what lies between them.
    training : TrainingOptions, optional
        By default 4 epochs, or as many as have 2000 steps.
    seed : int

    Notes
    -----
    The log-likelihood of a molecule is only bounded here; ask
    :class:`industry_apps.healthcare.MoleculeGenerator` how typical a molecule is. :meth:`report`
    measures whether molecules come back from their points. Of 24 thousand molecules like drugs,
    learned in five spellings each, a third of new ones do, and others come back similar; of those
    learned in their own spelling alone fewer did, for the training set was soon recalled.
    Molecules drawn at random from between the known ones are less like drugs than these.

    References
    ----------
    Gomez-Bombarelli et al. (2018), doi:10.1021/acscentsci.7b00572; Kingma and Welling (2014),
    arXiv:1312.6114.

    Examples
    --------
    >>> from industry_apps.data import sample
    >>> data = sample("healthcare_smiles_simulator")
    >>> quick = TrainingOptions(max_epochs=3, batch_size=32, learning_rate=1e-2, progress=False)
    >>> space = MoleculeSpace(units=32, latent=8, spellings=0, training=quick).fit(data)
    >>> start = data.test["smiles"].tolist()[:4]
    >>> space.encode(start).shape, len(space.decode(space.encode(start)))
    ((4, 8), 4)
    >>> list(space.optimise(start, steps=2, population=8))
    ['smiles', 'score', 'step']
    """

    notation: Literal["selfies", "smiles"] = "selfies"
    units: Annotated[int, integer(8, 4096)] = 256
    latent: Annotated[int, integer(1)] = 64
    spellings: Annotated[int, integer(0)] = 4
    divergence: Annotated[float, NOT_NEGATIVE] = 0.02
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    def fit(self, train: pd.DataFrame | Dataset, validation: pd.DataFrame | None = None) -> Self:
        """Learn the space of some molecules.

        Parameters
        ----------
        train : DataFrame or Dataset
            With the column ``smiles``; of a data set, its training and validation parts.
        validation : DataFrame, optional
            The same for other molecules, which decide when to stop; by default a twentieth of
            the rows is set aside.

        Raises
        ------
        SchemaError, ParameterError, TrainingError, MissingExtraError
        """
        check_parameters(self)
        if isinstance(train, Dataset):
            train, validation = train.train, train.validation if validation is None else validation
        if validation is None or validation.empty:
            train, validation = set_aside(train, 0.05, seed=self.seed)
        schema = Schema((Column(self.notation, "text", notation=self.notation),))
        options = replace(self.training or _TRAINING, seed=self.seed)
        self.space_ = SequenceSpace(schema, self.units, self.latent, self.divergence, options)
        learned = _molecules(train)
        spelled = [*learned, *respelled(learned, self.spellings, self.seed)]
        self.history_ = self.space_.fit(
            self._arrays(spelled), self._arrays(_molecules(validation))
        ).history_
        self.known_ = {each for each in canonical(learned) if each is not None}
        return self

    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """Find the points of molecules.

        Parameters
        ----------
        smiles : sequence of str

        Returns
        -------
        ndarray of float, shape (N, L)
            NaN where a molecule is none, has a token that training seldom had, or more than 118.

        Raises
        ------
        SchemaError, NotFittedError, MissingExtraError
        """
        self._check_fitted()
        if not len(smiles):
            return np.zeros((0, self.latent), dtype=np.float32)
        return self.space_.points(self._arrays(_molecules({SMILES: list(smiles)})))

    def decode(self, points: NDArray[np.floating]) -> list[str]:
        """Write the likeliest molecule of each point -> SMILES; equal points, equal molecules.

        Parameters
        ----------
        points : ndarray of float, shape (N, L)
            Finite.

        Raises
        ------
        SchemaError, NotFittedError, MissingExtraError
        """
        self._check_fitted()
        given = np.asarray(points, dtype=np.float32)
        if given.ndim != 2 or given.shape[1] != self.latent or not np.isfinite(given).all():
            raise SchemaError(
                f"Points are finite numbers of shape [molecules, {self.latent}]. Got shape "
                f"{given.shape}, {np.isnan(given).any(axis=-1).sum()} points with a missing "
                "number: leave out what encode could not read."
            )
        return self.space_.smiles(given)

    def sample(self, count: int, *, seed: int = 0) -> list[str]:
        """Write molecules of points at random, spread as those learned from -> SMILES.

        Parameters
        ----------
        count : int
            N, at least 1.
        seed : int, default=0
            Same seed, same molecules.

        Raises
        ------
        ParameterError, NotFittedError, MissingExtraError
        """
        self._check_fitted()
        _check("sample", count=count, seed=seed)
        draw = np.random.default_rng(seed)
        space = self.space_
        return self.decode(space.center_ + space.spread_ * draw.normal(size=(count, self.latent)))

    def optimise(
        self,
        start: Sequence[str],
        score: Callable[[str], float] = drug_likeness,
        *,
        steps: int = 20,
        population: int = 200,
        reach: float = 0.5,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Search the space for molecules of a high score, from known ones.

        An evolution strategy: each step writes molecules from between and around the points of
        the best so far, each of which is another molecule.

        Parameters
        ----------
        start : sequence of str
            SMILES to begin from; what cannot be read is left out.
        score : callable
            Canonical SMILES -> finite number, the higher the better; by default QED. It is asked
            once of each molecule, at most ``steps`` times ``population`` and once a start.
        steps : int
            At least 1.
        population : int
            Molecules that a step writes, at least 4.
        reach : float
            How far around a point, in standard deviations of the points of known molecules, > 0.
        seed : int
            Same seed, same molecules.

        Returns
        -------
        DataFrame
            ``smiles``, ``score``, and the ``step`` in which it was found, 0 for what the points
            of the start decode to: every molecule that is new, from the highest score down. A
            molecule that was learned from or begun with is not new.

        Raises
        ------
        ParameterError
            Also where no molecule of the start can be read, or a score is not finite.
        NotFittedError, MissingExtraError
        """
        _check("optimise", steps=steps, population=population, reach=reach, seed=seed)
        points = self.encode(start)
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points):
            raise ParameterError(
                f"None of the {len(start)} molecules of the start can be read. Give SMILES whose "
                "atoms are common among those that were learned from."
            )
        met = evolve(
            points.astype(np.float64),
            lambda tried: canonical(self.decode(tried)),
            score,
            reach * self.space_.spread_,
            steps=steps,
            population=population,
            seed=seed,
        )
        known = self.known_ | set(canonical(list(start)))
        found = [(each, what.score, what.step) for each, what in met.items() if each not in known]
        frame = pd.DataFrame(found, columns=["smiles", "score", "step"])
        return frame.sort_values("score", ascending=False, kind="stable", ignore_index=True)

    def report(self, data: pd.DataFrame | Dataset, *, samples: int = 1_000) -> Section:
        """Measure on molecules that were not learned from how true the space is.

        Parameters
        ----------
        data : DataFrame or Dataset
            With the column ``smiles``; of a data set, its test part.
        samples : int
            Molecules that are drawn.

        Returns
        -------
        Section
            Of molecules that are restored from their points, of drawn ones, and of real ones:
            how often they are the real one and how similar to it (a drawn one to one by chance),
            validity, uniqueness, novelty and mean QED, with 95 % intervals.

        Raises
        ------
        SchemaError, ParameterError, NotFittedError, MissingExtraError
        """
        _check("report", samples=samples)
        real = _molecules(data.test if isinstance(data, Dataset) else data)
        points = self.encode(real)
        sound = np.array([each is not None for each in canonical(real)])
        read = np.flatnonzero(np.isfinite(points).all(axis=1) & sound)
        if not len(read):
            raise SchemaError("No molecule of the table can be read. Give others of the same kind.")
        kept = np.array(real, dtype=object)[read].tolist()
        restored, drawn = self.decode(points[read]), self.sample(samples, seed=self.seed)
        chance = np.resize(np.array(drawn, dtype=object), len(kept)).tolist()
        shown = {
            "restored": restored_estimates(kept, restored),
            "drawn": restored_estimates(kept, chance),
            "real": {},
        }
        for name, molecules in zip(shown, (restored, drawn, kept), strict=True):
            shown[name] |= WrittenMolecules(molecules, self.known_).estimates()
        rows = [[name, *(found.get(name) for found in shown.values())] for name in _SHOWN]
        text = (
            f"{len(kept)} of {len(real)} molecules can be read. Research use: nobody has made "
            "those that were written."
        )
        return Section("The space of molecules", text, [["metric", *shown], *rows])

    def _arrays(self, smiles: Iterable[str]) -> dict[str, NDArray[Any]]:
        """The molecules in the notation of the network, "" of what is none."""
        texts = to_selfies(smiles) if self.notation == SELFIES else smiles
        return {self.notation: np.array([each or "" for each in texts], dtype=object)}

    def _check_fitted(self) -> None:
        if not hasattr(self, "known_"):
            raise NotFittedError("This MoleculeSpace is not fitted yet. Call fit(train) first.")


def _check(method: str, **given: object) -> None:
    for name, value in given.items():
        if not _ARGUMENTS[name].holds(value):
            words = _ARGUMENTS[name].words
            raise wrong_parameter(f"{MoleculeSpace.__name__}.{method}", name, words, value)


def _molecules(frame: pd.DataFrame | Mapping[str, Sequence[str]]) -> list[str]:
    return [each or "" for each in _TABLE.to_arrays(frame)[SMILES].tolist()]
