"""Molecules read from SMILES inside the graph, whichever way they are written."""
