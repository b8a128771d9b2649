"""Simulated machines, with their sensors."""
