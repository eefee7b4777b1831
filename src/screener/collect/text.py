"""Pure: what people wrote, out of the HTML that platforms wrap it in; and hashtags, found in the text itself."""

from __future__ import annotations

import re
import unicodedata

from selectolax.lexbor import LexborHTMLParser, LexborNode

_PARAGRAPHS = frozenset(
    {"p", "div", "section", "article", "ul", "ol", "table", "pre", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "header", "footer", "hr", "main", "aside", "details", "blockquote"}
)  # fmt: skip
_LINES = frozenset({"br", "li", "tr", "dt", "dd", "figcaption", "summary", "option"})
_CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"script", "style", "template", "noscript", "iframe", "svg", "head", "title"})
_MAX_DEPTH = 200
"""Nesting beyond this is an attack or a broken page; what lies deeper is taken as one piece of text."""
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" *\n *")
_QUOTED_BY_MASTODON = "quote-inline"
"""Class of the paragraph that repeats a quoted post's address for servers that can't show quotes."""


def html_to_text(markup: str) -> str:
    """Text of an HTML fragment: entities resolved, a blank line between paragraphs, white space folded.

    Quotations stand apart, each paragraph of theirs begun with ``> ``, so that others' words don't pass for the author's.
    Zero-width joiners stay: scripts need them. Text that never was HTML comes through with its characters unchanged.
    """
    if "<" not in markup and "&" not in markup:
        return _tidy(markup.replace("\r\n", "\n").replace("\r", "\n"))
    body = LexborHTMLParser(markup).body
    if body is None:
        return ""
    pieces: list[str] = []
    _walk(body, pieces, 0, is_quoted=False)
    return _tidy("".join(pieces))


def _walk(node: LexborNode, pieces: list[str], depth: int, *, is_quoted: bool) -> None:
    for child in node.iter(include_text=True, skip_empty=False):
        tag = child.tag or ""
        if tag == "-text":
            pieces.append((child.text_content or "").replace("\n", " ").replace("\r", " "))
        elif tag in _UNSEEN or _QUOTED_BY_MASTODON in (child.attributes.get("class") or ""):
            continue
        elif (
            tag == "blockquote" and not is_quoted and depth < _MAX_DEPTH
        ):  # marked once: each level more would copy all of it
            inner: list[str] = []
            _walk(child, inner, depth + 1, is_quoted=True)
            quoted = _tidy("".join(inner))
            pieces.append("\n\n" + "\n".join(f"> {line}" if line else "" for line in quoted.split("\n")) + "\n\n")
        elif depth >= _MAX_DEPTH:
            pieces.append(child.text(deep=True, separator=" "))
        else:
            around = "\n\n" if tag in _PARAGRAPHS else ""
            pieces.append("\n" if tag in _LINES else " " if tag in _CELLS else around)
            _walk(child, pieces, depth + 1, is_quoted=is_quoted)
            pieces.append(around)


def _tidy(text: str) -> str:
    folded = _BREAKS.sub("\n", _SPACES.sub(" ", text))
    return re.sub(r"\n{3,}", "\n\n", folded).strip()


def find_tags(text: str) -> frozenset[str]:
    """Hashtags of a text, without ``#``, folded for comparison; combining marks belong to the word (``#শ্রমিক``).

    Found here because servers cut tags at combining marks. Both ``#`` and full-width ``＃`` begin one; Chinese
    ``#tag#`` ends at the second.
    """
    found: set[str] = set()
    for piece in re.split(r"[#＃]", text)[1:]:
        length = next((i for i, char in enumerate(piece) if not _in_tag(char)), len(piece))
        if length:
            found.add(fold_tag(piece[:length]))
    return frozenset(found)


def has_tag(text: str, tag: str) -> bool:
    """True if the text carries the hashtag (with or without ``#``), in any case and normal form."""
    return fold_tag(tag.lstrip("#＃")) in find_tags(text)


def fold_tag(tag: str) -> str:
    """A tag, or any text, as it is compared: NFC, case folded, Turkish dotted and dotless *i* as one."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", tag).casefold())
    return folded.replace("i\u0307", "i").replace("ı", "i")


def _in_tag(char: str) -> bool:
    """Letters, marks and numbers, the underscore, and the joiners that Indic and Persian words are written with."""
    return unicodedata.category(char)[0] in "LMN" or char in "_\u200c\u200d"
