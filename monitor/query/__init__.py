"""The query language: text to tree, and the matcher that defines what a tree means."""
