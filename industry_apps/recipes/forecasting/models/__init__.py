"""Models of scaled windows: ridge regressions, trees, networks."""
