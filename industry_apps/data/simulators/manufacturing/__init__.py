"""Simulated data of manufacturing."""
