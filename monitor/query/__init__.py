"""The query language: text to tree, and the matcher that defines what a tree means."""

from __future__ import annotations

from monitor.query.parser import parse
from monitor.query.tree import Node, to_text

__all__ = ["Node", "parse", "to_text"]
