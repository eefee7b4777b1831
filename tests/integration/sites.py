"""Small servers on this machine that speak as sources do, with invented posts; they remember what they were asked."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Asked:
    """One request that came in."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON; underscores in names of headers stand for hyphens."""
    return Answer(json.dumps(value).encode(), status, {name.replace("_", "-"): told for name, told in headers.items()})


class Site:
    """A fake source: subclasses answer, tests may put an answer of their own in between (``instead``)."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.instead: Callable[[Asked], Answer | None] = lambda asked: None

    def answer(self, asked: Asked) -> Answer:
        """What this source says."""
        raise NotImplementedError

    @property
    def place(self) -> str:
        """The address without its scheme, as native ids carry it."""
        return self.url.partition("://")[2]

    def take(self) -> list[Asked]:
        """What was asked since the last time."""
        taken, self.asked = self.asked, []
        return taken


@contextmanager
def serving(*sites: Site) -> Iterator[None]:
    """Each site on a port of its own for the block."""
    servers = [_start(site) for site in sites]
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _start(site: Site) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            params = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, parts.path, params, headers, body)
            site.asked.append(asked)
            answer = site.instead(asked) or site.answer(asked)
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            with suppress(OSError):  # who asked may have been killed meanwhile
                self.end_headers()
                self.wfile.write(answer.body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            """Not to stderr: tests look at what the program writes there."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    return server


@dataclass(frozen=True)
class Written:
    """An invented post: words, time, the number of its author."""

    text: str
    at: datetime
    author: int = 1


class Feed(Site):
    """An RSS feed with an ETag, whatever path is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, Written] = {}

    def answer(self, asked: Asked) -> Answer:
        body = self._xml().encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if asked.headers.get("if-none-match") == etag:
            return Answer(status=304, headers={"ETag": etag})
        return Answer(body, headers={"ETag": etag, "Content-Type": "application/rss+xml"})

    def _xml(self) -> str:
        items = "".join(
            f'<item><guid isPermaLink="false">tag:union.example,2026:{name}</guid><title>{escape(entry.text)}</title>'
            f"<pubDate>{format_datetime(entry.at)}</pubDate><author>{entry.author}@union.example</author></item>"
            for name, entry in self.entries.items()
        )
        return f'<rss version="2.0"><channel><title>Union</title>{items}</channel></rss>'


class WordPress(Site):
    """The posts of a WordPress site, in pages of its own size, by time, by words, and by number."""

    def __init__(self, page_size: int = 3) -> None:
        super().__init__()
        self.posts: dict[int, Written] = {}
        self.page_size = page_size

    def answer(self, asked: Asked) -> Answer:
        found = [self._record(number, post) for number, post in sorted(self.posts.items(), reverse=True)]
        found = [record for record in found if _is_asked_for(record, asked.params)]
        if "include" in asked.params:
            return as_json(found)
        page, pages = int(asked.params.get("page", "1")), -(-len(found) // self.page_size)
        if page > max(pages, 1):
            return as_json({"code": "rest_post_invalid_page_number"}, 400)
        shown = found[(page - 1) * self.page_size : page * self.page_size]
        return as_json(shown, X_WP_TotalPages=str(pages))

    def _record(self, number: int, post: Written) -> dict[str, Any]:
        stamp = f"{post.at:%Y-%m-%dT%H:%M:%S}"
        return {
            "id": number, "date_gmt": stamp, "modified_gmt": stamp, "link": f"{self.url}/?p={number}", "author": post.author,
            "title": {"rendered": ""}, "content": {"rendered": f"<p>{escape(post.text)}</p>", "protected": False},
        }  # fmt: skip


def _is_asked_for(record: dict[str, Any], params: Mapping[str, str]) -> bool:
    if "include" in params:
        return str(record["id"]) in params["include"].split(",")
    after, before = params.get("after", "0").rstrip("Z"), params.get("before", "9").rstrip("Z")
    words = params.get("search", "").lower().split()
    return after < record["date_gmt"] < before and all(word in record["content"]["rendered"].lower() for word in words)


class Lemmy(Site):
    """Posts of a Lemmy server, of which some are deleted, or their authors."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: dict[int, Written] = {}
        self.deleted: set[int] = set()
        self.deleted_authors: set[int] = set()

    def answer(self, asked: Asked) -> Answer:
        if asked.path.endswith("/post"):
            number = int(asked.params["id"])
            if number not in self.posts:
                return as_json({"error": "couldnt_find_post"}, 400)
            return as_json({"post_view": self._view(number)})
        page = int(asked.params["page"])
        numbers = sorted(self.posts, reverse=True)[(page - 1) * 50 : page * 50]
        return as_json({"posts": [self._view(number) for number in numbers]})

    def _view(self, number: int) -> dict[str, Any]:
        post = self.posts[number]
        record = {
            "ap_id": f"{self.url}/post/{number}", "name": post.text, "published": f"{post.at:%Y-%m-%dT%H:%M:%SZ}",
            "deleted": number in self.deleted,
        }  # fmt: skip
        creator = {"actor_id": f"{self.url}/u/{post.author}", "deleted": post.author in self.deleted_authors}
        return {"post": record, "creator": creator}


