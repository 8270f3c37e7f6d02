"""Text as it is found and as it is compared. Pure functions."""
