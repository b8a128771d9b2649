"""Simulated data of healthcare."""
