"""Figures against the floor that each step is held to: `make bench`."""
