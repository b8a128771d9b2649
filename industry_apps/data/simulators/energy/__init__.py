"""Simulated data of energy."""
