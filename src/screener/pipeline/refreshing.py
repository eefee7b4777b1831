"""Asks sources whether stored posts still stand: what is gone gets a tombstone, what was edited replaces its earlier version.

Each post is asked for again within the source's ``refresh_days``: day by day the share whose turn it is, told by its id, so
that nothing need be remembered and a missed day costs no more than that day's share.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from screener.collect.access import Access
from screener.collect.connector import Connector, Page, Query, Refresh
from screener.collect.http import PoliteClient
from screener.collect.keyed import tombstone_of_author, tombstone_of_post, unseal
from screener.collect.normalise import Intake, to_post
from screener.collect.queries import why_not
from screener.collect.registry import connector_of
from screener.errors import NoDataError, ParseError, SourceError
from screener.pipeline.erasing import doubt
from screener.pipeline.sources import access_to, intake_of, variables_set
from screener.pipeline.spending import spend_units
from screener.records import Post, RawPost
from screener.settings import Settings
from screener.settings.sources import ApiSource
from screener.store import erasing
from screener.store.database import Engine, writing
from screener.store.lake import COLLECTED, Lake, posts_from
from screener.store.spool import Spool
from screener.workdir import Workdir

_TOLD = 300
"""Characters of a problem that a warning tells: a hundred ids in an address help nobody."""


@dataclass
class Refreshed:
    """What a refresh pass of one source found."""

    source: str
    n_asked: int = 0
    n_standing: int = 0
    n_gone: int = 0
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Pass:
    settings: Settings
    workdir: Workdir
    engine: Engine
    client: PoliteClient
    now: datetime
    everything: bool
    believe: bool


def refresh_sources(
    settings: Settings, workdir: Workdir, engine: Engine, *, now: datetime, everything: bool = False, believe: bool = False
) -> list[Refreshed]:  # fmt: skip
    """Refresh what is due of every source that can tell; ``everything`` asks for all posts, ``believe`` erases on doubt too."""
    with PoliteClient(settings.runtime.collect) as client:
        this = _Pass(settings, workdir, engine, client, now, everything, believe)
        return [
            _refresh_source(this, source, connector, connector.refresh)
            for source in settings.sources
            if isinstance(source, ApiSource) and source.refresh_days
            for connector in (connector_of(source.kind),)
            if connector.refresh is not None and why_not(source, connector, variables_set(source)) is None
        ]


def _refresh_source(this: _Pass, source: ApiSource, connector: Connector, refresh: Refresh) -> Refreshed:
    found, gone, closed = Refreshed(source.name), set[str](), set[str]()
    spool, n_failed = Spool(this.workdir.root / "spool"), 0
    intake = intake_of(this.settings, this.workdir, source.name, run_id="", collected_at=this.now)
    intake = replace(intake, born=connector.born, is_news=source.is_news, seals_ids=True)
    for target, batch in _batches(this, source, refresh):
        query = Query(source.name, "refresh", target)
        try:
            page = _ask(this, source, refresh, list(batch), access_to(source, connector, query))
        except (SourceError, ParseError) as error:
            found.warnings.append(f"{source.name}: refresh: {str(error)[:_TOLD]}")
            n_failed += 1
            if n_failed >= this.settings.runtime.collect.breaker_failures:
                break
            continue
        n_failed = 0
        standing = {raw.native_id for raw in page.posts}
        gone |= (set(batch) - standing) | set(page.gone)
        found.n_asked += len(batch)
        found.n_standing += len(standing & set(batch))
        spool.put(list(_renewed(intake, page, batch)))
        closed |= set(page.gone_authors)
    found.n_gone = len(gone)
    told = doubt(found.n_gone, found.n_asked)
    if told is not None and not this.believe:
        found.warnings.append(f"{source.name}: refresh: {told}")
        return found
    key = this.workdir.pseudonym_key()
    stones = [tombstone_of_post(key, source.name, native) for native in gone]
    stones += [tombstone_of_author(key, source.name, author) for author in closed]
    with writing(this.engine) as connection:
        erasing.add_tombstones(connection, stones, now=this.now)
    return found


def _ask(this: _Pass, source: ApiSource, refresh: Refresh, native_ids: Sequence[str], access: Access) -> Page:
    """Which of these stand. An answer that can't be read, or a 404 that isn't the API's own, says nothing: it is asked again."""
    for attempt in range(1, this.settings.runtime.collect.max_attempts + 1):
        spend_units(this.engine, source, refresh.units, now=this.now)
        response = this.client.send(refresh.build(access.target, native_ids), access)
        try:
            return refresh.parse(response, native_ids)
        except (ParseError, NoDataError):
            if attempt == this.settings.runtime.collect.max_attempts:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


