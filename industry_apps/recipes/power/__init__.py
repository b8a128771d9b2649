"""Output of a plant ahead of time: physics first, and what it misses learned behind it."""
