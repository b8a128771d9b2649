"""How forecasts are judged: metrics, baselines, plots, and the report of them."""