Batch = dict[str, list[Post]]
"""Native id to the posts of the lake that it stands for: one for each watch that found it."""


def _batches(this: _Pass, source: ApiSource, refresh: Refresh) -> Iterator[tuple[str, Batch]]:
    """What is due, by target and group, in batches as large as the source takes."""
    due: dict[tuple[str, str], Batch] = defaultdict(dict)
    key, targets = this.workdir.pseudonym_key(), _asked_at(source)
    for post in _due(this, source):
        native_id = unseal(key, post.sealed_id or b"")
        target = target_of(native_id, targets, by_address=refresh.by_address)
        if target is None:
            continue
        group = (target, refresh.group(native_id))
        due[group].setdefault(native_id, []).append(post)
        if len(due[group]) > refresh.batch:
            last = due[group].pop(native_id)
            yield target, due[group]
            due[group] = {native_id: last}
    for (target, _), batch in due.items():
        if batch:
            yield target, batch


def _asked_at(source: ApiSource) -> list[str]:
    """Addresses that answer requests; one that is only listened to can't be asked."""
    endpoints = connector_of(source.kind).endpoints
    return [
        target.url.rstrip("/")
        for target in source.targets
        if any(endpoints[name].asks != "stream" for name in target.endpoints or source.endpoints)
    ]


def target_of(native_id: str, targets: Sequence[str], *, by_address: bool = False) -> str | None:
    """The target that a native id belongs to: that whose address the id begins with, or, unless ids go ``by_address``, the only one."""
    alone = set(targets)
    if len(alone) == 1 and not by_address:
        return next(iter(alone))
    plain = native_id.partition("://")[2] or native_id
    fitting = [target for target in alone if _begins(plain, target.partition("://")[2].partition("?")[0].rstrip("/"))]
    return max(fitting, key=len, default=None)


def _begins(plain: str, address: str) -> bool:
    """True if the id goes on below the address: ``union.example`` is no beginning of ``union.example.org/1``."""
    return plain.lower().startswith((f"{address.lower()}/", f"{address.lower()}?"))


def _due(this: _Pass, source: ApiSource) -> Iterator[Post]:
    turn = this.now.date().toordinal() % source.refresh_days
    lake = Lake(this.workdir.lake)
    for part in lake.parts("posts"):
        if part.partition.source != source.name or part.name != COLLECTED:
            continue
        for post in posts_from(lake.read("posts", part), part.partition):
            is_due = this.everything or int(post.post_id[:8], 16) % source.refresh_days == turn
            if is_due and post.sealed_id is not None:
                yield post


def _renewed(intake: Intake, page: Page, batch: Batch) -> Iterator[Post]:
    """Posts that stand and read differently now, in the place of their earlier version."""
    for raw in page.posts:
        for earlier in batch.get(raw.native_id, ()):
            post = _as_now(intake, raw, earlier)
            if isinstance(post, Post) and (post.text, post.created_at) != (earlier.text, earlier.created_at):
                yield post


def _as_now(intake: Intake, raw: RawPost, earlier: Post) -> Post | None:
    intake = replace(
        intake, run_id=earlier.run_id, country=earlier.country, sector=earlier.sector, asked_in=earlier.asked_in
    )
    hint = raw.language_hint or earlier.language_hint
    post = to_post(
        replace(raw, country=None, sector=None, language_hint=hint), intake, where=f"{intake.source} refresh"
    )
    return post if isinstance(post, Post) else None


def counts_of(refreshed: Sequence[Refreshed]) -> Counter[str]:
    """Sums over sources, for the report."""
    return Counter(
        {
            "refreshed": sum(one.n_asked for one in refreshed),
            "found_gone": sum(one.n_gone for one in refreshed),
        }
    )
