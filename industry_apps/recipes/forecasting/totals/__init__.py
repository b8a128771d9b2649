"""Forecasts of totals over series, and answers that add up to them."""
