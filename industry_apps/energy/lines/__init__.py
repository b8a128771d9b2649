"""Faults of lines: phasors, what they tell of type and place, and how a locator is judged."""
