"""The record: everything that must not be lost, in SQL."""
