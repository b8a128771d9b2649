"""Decisions on records: a calibrated probability, and the threshold that costs least."""
