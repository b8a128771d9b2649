"""Fairness: what a model answers each group, and how sure that is."""
