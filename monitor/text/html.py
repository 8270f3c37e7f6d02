"""An HTML fragment as plain text. No tree is built, so no nesting is too deep."""

from __future__ import annotations

import re
from html import unescape

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
_LONGEST_TAG = 2_048
_TAG = re.compile(r"""<(?P<slash>/?)(?P<name>[A-Za-z][^\s/>]*+)(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_PLAIN_TAG = re.compile(r"<(?P<slash>/?)(?P<name>[A-Za-z][^\s/>]*+)[^>]*+>")  # a longer tag, or a quote left open
_END_OF = {name: re.compile(rf"(?i)</{name}(?=[\s/>])[^>]*+>") for name in _SILENT}


def to_text(markup: str) -> str:
    """Blocks and <br> become line ends, scripts and styles go, entities are decoded, white space is tidied.

    Text without any markup is only tidied; a tag that never ends is text. Malformed markup never raises, and the time
    grows with the length only: html.parser raises on `<![x` and takes minutes over 200,000 open tags.
    """
    if not _MARKUP.search(markup):
        return _tidy(markup)
    parts: list[str] = []
    done = at = 0
    last_end, last_comment_end = markup.rfind(">"), markup.rfind("-->")
    while (at := markup.find("<", at)) != -1 and at < last_end:
        if markup.startswith("<!--", at) and at < last_comment_end - 1:
            name, closing, end = "", False, markup.find("-->", at + 2) + 3
        elif markup.startswith(("<!", "<?"), at):
            name, closing, end = "", False, markup.index(">", at) + 1
        elif tag := _TAG.match(markup, at, at + _LONGEST_TAG) or _PLAIN_TAG.match(markup, at):
            name, closing, end = tag["name"].lower(), bool(tag["slash"]), tag.end()
        else:
            at += 1
            continue
        parts += _data(markup[done:at]), _break(name, closing=closing)
        if name in _SILENT and not closing and markup[end - 2] != "/":
            stop = _END_OF[name].search(markup, end)
            end = stop.end() if stop else len(markup)
        done = at = end
    parts.append(_data(markup[done:]))
    return _tidy("".join(parts))


def _data(raw: str) -> str:
    return unescape(raw) if raw.strip("\r\n\t ") else raw and " "


def _break(name: str, *, closing: bool) -> str:
    if name in {"p", "blockquote"}:
        return "\n\n"
    if name in _BLOCKS:
        return "" if closing and name == "br" else "\n"
    return " " if name in {"td", "th"} and not closing else ""


def _tidy(text: str) -> str:
    text = _BLANKS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _GAPS.sub("\n\n", _LINES.sub("\n", text)).strip()
