"""Sources that are listened to: posts that answer to a watch go to the lake, deletions of posts that we hold become tombstones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from screener.collect.connector import Query
from screener.collect.connectors.bluesky_firehose import Event, stream_url
from screener.collect.keeper import Asked, Plan
from screener.collect.keyed import tombstone_of_author, tombstone_of_post
from screener.collect.listening import StreamMatcher, listen
from screener.collect.normalise import clean_text, to_post
from screener.collect.phrases import words_of
from screener.collect.tasks import Missing, Task
from screener.errors import ParseError, SourceError
from screener.pipeline.context import Context
from screener.pipeline.keeping import StoreKeeper
from screener.records import GapReason, Post, RawPost, Span, Tombstone, Window
from screener.store import collecting, erasing, lake_queries
from screener.store.collecting import StoredWindow
from screener.store.database import reading, writing

FLUSH_EVENTS = 20_000
"""Events between two savings: what a kill makes us hear again, about half a minute of Bluesky's public stream."""
FROM_THE_START = "all"
"""A target's ``place`` that asks for everything the server still keeps, instead of what comes from now on."""


_PLACE_LOST = "the place in the stream was lost, so it was listened to from now on"
_NOT_KEPT = "the server no longer keeps what came since we last listened; that stretch is lost"
_LOST = frozenset({_PLACE_LOST, _NOT_KEPT})


@dataclass
class _Heard:
    """What was heard since the last saving."""

    seq: int | None = None
    first: datetime | None = None
    latest: datetime | None = None
    n_events: int = 0
    posts: list[Post] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    gone_authors: set[str] = field(default_factory=set)


def listen_to(context: Context, plan: Plan, query: Query, keeper: StoreKeeper, asked: Asked) -> None:
    """Go on listening where the last run stopped, until the stream has reached the moment that the run began."""
    asked.queries[query.key] = query
    before = _stored(context, query)
    heard = _Heard(seq=int(before.cursor) if before and before.cursor else None)
    if heard.seq is None and query.words == FROM_THE_START:
        heard.seq = 0
    since = before.span.end if before else context.run.started_at
    matcher = StreamMatcher((watch, words_of(watch, context.settings)) for watch in context.settings.watches)
    problem: tuple[GapReason, str] | None = None
    if before is not None and heard.seq is None:
        problem = (GapReason.ERROR, _PLACE_LOST)
    try:
        for event in _events(context, query, heard.seq):
            problem = problem or _told(event)
            _hear(matcher, plan, query, event, heard, asked)
            if heard.n_events >= FLUSH_EVENTS:
                _save(context, query, keeper, heard, since)
    except (SourceError, ParseError) as error:
        problem = (error.gap if isinstance(error, SourceError) else GapReason.ERROR, str(error))
    _save(context, query, keeper, heard, since)
    _account(context, query, heard, since, problem, asked)


def _events(context: Context, query: Query, seq: int | None) -> Iterator[Event]:
    settings = context.settings.runtime.collect
    url = stream_url(query.target, seq)
    yield from listen(url, settings, until=context.run.started_at, seconds=settings.max_stream_seconds)


def _told(event: Event) -> tuple[GapReason, str] | None:
    if event.error:
        return GapReason.ERROR, f"the stream ended with {event.error}"
    if event.notice == "OutdatedCursor":
        return GapReason.ERROR, _NOT_KEPT
    return None


def _hear(matcher: StreamMatcher, plan: Plan, query: Query, event: Event, heard: _Heard, asked: Asked) -> None:
    heard.n_events += 1
    heard.seq = event.seq if event.seq is not None else heard.seq
    if event.error == "FutureCursor":
        heard.seq = None  # the server counts anew, so what it counted before means nothing
    heard.latest = event.time or heard.latest
    heard.first = heard.first or event.time
    heard.gone.update(event.gone)
    heard.gone_authors.update(event.gone_authors)
    outcome = asked.outcomes[query.key]
    for entry in event.rejected:
        outcome.reject(entry)
    for raw in event.posts:
        outcome.n_read += 1
        heard.gone.discard(raw.native_id)
        heard.posts += _matched(matcher, plan, raw, event, asked, query)


def _matched(
    matcher: StreamMatcher, plan: Plan, raw: RawPost, event: Event, asked: Asked, query: Query
) -> Iterator[Post]:
    """The post once for each watch that it answers to; what answers to none is not kept, nor counted as refused."""
    outcome = asked.outcomes[query.key]
    for found in matcher.find(raw.text):
        intake = replace(plan.intake, country=found.country, sector=found.sector, asked_in=found.language)
        post = to_post(raw, intake, where=f"{query.source} {query.endpoint} event {event.seq}")
        seen = asked.seen[query.source, f"{found.country}/{found.sector}"]
        taken = outcome.take(post, seen, Window())
        if taken is not None:
            yield taken


def _save(context: Context, query: Query, keeper: StoreKeeper, heard: _Heard, since: datetime) -> None:
    """Posts, then deletions of posts that are in the lake by now, then the place in the stream."""
    keeper.spool.put(heard.posts)
    keeper.merge()
    key, now = context.workdir.pseudonym_key(), context.run.started_at
    stones = [tombstone_of_post(key, query.source, native) for native in sorted(heard.gone)]
    ours = {
        post_id for post_id, _ in lake_queries.locate(context.lake, query.source, [s.post_id or "" for s in stones])
    }
    kept = [stone for stone in stones if stone.post_id in ours]
    kept += _authors_we_hold(context, query, key, heard.gone_authors)
    end = max(since, heard.latest or since)
    window = StoredWindow(Span(min(since, end), end), str(heard.seq) if heard.seq is not None else None)
    with writing(context.engine) as connection:
        erasing.add_tombstones(connection, kept, now=now)
        collecting.replace_windows(connection, query.key, query.source, [window], now=now)
    heard.n_events, heard.posts = 0, []
    heard.gone.clear()
    heard.gone_authors.clear()


def _authors_we_hold(context: Context, query: Query, key: bytes, authors: set[str]) -> list[Tombstone]:
    """Accounts without a post in the lake are nobody's business here."""
    stones = [tombstone_of_author(key, query.source, author) for author in sorted(authors)]
    held = lake_queries.authors_in(context.lake, query.source, [stone.author or "" for stone in stones])
    return [stone for stone in stones if stone.author in held]


def _stored(context: Context, query: Query) -> StoredWindow | None:
    with reading(context.engine) as connection:
        windows: Sequence[StoredWindow] = collecting.list_windows(connection, [query.key]).get(query.key, [])
    return windows[0] if windows else None


def _account(
    context: Context, query: Query, heard: _Heard, since: datetime, problem: tuple[GapReason, str] | None, asked: Asked
) -> None:
    """What of the time since the last run was heard, for the ledger."""
    until = context.run.started_at
    asked.tasks.append(Task(query, Span(min(since, until), until)))
    reached = until if problem is None else min(until, heard.latest or since)
    lost = problem is not None and (problem[1] in _LOST)
    if lost:  # what came before the first event is gone for good; what came after it was heard
        since, reached, problem_span = (
            max(since, heard.first or until),
            until,
            Span(since, min(until, heard.first or until)),
        )
    else:
        problem_span = Span(min(since, reached), until)
    if since < reached:
        asked.answered[query.key].append(Span(since, reached))
    if problem is not None:
        told = clean_text(problem[1])
        asked.outcomes[query.key].failures.append(told)
        asked.missing.append(Missing(query, problem_span, problem[0], told))
