"""A grid made up for examples and tests: nine buses, five generators, two lines that bind."""

from __future__ import annotations

from industry_apps.energy.grid.cases import Case
from industry_apps.energy.grid.reading.matpower import parse_case

_TEXT = """
function mpc = example_grid
mpc.version = '2';
mpc.baseMVA = 100;
%	bus_i	type	Pd	Qd	Gs	Bs	area	Vm	Va	baseKV	zone	Vmax	Vmin
mpc.bus = [
	1	3	0	0	0	0	1	1	0	230	1	1.1	0.9;
	2	2	0	0	0	0	1	1	0	230	1	1.1	0.9;
	3	1	60	0	0	0	1	1	0	230	1	1.1	0.9;
	4	1	70	0	0	0	1	1	0	230	1	1.1	0.9;
	5	1	90	0	0	0	1	1	0	230	1	1.1	0.9;
	6	2	50	0	0	0	1	1	0	230	1	1.1	0.9;
	7	1	80	0	0	0	1	1	0	230	1	1.1	0.9;
	8	2	30	0	0	0	1	1	0	230	1	1.1	0.9;
	9	1	40	0	0	0	1	1	0	230	1	1.1	0.9;
];
%	bus	Pg	Qg	Qmax	Qmin	Vg	mBase	status	Pmax	Pmin
mpc.gen = [
	1	0	0	0	0	1	100	1	260	20;
	2	0	0	0	0	1	100	1	180	10;
	6	0	0	0	0	1	100	1	140	0;
	8	0	0	0	0	1	100	1	110	0;
	5	0	0	0	0	1	100	1	60	0;
];
%	fbus	tbus	r	x	b	rateA	rateB	rateC	ratio	angle	status	angmin	angmax
mpc.branch = [
	1	3	0	0.05	0	200	0	0	0	0	1	-360	360;
	1	4	0	0.06	0	120	0	0	0	0	1	-360	360;
	2	3	0	0.05	0	150	0	0	0	0	1	-360	360;
	2	5	0	0.08	0	70	0	0	0	0	1	-360	360;
	3	4	0	0.09	0	100	0	0	0	0	1	-360	360;
	3	6	0	0.07	0	75	0	0	0	0	1	-360	360;
	4	7	0	0.08	0	80	0	0	0	0	1	-360	360;
	5	9	0	0.10	0	60	0	0	0	0	1	-360	360;
	6	7	0	0.06	0	90	0	0	0	0	1	-360	360;
	7	8	0	0.07	0	90	0	0	0	0	1	-360	360;
	8	9	0	0.09	0	70	0	0	0	0	1	-360	360;
];
%	model	startup	shutdown	n	c2	c1	c0
mpc.gencost = [
	2	0	0	3	0.012	14	0;
	2	0	0	3	0.020	17	0;
	2	0	0	3	0.030	26	0;
	2	0	0	3	0.040	30	0;
	2	0	0	3	0.050	48	0;
];
"""


def example_case() -> Case:
    """The grid of the examples, which is of no real country.

    Examples
    --------
    >>> example_case().name
    'example_grid'
    """
    return parse_case(_TEXT, "example_grid")
