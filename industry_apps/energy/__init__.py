"""Energy: load, sun and wind ahead, the dispatch of power plants, and a fast stand-in for it."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "DispatchProxy",
    "GridDispatcher",
    "LineFaultLocator",
    "LoadForecaster",
    "PlantFaultDetector",
    "Reserve",
    "SolarForecaster",
    "UnitLimits",
    "WindForecaster",
    "read_case",
    "rts96_units",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DispatchProxy": "dispatch_proxy",
        "GridDispatcher": "grid_dispatch",
        "LineFaultLocator": "line_faults",
        "LoadForecaster": "load_forecasting",
        "PlantFaultDetector": "fault_detection",
        "Reserve": "grid.reserve",
        "SolarForecaster": "solar_forecasting",
        "UnitLimits": "grid.units",
        "WindForecaster": "wind_forecasting",
        "read_case": "grid.reading.matpower",
        "rts96_units": "grid.units",
    },
)
