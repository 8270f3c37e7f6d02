"""Luisterpost: collect what people say about a brand, tag it, triage it, warn in time."""
