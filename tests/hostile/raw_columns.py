"""Odd values in each raw column of each application, in each form: right, or refused by name.

Each application is trained on its sample, widened by a column of each kind that it takes. A good
record is given each odd value in each column, alone and among others, as a dict, a list, a table,
a CSV and a Parquet file, to the file, to the trained application, to a bare session, and to the
state of a stream::

    python tests/hostile/raw_columns.py [--applications NAME ...]

Counts, of which ``make hostile`` wants the last four to be 0:

- right: the answer is equal, bit for bit, to that to the value typed by hand, in each form;
- named: refused by an error of this package that names the column or the file;
- unnamed: any other error;
- wrong: another answer, one to what is no value, or answered in one form and refused in another;
- hung: no answer within the time;
- left over: good records, a folder or a state that are not as they were.
"""

from __future__ import annotations

import argparse
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from industry_apps.registry import APPLICATIONS, application
from industry_apps.testing.raw_columns import NONE_OF, VERDICTS, Found, of_model, of_stream
from industry_apps.testing.series_trial import SeriesTrial
from industry_apps.testing.trial import Trial

#: Seconds of one value in one form; where they are swallowed, they come again.
SECONDS, AGAIN = 60.0, 5.0


def found_in(trial: Trial) -> Iterator[Found]:
    """What comes of all values of all columns of an application."""
    for columns, asked in (of_model(trial), of_stream(trial)):
        for column in columns:
            yield from asked.judged(column, asked.cases(column))
            yield from asked.after()


def counted(name: str, found: Iterable[Found]) -> Counter[str]:
    """Verdicts; those that are none of the good ones are printed."""
    counts: Counter[str] = Counter()
    for each in found:
        signal.setitimer(signal.ITIMER_REAL, SECONDS, AGAIN)
        counts[each.verdict] += 1
        if each.verdict in NONE_OF:
            place = f"{name}, {each.column}, {each.case}, {each.form}"
            print(f"  {place}: {each.verdict}, {each.text!r:.300}", flush=True)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return counts


def main() -> int:
    """Print the counts; 1 where one of the last four is not 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--applications", nargs="*", default=sorted(APPLICATIONS))
    chosen = parser.parse_args().applications
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _late)
    total: Counter[str] = Counter()
    print(f"{'application':32}", *(f"{each:>9}" for each in VERDICTS))
    for name in chosen:
        kind = application(name)
        trial = (SeriesTrial if kind.traits.windows else Trial)(kind).widened
        counts = counted(name, found_in(trial))
        _show(name, counts)
        total.update(counts)
    _show("all", total)
    return int(any(total[verdict] for verdict in NONE_OF))


def _late(*_: Any) -> None:
    raise TimeoutError(f"no answer within {SECONDS:g} s")


def _show(name: str, counts: Counter[str]) -> None:
    print(f"{name:32}", *(f"{counts[each]:>9}" for each in VERDICTS), flush=True)


if __name__ == "__main__":
    sys.exit(main())
