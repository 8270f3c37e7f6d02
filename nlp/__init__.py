"""Understanding: mentions in, enrichments out."""
