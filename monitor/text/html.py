"""An HTML fragment as plain text. No tree is built, so no nesting is too deep."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "form",
    }
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"}
    | {"table", "tr", "ul"}
)
_SILENT = frozenset({"script", "style", "template", "noscript", "iframe", "object", "head", "title", "svg", "math"})
_BLANKS = re.compile(r"[ \t\f\v\u00a0]+")
_LINES = re.compile(r" ?\n ?")
_GAPS = re.compile(r"\n{3,}")
_MARKUP = re.compile(r"[<&]")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag in _BLOCKS:
            self.parts.append("\n\n" if tag in {"p", "blockquote"} else "\n")
        elif tag in {"td", "th"}:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag in self._silent:
            while self._silent and self._silent.pop() != tag:
                pass
        elif tag in _BLOCKS and tag != "br":
            self.parts.append("\n\n" if tag in {"p", "blockquote"} else "\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data if data.strip("\r\n\t ") or not data else " ")


def to_text(markup: str) -> str:
    """Blocks and <br> become line ends, scripts and styles go, entities are decoded, white space is tidied.

    Text without any markup is only tidied. Malformed markup never raises.
    """
    if not _MARKUP.search(markup):
        return _tidy(markup)
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return _tidy("".join(reader.parts))


def _tidy(text: str) -> str:
    text = _BLANKS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _GAPS.sub("\n\n", _LINES.sub("\n", text)).strip()
