"""Enrolment, one against one and, where asked for, one against all: numpy and a model file.

Not for access control without a check that the sample is of a living person: a photograph of a face
passes as the face, a recording as the voice, a cast as the finger. Nothing here writes to a log,
and no ``repr`` shows a template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, TemplateError
from industry_apps.limits import integer, is_number
from industry_apps.runtime.metadata import DIGEST
from industry_apps.runtime.model import Model
from industry_apps.runtime.verification.gallery import Candidate, Gallery
from industry_apps.runtime.verification.scoring import scores, unit
from industry_apps.runtime.verification.store import TemplateStore, warn_of
from industry_apps.runtime.verification.templates import Consent, Record

Sample = Mapping[str, Any]
#: A sample -> whether it is of a living person who is there.
Liveness = Callable[[Sample], bool]
#: How many samples or candidates.
_COUNT = integer(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The answer to: is this who they say they are.

    Parameters
    ----------
    user : str
    accepted : bool
        The score reaches the threshold, and the check of liveness, if any, was passed.
    score : float
        Cosine of template and sample, -1 to 1.
    threshold : float
    live : bool or None
        What the check of liveness said; None where there is none, so that nothing is known.
    """

    user: str
    accepted: bool
    score: float
    threshold: float
    live: bool | None


class Verifier:
    """Enrols persons by samples, and tells whether a further sample is of one of them.

    Parameters
    ----------
    model : Model
        A file that answers ``embedding`` and ``quality``.
    store : TemplateStore
        One that is shared where ``identification`` is asked for.
    threshold : float, optional
        The least score that is accepted, -1 to 1; by default that of the file, chosen at its
        ``false_accept_rate`` on persons that the model had not seen.
    least_samples : int
        Fewer than so many are refused at enrolment, >= 1.
    identification : bool
        Whether one may be searched for among all: off unless asked for, as it takes everybody who
        passes by for a suspect, and errs more often the more are enrolled.
    liveness : callable, optional
        Sample -> whether it is of a living person who is there. Without it, ``live`` is None.
    today : callable
        The day on which consents have to hold.

    Raises
    ------
    ParameterError
        The model is no verifier, or a parameter is outside its limits.

    Examples
    --------
    >>> verifier = Verifier(model, TemplateStore(key))  # doctest: +SKIP
    >>> verifier.enrol("A. Example", samples, consent=consent)  # doctest: +SKIP
    >>> verifier.verify("A. Example", {"image": image}).accepted  # doctest: +SKIP
    True
    """

    def __init__(
        self,
        model: Model,
        store: TemplateStore,
        *,
        threshold: float | None = None,
        least_samples: int = 3,
        identification: bool = False,
        liveness: Liveness | None = None,
        today: Callable[[], date] = date.today,
    ) -> None:
        facts = model.metadata.get("verification")
        if not isinstance(facts, dict):
            raise ParameterError(
                f"{model.path.name} verifies nobody: it has no part 'verification'. Load a file of "
                "an application of verification, such as cybersecurity.face_verification."
            )
        self.model, self.store, self._facts = model, store, facts
        chosen = facts["threshold"] if threshold is None else threshold
        if not is_number(chosen) or not -1 <= chosen <= 1 or not _COUNT.holds(least_samples):
            raise ParameterError(
                "A threshold is a number from -1 to 1, and least_samples a whole number from 1 on; "
                f"got {threshold!r} and {least_samples!r}."
            )
        self.threshold = float(chosen)
        if identification and not store.shared:
            raise ParameterError(
                "A search needs templates that share a rotation. Enrol into a store that is made "
                "with shared=True, or leave identification off."
            )
        self.least_samples, self.identification = least_samples, identification
        self._liveness, self._today = liveness, today
        self._digest: str = model.metadata[DIGEST]
        self._gallery: Gallery | None = None

    def enrol(self, user: str, samples: Sequence[Sample], *, consent: Consent) -> Record:
        """Keep a template of several samples of one person.

        Parameters
        ----------
        user : str
            Not enrolled yet: a second person under one name would take the place of the first.
        samples : sequence of mapping
            Records as :meth:`Model.predict` takes them, ``least_samples`` or more.
        consent : Consent
            Purpose, day, and until when; it has to hold today.

        Returns
        -------
        Record
            What is kept beside the template.

        Raises
        ------
        TemplateError
            The user is enrolled; samples are too few, too poor, the same twice, or unlike one
            another; the consent does not hold; a check of liveness is not passed.
        ParameterError
            The samples are no list of records, or the consent is none.
        SchemaError
            A sample is not one.
        """
        if user in self.store:
            raise TemplateError(
                f"User {user!r} is enrolled. If this is the same person, call `renew`; a second "
                "person of that name needs a name of their own."
            )
        return self._keep(user, samples, consent)

    def renew(
        self, user: str, samples: Sequence[Sample], *, consent: Consent | None = None
    ) -> Record:
        """Replace the template of one user, also by one of another model file.

        Parameters
        ----------
        user : str
        samples : sequence of mapping
            New ones: a template of one model cannot be made into one of another.
        consent : Consent, optional
            By default the one that is kept, sealed with the template; it is needed where the
            record is damaged.

        Raises
        ------
        TemplateError, ParameterError, SchemaError
            As :meth:`enrol`; or the user is not enrolled.
        """
        if consent is None or user not in self.store:
            consent = self.store.record(user).consent
        return self._keep(user, samples, consent)

    def verify(self, user: str, sample: Sample) -> Verification:
        """Compare a sample with the template of the user who they say they are.

        Raises
        ------
        TemplateError
            The user is not enrolled, their record is refused, or the sample is too poor.
        SchemaError
            The sample is not one.
        """
        self._check_record(sample)
        live, probe = self._is_live(sample), self._embedded([sample])[0]
        record, template = self.store.template(user, self._digest, self._today())
        score = float(scores(template[None], self.store.turned(record, probe))[0])
        return Verification(
            user=user,
            accepted=score >= self.threshold and live is not False,
            score=score,
            threshold=self.threshold,
            live=live,
        )

    def search(self, sample: Sample, most: int = 1) -> list[Candidate]:
        """Those enrolled who score the threshold or more, the likeliest first.

        All templates are decrypted once, into the memory of this process, where they stay until
        a store adds or deletes one, here or in another process. A score is the one that
        :meth:`verify` gives. Users whom that would refuse, as one whose consent has ended or who is
        on another model, are left out; each time a :class:`~industry_apps.errors.TemplateWarning`
        names them.

        Parameters
        ----------
        sample : mapping
        most : int
            No more candidates than so many, >= 1.

        Raises
        ------
        TemplateError
            Identification is off; all records are refused; the sample is too poor, or not live.
        ParameterError, SchemaError
        """
        if not self.identification:
            raise TemplateError(
                "Identification is off: a sample is compared with the one user who it is said to "
                "be of, by `verify`. To search among all, make the Verifier with "
                "identification=True, where the law and the consents allow it."
            )
        if not _COUNT.holds(most):
            raise ParameterError(f"most is a whole number of candidates from 1 on; got {most!r}.")
        self._check_record(sample)
        if self._is_live(sample) is False:
            raise TemplateError("The check of liveness was not passed. Take another sample.")
        probe = self._embedded([sample])[0]
        if not len(self.store):
            return []
        found = self._found(probe, most)
        if any(each.user not in self.store for each in found):  # taken away past the store
            self._gallery = None
            found = self._found(probe, most)
        return found

    def delete(self, user: str) -> None:
        """Delete what is kept of a user.

        Raises
        ------
        TemplateError
            The user is not enrolled.
        """
        self.store.delete(user)

    def delete_expired(self) -> list[str]:
        """Delete everybody whose consent has ended; return their names.

        Records that are refused, of which nobody can tell the consent, are kept; a
        :class:`~industry_apps.errors.TemplateWarning` names them.
        """
        today = self._today()
        users, refused = self.store.survey()
        ended = []
        for user in users:
            try:
                until = self.store.record(user).consent.keep_until
            except TemplateError as error:
                refused[user] = str(error)
                continue
            if until < today:
                self.delete(user)
                ended.append(user)
        warn_of(refused, "are kept, as their consent is not known")
        return ended

    def _found(self, probe: NDArray[np.float64], most: int) -> list[Candidate]:
        """Candidates of the gallery, opened again where the store has changed or the day."""
        kept, today = self._gallery, self._today()
        if kept is None or kept.day != today or kept.state != self.store.state:
            kept = self._gallery = Gallery.opened(self.store, self._digest, today)
        warn_of(kept.left_out, "are left out of the search", calls=4)
        return kept.search(self.store.turned(kept.record, probe), self.threshold, most)

    def _keep(self, user: str, samples: Sequence[Sample], consent: Consent) -> Record:
        if not isinstance(consent, Consent):
            raise ParameterError(
                f"User {user!r}: a consent is a Consent; got {consent!r:.50}. Give "
                "Consent(purpose=..., given=..., keep_until=...), as the person has agreed to."
            )
        if not isinstance(samples, Sequence):
            raise ParameterError(
                f"User {user!r}: samples are a list of records; got a {type(samples).__name__}. "
                "Give [record, ...]; of a table its to_dict('records')."
            )
        for each in samples:
            self._check_record(each)
        consent.check(user, self._today())
        if len(samples) < self.least_samples:
            raise TemplateError(
                f"User {user!r}: {len(samples)} samples, expected {self.least_samples} or more. "
                "Take more, on another day if you can, or lower `least_samples` and expect more "
                "errors."
            )
        for number, sample in enumerate(samples):
            if self._is_live(sample) is False:
                raise TemplateError(
                    f"User {user!r}, sample {number}: the check of liveness was not passed."
                    " Take another sample."
                )
        found = self._embedded(samples)
        self._check_alike(user, found)
        return self.store.put(user, self._digest, unit(found.mean(axis=0)), consent, len(found))

    def _check_alike(self, user: str, found: NDArray[np.float64]) -> None:
        """Refuse samples of which one is a copy of another, or of somebody else."""
        least = self._facts["enrolment_threshold"]
        for number, each in enumerate(found):
            others = np.delete(found, number, axis=0)
            if not len(others):
                return
            if (others == each).all(axis=1).any():
                raise TemplateError(
                    f"User {user!r}, sample {number}: it is there twice. Take different samples."
                )
            score = float(scores(unit(others.mean(axis=0))[None], each)[0])
            if score < least:
                raise TemplateError(
                    f"User {user!r}, sample {number}: it scores {score:.2f} with the others, "
                    f"expected {least:.2f} or more, so it may be of somebody else. Leave it out, "
                    "or take it again."
                )

    def _embedded(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        """Embeddings [samples, D] of length 1, one run for each: the same alone and among others.

        Raises
        ------
        TemplateError
            A sample is unlike those that the model knows.
        """
        answers = [self.model.predict(sample) for sample in samples]
        least = self._facts["least_quality"]
        for number, answer in enumerate(answers):
            if answer["quality"] < least:
                raise TemplateError(
                    f"Sample {number}: its quality is {answer['quality']:.2f}, expected "
                    f"{least:.2f} or more: it is unlike the samples that the model knows, as one "
                    "of nobody, or taken in another way. Take it again."
                )
        return unit(np.array([answer["embedding"] for answer in answers]))

    def _is_live(self, sample: Sample) -> bool | None:
        return None if self._liveness is None else bool(self._liveness(sample))

    def _check_record(self, sample: object) -> None:
        if not isinstance(sample, Mapping):
            raise ParameterError(
                "A sample is a record, a mapping of column to value; got a "
                f"{type(sample).__name__}. Give {{{self.model.schema.names[0]!r}: value}}."
            )
