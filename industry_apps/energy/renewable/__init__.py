"""Physics of sun and wind, and what plants do that physics does not know of."""
