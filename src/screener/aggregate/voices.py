"""Pure: distinct voices behind posts. A voice is everything joined by the same author or the same text.

Copying a text under many accounts, or one account writing often, adds no voice. Text is compared after case,
links, handles, digits, punctuation and white space are taken out, which catches copy-paste with small changes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from screener.records import ScreenedPost, Voice

_NOISE = re.compile(r"https?://\S+|\[URL\]|\b[Rr][Tt]\s+@\w+|@\w+")
MIN_SHARED_LETTERS = 15
"""Shorter texts ("pay is too low") are the same by chance; they join voices only if no author is known."""


@dataclass(frozen=True, slots=True)
class VoiceGroup:
    """One voice in one cell: what it said, over all its posts. Adverts and employers' own words are left out."""

    labels: frozenset[str]
    positive: bool
    n_posts: int
    n_authors: int


def text_key(text: str) -> str:
    """What two copies of a text have in common: its letters, folded."""
    bare = _NOISE.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    return "".join(char for char in bare if unicodedata.category(char)[0] in "LM")


def speaking_posts(posts: Sequence[ScreenedPost]) -> list[ScreenedPost]:
    """Posts behind which somebody speaks of working life: relevant, and no advert."""
    return [post for post in posts if post.classification.relevant and post.classification.voice != Voice.ADVERT]


def group_voices(posts: Sequence[ScreenedPost]) -> list[VoiceGroup]:
    """Voices among the relevant posts of a cell; independent of the order of the posts."""
    speaking = speaking_posts(posts)
    groups: dict[int, list[ScreenedPost]] = {}
    for post, root in zip(speaking, _components([_links(post) for post in speaking]), strict=True):
        groups.setdefault(root, []).append(post)
    return [_group(members) for members in groups.values()]


def _group(members: Iterable[ScreenedPost]) -> VoiceGroup:
    posts = list(members)
    return VoiceGroup(
        labels=frozenset(label for post in posts for label in post.classification.flagged),
        positive=any(post.classification.positive for post in posts),
        n_posts=len(posts),
        n_authors=len({post.post.author for post in posts if post.post.author}),
    )


def _links(screened: ScreenedPost) -> tuple[str, ...]:
    author, key = screened.post.author, text_key(screened.post.text)
    if author is None:
        return (f"text:{key}",)
    return (f"author:{author}", f"text:{key}") if len(key) >= MIN_SHARED_LETTERS else (f"author:{author}",)


def _components(links: Sequence[Sequence[str]]) -> list[int]:
    """Connected components of posts that share a link, numbered by their first post (scipy's graph routine)."""
    if not links:
        return []
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = {name: len(links) + number for number, name in enumerate(sorted({n for group in links for n in group}))}
    rows = [row for row, group in enumerate(links) for _ in group]
    columns = [names[name] for group in links for name in group]
    size = len(links) + len(names)
    _, component = connected_components(
        coo_array(([1] * len(rows), (rows, columns)), shape=(size, size)), directed=False
    )
    return [int(number) for number in component[: len(links)]]
