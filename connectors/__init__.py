"""Connectors: one module a kind of source."""
