"""Trading: signals, positions, the back-test, and what a track record proves."""
