"""Simulated records of cybersecurity."""
