"""Name on a card -> the function that reads files of a form of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from industry_apps.data.readers import cybersecurity, energy, finance, manufacturing, retail
from industry_apps.data.rules import Reading

if TYPE_CHECKING:
    import pandas as pd

Reader = Callable[[Mapping[str, Path], Reading], "pd.DataFrame"]

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            cybersecurity.att_faces,
            cybersecurity.dga_names,
            cybersecurity.ebbu_urls,
            cybersecurity.fsdd,
            cybersecurity.fvc_fingerprints,
            cybersecurity.nsl_kdd,
            energy.ett_hourly,
            energy.matpower_loads,
            energy.pjm_hourly,
            energy.tennessee_eastman,
            energy.pvdaq_solar,
            energy.scada_wind,
            finance.vehicle_claims,
            manufacturing.cmapss,
            manufacturing.deeppcb,
            manufacturing.jsplib,
            manufacturing.magnetic_tiles,
            manufacturing.matpower_cases,
            manufacturing.stockpyl_instances,
            manufacturing.supplygraph_orders,
            retail.m4_hourly,
            retail.movielens_100k,
        )
    }
)
