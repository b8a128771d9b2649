"""Grids: cases, their DC model, dispatch, unit commitment, reserve, and a learned stand-in."""
