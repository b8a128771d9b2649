"""Simulated data of cybersecurity."""
