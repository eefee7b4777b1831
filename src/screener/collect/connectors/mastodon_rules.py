"""What a Mastodon-API server says of itself before it is asked for posts: who may read which timeline, and its rules.

Reference: https://docs.joinmastodon.org/entities/Instance/ (``configuration.timelines_access`` since Mastodon 4.5, values
``public``, ``authenticated``, ``disabled``; recorded answers of 4.7 have it, the other two values were read in clients of the API).
GoToSocial and Takahē say nothing there, and refuse anonymous hashtag timelines with 401 all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import httpx

from screener.collect.connector import known_hint, read_json, require_ok
from screener.collect.json_values import table, word
from screener.errors import NoDataError

Readers = Literal["anyone", "token", "nobody", "unknown"]
"""Who may read: ``token`` is whoever sends one, ``nobody`` a feature switched off, which may answer with an empty list."""
_READERS: dict[str, Readers] = {"public": "anyone", "authenticated": "token", "disabled": "nobody"}


@dataclass(frozen=True, slots=True)
class Access:
    """Who may read the posts of the server's own people through each endpoint of the connector."""

    tag: Readers
    public: Readers
    search: Readers


@dataclass(frozen=True, slots=True)
class ServerRules:
    """What the server states. ``requests_per_window`` is its announced rate limit (Mastodon's window is 5 minutes)."""

    version: str | None
    languages: tuple[str, ...]
    access: Access
    n_rules: int
    requests_per_window: int | None

    def may_ask(self, endpoint: str, *, has_token: bool) -> bool:
        """False where the answer is known to be a refusal, or an emptiness that looks like silence."""
        readers: Readers = getattr(self.access, endpoint)
        return readers in {"anyone", "unknown"} or (readers == "token" and has_token)


def build_instance_request(target: str) -> httpx.Request:
    """The server's description of itself."""
    return httpx.Request("GET", f"{target}/api/v2/instance")


def parse_instance(response: httpx.Response) -> ServerRules:
    """What it says; raises ``NoDataError`` for servers older than the second version of this answer (Mastodon 4.0)."""
    require_ok(response)
    instance: dict[str, Any] = read_json(response)
    languages, rules = instance.get("languages"), instance.get("rules")
    limit = response.headers.get("x-ratelimit-limit", "")
    hints = [known_hint(code) for code in languages] if isinstance(languages, list) else []
    return ServerRules(
        version=word(instance.get("version")),
        languages=tuple(hint for hint in hints if hint),
        access=read_access(instance),
        n_rules=len(rules) if isinstance(rules, list) else 0,
        requests_per_window=int(limit) if limit.isdecimal() and len(limit) < 10 else None,
    )


def closed_endpoints(response: httpx.Response, has_token: bool) -> dict[str, str]:
    """Endpoints that this server won't serve to us, with the words for it; none of a server that says nothing about it."""
    try:
        rules = parse_instance(response)
    except NoDataError:
        return {}
    told = {"token": "wants a token for it", "nobody": "has switched it off"}
    return {
        endpoint: f"the server {told.get(getattr(rules.access, endpoint), 'refuses')} (timelines_access)"
        for endpoint in ("tag", "public", "search")
        if not rules.may_ask(endpoint, has_token=has_token)
    }


def read_access(instance: dict[str, Any]) -> Access:
    """Timeline access as announced. Search is never: words in statuses are found for users only, says its documentation."""
    feeds = table(table(instance.get("configuration")).get("timelines_access"))
    return Access(tag=_readers(feeds, "hashtag_feeds"), public=_readers(feeds, "live_feeds"), search="token")


def _readers(feeds: dict[str, Any], name: str) -> Readers:
    """``local``: others' posts are not asked for."""
    return _READERS.get(word(table(feeds.get(name)).get("local")) or "", "unknown")
