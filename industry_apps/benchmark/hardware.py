"""The machine that a figure was measured on, and the memory of this process."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

from industry_apps.workflow.cores import cores


def machine() -> dict[str, Any]:
    """What matters of this machine for a figure: no names, no paths.

    Returns
    -------
    dict
        ``cpu``, ``cores`` (that this process may use), ``amx`` (matrix unit for bfloat16),
        ``memory_gb`` and ``system``.
    """
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "amx": has_amx(),
        "memory_gb": round(_memory_bytes() / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
    }


def has_amx() -> bool:
    """Tell whether the processor multiplies bfloat16 matrices in hardware (told by Linux only)."""
    return "amx_bf16" in _cpuinfo().split()


def cpu_model() -> str:
    """Name of the processor."""
    for line in _cpuinfo().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def peak_memory_mb() -> float:
    """The most memory that this process has held, in MiB."""
    # Not ru_maxrss where it can be helped: Linux hands the parent's down to its children.
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
