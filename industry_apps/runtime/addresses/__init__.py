"""Addresses of the web: one canonical form, who owns a host, and what its spelling shows."""
