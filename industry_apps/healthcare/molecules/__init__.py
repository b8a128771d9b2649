"""Molecules: reading, writing, properties, and search for better ones."""
