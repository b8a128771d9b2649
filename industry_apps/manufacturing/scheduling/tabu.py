"""A good schedule of a plain job shop in little time: a tabu search on the critical path.

A makespan is the length of a longest path through the operations, and becomes shorter only if
operations of that path which follow one another on a machine change places. Each step makes the
best such change that does not take a recent one back, also where the makespan becomes longer.

References
----------
Nowicki, E. and Smutnicki, C. (1996). A fast taboo search algorithm for the job shop problem.
Management Science 42, 797-813, doi:10.1287/mnsc.42.6.797. Balas, E. and Vazacopoulos, A. (1998).
Guided local search with shifting bottleneck for job shop scheduling. Management Science 44,
262-275, doi:10.1287/mnsc.44.2.262: which changes keep a schedule possible, and their worth.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import add
from random import Random
from typing import NamedTuple

from industry_apps.manufacturing.scheduling.dispatching import dispatched
from industry_apps.manufacturing.scheduling.jobs import Key, Shop

#: Steps between looks at the clock.
_STEPS = 50
#: Steps without a better schedule, after which the search goes back to the best one.
_PATIENCE = 6_000
#: Changes by chance after going back.
_SHAKEN = 60


class _Move(NamedTuple):
    """An operation that goes behind or before others of its machine: places from and to."""

    machine: int
    start: int
    stop: int
    forward: bool
    length: int


def improved(shop: Shop, seed: int, stops: Callable[[], bool]) -> dict[Key, tuple[str, int]]:
    """Search from the schedule of a rule of priority on.

    Parameters
    ----------
    shop : Shop
        As :func:`is_plain` says.
    seed : int
    stops : callable
        Asked after some steps whether to end.

    Returns
    -------
    dict of (job, position) to (machine, start)
    """
    search = _Search(shop, seed)
    while all(search.step() for _ in range(_STEPS)) and not stops():
        pass
    return search.schedule()


def is_plain(shop: Shop) -> bool:
    """Whether each operation has one machine, and all machines are always open without set-up.

    Parameters
    ----------
    shop : Shop
    """
    single = all(len(each.machines) == 1 for each in shop.operations.values())
    open_ = all(not (each.closed or each.breaks or each.setups) for each in shop.machines.values())
    return single and open_ and all(job.deadline is None for job in shop.jobs)


class _Search:
    """Sequences of operations on machines; operations are numbers, -1 is none."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self._keys = list(shop.operations)
        self._names = [next(iter(each.machines)) for each in shop.operations.values()]
        self._time = [
            each.machines[n] for each, n in zip(shop.operations.values(), self._names, strict=True)
        ]
        places = {key: place for place, key in enumerate(self._keys)}
        count = len(self._keys)
        self._before, self._behind = [-1] * count, [-1] * count  # in the job
        self._release = [0] * count
        for job in shop.jobs:
            self._release[places[job.name, 0]] = job.release
            for n in range(1, len(job.operations)):
                first, second = places[job.name, n - 1], places[job.name, n]
                self._before[second], self._behind[first] = first, second
        starts = dispatched(shop, "most_work_remaining")
        order = sorted(range(count), key=lambda place: (starts[self._keys[place]][1], place))
        machines = {name: n for n, name in enumerate(dict.fromkeys(self._names))}
        self._machine = [machines[name] for name in self._names]
        self._rows: list[list[int]] = [[] for _ in machines]
        for place in order:
            self._rows[self._machine[place]].append(place)
        self._draw = Random(seed)
        self._tabu = [[0] * count for _ in range(count)]
        self._tenure = 6 + len(shop.jobs) // max(len(machines) // 2, 1)
        self._step, self._last = 0, 0
        self._laid_out(self._rows)
        self._best = self._length
        self._best_rows = [list(row) for row in self._rows]

    def schedule(self) -> dict[Key, tuple[str, int]]:
        self._laid_out(self._best_rows)
        return {
            key: (name, head)
            for key, name, head in zip(self._keys, self._names, self._head, strict=True)
        }

    def _laid_out(self, rows: list[list[int]]) -> None:
        """Take over the sequences of all machines."""
        self._rows = [list(row) for row in rows]
        count = len(self._keys)
        self._ahead, self._after = [-1] * count, [-1] * count  # on the machine
        for row in self._rows:
            self._link(row)
        self._measure()

    def _link(self, row: list[int]) -> None:
        ahead, after, before = self._ahead, self._after, -1
        for n in row:
            ahead[n] = before
            if before >= 0:
                after[before] = n
            before = n
        if row:
            after[row[-1]] = -1

    def _measure(self) -> None:
        """Earliest starts, and the time from each start to the end of all."""
        order = self._heads()
        self._tails(order)
        head = self._head
        self._length = max(map(add, head, self._time))
        if len(order) < len(head):  # a circle: a change that is not possible
            self._length = -1

    def _heads(self) -> list[int]:
        """Earliest starts, and an order in which operations follow what they wait for."""
        times, before, ahead = self._time, self._before, self._ahead
        behind, after, count = self._behind, self._after, len(self._keys)
        open_ = [(before[n] >= 0) + (ahead[n] >= 0) for n in range(count)]
        order, head = [n for n in range(count) if not open_[n]], list(self._release)
        for n in order:
            end = head[n] + times[n]
            for m in (behind[n], after[n]):
                if m >= 0:
                    head[m] = max(head[m], end)
                    open_[m] -= 1
                    if not open_[m]:
                        order.append(m)
        self._head = head
        return order

    def _tails(self, order: list[int]) -> None:
        behind, after, tail = self._behind, self._after, list(self._time)
        for n in reversed(order):
            rest = tail[behind[n]] if behind[n] >= 0 else 0
            if after[n] >= 0 and tail[after[n]] > rest:
                rest = tail[after[n]]
            tail[n] += rest
        self._tail = tail

    def _critical(self) -> list[int]:
        """One longest path, chosen at random where there are several."""
        head, tail, times, length = self._head, self._tail, self._time, self._length
        first = [
            n
            for n, (begin, rest) in enumerate(zip(head, tail, strict=True))
            if begin + rest == length and begin == self._release[n]
        ]
        place = self._draw.choice(first)
        path = [place]
        while True:
            end, rest = head[place] + times[place], tail[place] - times[place]
            near = [
                m
                for m in (self._behind[place], self._after[place])
                if m >= 0 and head[m] == end and tail[m] == rest
            ]
            if not near:
                return path
            place = self._draw.choice(near)
            path.append(place)

    def _moves(self) -> list[_Move]:
        """Changes within the blocks of the critical path, with the length they lead to."""
        path, found = self._critical(), []
        start = 0
        while start < len(path):
            stop = start
            while stop + 1 < len(path) and self._after[path[stop]] == path[stop + 1]:
                stop += 1
            if stop > start:
                machine = self._machine[path[start]]
                row = self._rows[machine]
                low = row.index(path[start])
                found += self._of_block(machine, low, low + stop - start)
            start = stop + 1
        return found

    def _of_block(self, machine: int, low: int, high: int) -> list[_Move]:
        """Changes that close no circle: no path leads to where the operation goes.

        Such a path from the next of the job, m, to the last of the block is at least as long as m
        takes; so there is none where the tail of m is not longer than that of the last.
        """
        row, found = self._rows[machine], []
        head, tail, times = self._head, self._tail, self._time
        last, first = row[high], row[low]
        for place in range(low, high):  # behind the last of the block
            m = self._behind[row[place]]
            if m < 0 or (m != last and tail[last] >= tail[m] + (times[m] == 0)):
                found.append(self._worth(machine, place, high, forward=True))
        for place in range(low + 1, high + 1):  # before the first
            if place == low + 1 and high == low + 1:
                continue  # the same change of two
            m = self._before[row[place]]
            ready = head[m] + times[m] + (times[m] == 0)
            if m < 0 or (m != first and head[first] + times[first] >= ready):
                found.append(self._worth(machine, low, place, forward=False))
        return found

    def _worth(self, machine: int, start: int, stop: int, *, forward: bool) -> _Move:
        """The longest path through the operations that change places."""
        row, times = self._rows[machine], self._time
        part = row[start : stop + 1]
        part = [*part[1:], part[0]] if forward else [part[-1], *part[:-1]]
        head, tail = self._head, self._tail
        end = head[row[start - 1]] + times[row[start - 1]] if start else 0
        heads = []
        for n in part:
            m = self._before[n]
            begin = head[m] + times[m] if m >= 0 else self._release[n]
            begin = max(begin, end)
            heads.append(begin)
            end = begin + times[n]
        rest = tail[row[stop + 1]] if stop + 1 < len(row) else 0
        length = 0
        for n, begin in zip(reversed(part), reversed(heads), strict=True):
            m = self._behind[n]
            rest = times[n] + max(rest, tail[m] if m >= 0 else 0)
            length = max(length, begin + rest)
        return _Move(machine, start, stop, forward, length)

    def _is_tabu(self, move: _Move) -> bool:
        row, now = self._rows[move.machine], self._step
        if move.forward:
            n = row[move.start]
            return any(self._tabu[m][n] > now for m in row[move.start + 1 : move.stop + 1])
        n = row[move.stop]
        return any(self._tabu[n][m] > now for m in row[move.start : move.stop])

    def _make(self, move: _Move) -> None:
        row = self._rows[move.machine]
        until = self._step + self._tenure + self._draw.randrange(self._tenure)
        if move.forward:
            n = row.pop(move.start)
            for m in row[move.start : move.stop]:
                self._tabu[n][m] = until
            row.insert(move.stop, n)
        else:
            n = row.pop(move.stop)
            for m in row[move.start : move.stop]:
                self._tabu[m][n] = until
            row.insert(move.start, n)
        self._link(row)
        self._measure()

    def step(self) -> bool:
        """One change; False where none can make the schedule shorter."""
        self._step += 1
        moves = self._moves()
        if not moves:
            return False
        free = [m for m in moves if not self._is_tabu(m) or m.length < self._best]
        move = min(free, key=lambda m: m.length) if free else self._draw.choice(moves)
        self._make(move)
        if 0 <= self._length < self._best:
            self._best, self._last = self._length, self._step
            self._best_rows = [list(row) for row in self._rows]
        elif self._length < 0 or self._step - self._last > _PATIENCE:
            self._go_back()
        return True

    def _go_back(self) -> None:
        self._laid_out(self._best_rows)
        self._last = self._step
        for _ in range(_SHAKEN):
            if moves := self._moves():
                self._make(self._draw.choice(moves))
            if self._length < 0:
                self._laid_out(self._best_rows)
