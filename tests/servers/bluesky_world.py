"""A small invented Bluesky: who wrote what on the network, and a stand-in for the client that asks it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from atproto_network import Account, AtprotoNetwork, post
from websockets.sync.client import connect

from screener.collect.connector import Page, Query, Token
from screener.collect.connectors.bluesky import CONNECTOR, build_request, parse_page
from screener.collect.connectors.bluesky_firehose import Event, parse_frame, stream_url

N_POSTS = 230
NOW = datetime.now(UTC).replace(microsecond=0)
FUTURE = NOW + timedelta(days=400)
assert CONNECTOR.auth is not None
assert CONNECTOR.refresh is not None
AUTH, REFRESH = CONNECTOR.auth, CONNECTOR.refresh


@dataclass
class World:
    """The network with what was written to it: a union, a shy author, and the collector's account."""

    network: AtprotoNetwork
    union: Account
    shy: Account
    addresses: list[str]
    query: Query
    token: Token

    def send(self, request: httpx.Request, *, signed_in: bool = True) -> httpx.Response:
        """What the client does, without its patience: the token goes where ``Auth`` says."""
        if signed_in:
            request.headers[AUTH.header] = AUTH.prefix + self.token.value
        with httpx.Client(timeout=30, trust_env=False) as client:
            return client.send(request)

    def ask(self, query: Query) -> Page:
        """The first page."""
        return parse_page(self.send(build_request(query, None)), query)

    def walk(self, query: Query) -> list[Page]:
        """All pages, cursor by cursor."""
        pages: list[Page] = []
        cursor: str | None = None
        while not pages or cursor:
            pages.append(parse_page(self.send(build_request(query, cursor)), query))
            cursor = pages[-1].next_cursor
            assert len(pages) < 20, "the cursor leads nowhere"
        return pages

    def still_standing(self, *addresses: str) -> set[str]:
        """Which of them a refresh still finds."""
        answer = self.send(REFRESH.build(self.network.pds, addresses))
        return {post.native_id for post in REFRESH.parse(answer, addresses).posts}

    def listen(self, seq: int, is_last: Callable[[Event], bool]) -> list[Event]:
        """Events after ``seq`` up to the one waited for."""
        events: list[Event] = []
        with connect(stream_url(self.network.pds, seq), max_size=None, proxy=None) as stream:
            while not events or not is_last(events[-1]):
                frame = stream.recv(timeout=10)
                assert isinstance(frame, bytes)
                events.append(parse_frame(frame))
        return events


@contextlib.contextmanager
def open_world() -> Iterator[World]:
    """A network of its own with everything written and indexed, about five seconds."""
    with AtprotoNetwork() as network:
        union, shy, collector = (network.create_account(name) for name in ("union", "shy", "collector"))
        texts = [f"unpaid overtime, week {number}" for number in range(N_POSTS)]
        written = [post(text, created_at=NOW - timedelta(hours=number)) for number, text in enumerate(texts)]
        addresses = network.write_posts(union, written)
        parent, above = (
            {"uri": address, "cid": "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"}
            for address in addresses[:2]
        )
        odd = [
            post("Wait & see < 18", langs=["xx", "bn"], created_at=FUTURE, reply={"parent": parent, "root": above}),
            post("বেতন নাই #শ্রমিক", langs=["bn"], embed={"$type": "app.bsky.embed.record", "record": parent}),
            post("#শ without the rest"),
        ]
        addresses += network.write_posts(union, odd)
        network.call(
            "com.atproto.repo.createRecord", collector, repo=collector.did, collection="app.bsky.feed.repost",
            record={"subject": parent, "createdAt": NOW.isoformat()},
        )  # fmt: skip
        own_words = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "!no-unauthenticated"}]}
        network.call(
            "com.atproto.repo.putRecord", shy, repo=shy.did, collection="app.bsky.actor.profile", rkey="self",
            record={"$type": "app.bsky.actor.profile", "labels": own_words},
        )  # fmt: skip
        addresses += network.write_posts(shy, [post("unpaid overtime, but not for everybody")])
        network.write_posts(collector, [post("of the collector itself")])
        network.wait_indexed(N_POSTS + 5)
        query = Query("bluesky", "search", network.pds, words="unpaid overtime")
        yield World(network, union, shy, addresses, query, sign_in(network, collector))


def sign_in(network: AtprotoNetwork, account: Account) -> Token:
    """With an app password, as the documentation wants it."""
    made = network.call("com.atproto.server.createAppPassword", account, name="collector")
    return session(network, account.handle, made["password"])


def session(network: AtprotoNetwork, identifier: str, password: str) -> Token:
    """A token for these credentials, got as the connector says."""
    assert AUTH.build_sign_in is not None
    assert AUTH.parse_sign_in is not None
    request = AUTH.build_sign_in(network.pds, {"identifier": identifier, "password": password})
    with httpx.Client(trust_env=False) as client:
        return AUTH.parse_sign_in(client.send(request))
