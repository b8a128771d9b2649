"""Anomalies: what is unlike the normal data that were learned from."""
