"""The inbox: one small module a screen, and the JSON API."""
