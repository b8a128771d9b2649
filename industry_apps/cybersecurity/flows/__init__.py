"""Flows of a network: their columns, and the logs that they are read from."""
