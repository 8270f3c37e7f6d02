"""The search index: derived from the record, disposable."""
