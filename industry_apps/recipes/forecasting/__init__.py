"""Forecasting: quantiles of many series at once, with what is known of the future."""
