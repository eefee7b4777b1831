"""Pure: which posts people must see. Two strata, kept apart.

*audit* is a random sample of all posts of a run: only it can say how often the classifier is wrong.
*active* are posts that the classifier is unsure about: they teach most, and would bias any figure they entered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from screener.records import UNKNOWN_COUNTRY, UNSPECIFIED_SECTOR, ReviewItem, ScreenedPost
from screener.scrub import scrub
from screener.settings.schemas import ReviewSettings

AUDIT, ACTIVE = "audit", "active"


def select_items(
    posts: Sequence[ScreenedPost], *, settings: ReviewSettings, model_version: str, taxonomy_version: str
) -> list[ReviewItem]:
    """Review items of a run; the same posts and versions give the same items.

    ``posts`` must hold at least the run's first posts by ``draw`` and its least certain ones; the rest is never chosen.
    """
    audit = sorted(posts, key=lambda post: draw(post.post.post_id, settings.seed))[: settings.audit_items_per_run]
    taken = {post.post.post_id for post in audit}
    unsure = sorted(
        (post for post in posts if post.post.post_id not in taken), key=lambda p: (_certainty(p), p.post.post_id)
    )
    chosen = [(AUDIT, post) for post in audit] + [(ACTIVE, post) for post in unsure[: settings.active_items_per_run]]
    return [_item(post, stratum, model_version, taxonomy_version) for stratum, post in chosen]


def item_id(post_id: str, text_sha256: str, model_version: str, taxonomy_version: str) -> str:
    """Id that changes when text, model or taxonomy change, so that the post comes to review again."""
    return hashlib.sha256("\n".join((post_id, text_sha256, model_version, taxonomy_version)).encode()).hexdigest()[:32]


def draw(post_id: str, seed: int) -> str:
    """A random key that depends on the post and the seed only: the sample does not change with order or restarts."""
    return hashlib.sha256(f"{seed}:{post_id}".encode()).hexdigest()


def _certainty(screened: ScreenedPost) -> float:
    return abs(screened.classification.relevance - 0.5)


def _item(screened: ScreenedPost, stratum: str, model_version: str, taxonomy_version: str) -> ReviewItem:
    post = screened.post
    digest = hashlib.sha256(post.text.encode()).hexdigest()
    return ReviewItem(
        item_id=item_id(post.post_id, digest, model_version, taxonomy_version), post_id=post.post_id,
        country=post.country or UNKNOWN_COUNTRY, sector=post.sector or UNSPECIFIED_SECTOR, language=screened.language,
        text=scrub(post.text).text, stratum=stratum, proposed=screened.classification,
        model_version=model_version, taxonomy_version=taxonomy_version, text_sha256=digest, invented=post.invented,
    )  # fmt: skip
