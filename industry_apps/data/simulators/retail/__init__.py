"""Simulated data of retail."""