class YouTube(Site):
    """Videos found by any words, each with comments; some have their comments switched off."""

    def __init__(self) -> None:
        super().__init__()
        self.videos: dict[str, Written] = {}
        self.comments: dict[str, dict[str, Written]] = {}

    def answer(self, asked: Asked) -> Answer:
        if asked.path.endswith("/search"):
            found = [
                {"id": {"videoId": name}, "snippet": {"title": video.text, "publishedAt": _stamp(video.at)}}
                for name, video in self.videos.items()
                if asked.params["publishedAfter"] <= _stamp(video.at) < asked.params["publishedBefore"]
            ]
            return as_json({"kind": "youtube#searchListResponse", "items": found})
        told = self.comments.get(asked.params["videoId"])
        if told is None:
            return as_json({"error": {"errors": [{"reason": "commentsDisabled"}]}}, 403)
        threads = [{"snippet": {"topLevelComment": _comment(name, one)}} for name, one in told.items()]
        return as_json({"kind": "youtube#commentThreadListResponse", "items": threads})


def _comment(name: str, one: Written) -> dict[str, Any]:
    said = {"textOriginal": one.text, "publishedAt": _stamp(one.at), "authorChannelId": {"value": f"c{one.author}"}}
    return {"id": name, "snippet": said}


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class Bluesky(Site):
    """An AppView behind a sign-in; the token is what the test says."""

    def __init__(self, password: str, token: str) -> None:
        super().__init__()
        self.password, self.token = password, token
        self.posts: dict[str, Written] = {}

    def answer(self, asked: Asked) -> Answer:
        if asked.path.endswith("createSession"):
            if json.loads(asked.body)["password"] != self.password:
                return as_json({"error": "AuthenticationRequired", "message": "Invalid password"}, 401)
            return as_json({"accessJwt": self.token})
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return as_json({"error": "AuthMissing"}, 401)
        return as_json({"posts": [self._view(name, post) for name, post in self.posts.items()]})

    def _view(self, name: str, post: Written) -> dict[str, Any]:
        did = f"did:plc:{post.author:024d}"
        stamp = _stamp(post.at)
        return {
            "uri": f"at://{did}/app.bsky.feed.post/{name}", "author": {"did": did, "handle": "a.example"}, "indexedAt": stamp,
            "record": {"$type": "app.bsky.feed.post", "text": post.text, "createdAt": stamp},
        }  # fmt: skip


class Mastodon(Site):
    """A server's public timeline, for holders of a token."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token
        self.posts: dict[int, Written] = {}

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return as_json({"error": "This method requires an authenticated user"}, 422)
        if asked.path.endswith("/instance"):
            return as_json({"title": "invented"})
        below = int(asked.params.get("max_id", "1000"))
        return as_json([self._status(n, post) for n, post in sorted(self.posts.items(), reverse=True) if n < below])

    def _status(self, number: int, post: Written) -> dict[str, Any]:
        return {
            "id": str(number), "created_at": _stamp(post.at), "content": f"<p>{escape(post.text)}</p>", "visibility": "public",
            "account": {"id": str(post.author), "acct": f"author{post.author}"}, "uri": f"{self.url}/statuses/{number}",
        }  # fmt: skip
