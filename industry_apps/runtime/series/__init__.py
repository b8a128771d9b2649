"""Answers from windows of series: long tables, their rules, forecasts."""
