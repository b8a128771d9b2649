"""Versions that take each other's place: in one process, or in several at once."""
