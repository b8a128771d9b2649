"""Windows of series to what models take: features, rows, tensors."""
