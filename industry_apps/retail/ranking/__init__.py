"""Ranking: which items a user takes next."""
