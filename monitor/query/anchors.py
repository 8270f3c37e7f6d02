"""Many queries on one document: only those with a token of the document among their anchors are worth a look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from monitor.model import SearchDocument
from monitor.query.matcher import fields_of, holds
from monitor.query.tree import And, Exact, In, Near, Node, Or, Phrase, Word


def anchors(node: Node) -> frozenset[str] | None:  # noqa: PLR0911 - one line a kind of node
    """Tokens of which any matching document holds at least one; None where none can be named."""
    match node:
        case Word():
            return frozenset(node.tokens)
        case Exact():
            return frozenset({node.folded})
        case Phrase():
            return frozenset({max(node.tokens, key=len)})
        case Near():
            return _cheapest([anchors(node.left), anchors(node.right)])
        case And():
            return _cheapest([anchors(child) for child in node.children])
        case Or():
            found = [anchors(child) for child in node.children]
            known = [tokens for tokens in found if tokens is not None]
            return frozenset().union(*known) if len(known) == len(found) else None
        case In():
            return anchors(node.child)
        case _:
            return None


def _cheapest(found: list[frozenset[str] | None]) -> frozenset[str] | None:
    """Fewest tokens, then the longest ones: rare words are long."""
    known = [tokens for tokens in found if tokens is not None]
    return min(known, key=lambda tokens: (len(tokens), -min(map(len, tokens)))) if known else None


class RuleSet:
    """Named queries, asked together."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = dict(nodes)
        self._by_token: dict[str, list[str]] = defaultdict(list)
        self._always: list[str] = []
        for name, node in self._nodes.items():
            tokens = anchors(node)
            if tokens is None:
                self._always.append(name)
            for token in tokens or ():
                self._by_token[token].append(name)

    def matching(self, document: SearchDocument) -> list[str]:
        """The names of the queries that this document matches, in the order they were given."""
        worth = set(self._always)
        for token in {*document.tokens, *document.title_tokens}:
            worth.update(self._by_token.get(token, ()))
        if not worth:
            return []
        fields = fields_of(document)
        return [name for name in self._nodes if name in worth and holds(self._nodes[name], fields, document.fields)]
