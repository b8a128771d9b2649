"""Decisions on stock and orders: what to hold, when to order and how much."""
