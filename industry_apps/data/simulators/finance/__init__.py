"""Simulated data of finance."""
