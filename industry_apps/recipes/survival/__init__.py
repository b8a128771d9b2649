"""Survival: the time to an event, where many were not followed to it."""
