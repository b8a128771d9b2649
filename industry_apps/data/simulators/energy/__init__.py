"""Simulated data of the energy industry."""
