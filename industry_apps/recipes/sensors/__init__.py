"""Readings of sensors of many machines: windows of each machine's own, to its remaining life."""
