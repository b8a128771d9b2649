"""Defects of parts: what only their detection needs."""
