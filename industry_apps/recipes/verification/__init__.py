"""Verification: whether two samples are of one person."""
