"""Faults of a plant: its runs, what is normal, which fault it is, and how that is judged."""
