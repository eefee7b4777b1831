"""Keeps what asking sources brings: posts in the spool and the lake, progress in the results store, in that order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from screener.collect.connector import Connector, Page, Query
from screener.collect.keeper import Validators
from screener.collect.keyed import author_token, post_token, tombstone_of_author, tombstone_of_post
from screener.collect.tasks import Missing, Next, Task
from screener.collect.windows import covers, still_trusted, subtract
from screener.collect.windows import merge as merge_spans
from screener.pipeline.context import Context
from screener.pipeline.spending import spend_units
from screener.records import GapReason, Post, Span
from screener.settings import Settings
from screener.settings.sources import ApiSource
from screener.store import collecting, erasing
from screener.store.collecting import StoredWindow
from screener.store.database import Connection, Engine, reading, writing
from screener.store.lake import Lake
from screener.store.spool import Merged, Spool
from screener.store.spool import merge as merge_spool
from screener.workdir import Workdir


@dataclass
class Progress:
    """How far one query has come."""

    query: Query
    done: list[Span] = field(default_factory=list)
    open: dict[Span, StoredWindow] = field(default_factory=dict)


class StoreKeeper:
    """The runner's :class:`~screener.collect.asking.Keeper` on lake and results store."""

    def __init__(self, context: Context, sources: Sequence[ApiSource], *, whole_lookback: bool) -> None:
        self._context, self._whole_lookback = context, whole_lookback
        self._key = (
            context.workdir.pseudonym_key()
        )  # made before the lake is touched: a lake without its key is refused
        self._sources = {source.name: source for source in sources}
        self._known: dict[str, Progress] = {}
        self._led_to: set[str] = set()
        self.spool = Spool(context.workdir.root / "spool")
        self.merged = Merged()

    def tasks(self, query: Query, connector: Connector, wanted: Span, order: int) -> list[Task]:
        """What is still to be asked of the query: windows begun before, then stretches never covered."""
        with reading(self._context.engine) as connection:
            stored = collecting.list_windows(connection, [query.key]).get(query.key, [])
        progress = self._progress(query)
        now = self._context.opened_at  # a clock that once went ahead must not count days as asked that have not come
        done = (window.span for window in stored if window.is_done)
        progress.done = merge_spans(Span(span.start, min(span.end, now)) for span in done)
        progress.open = {window.span: window for window in stored if not window.is_done}
        asked_until = progress.done[-1].end if progress.done else None
        endpoint = connector.endpoints[query.endpoint]
        if endpoint.is_conditional:  # its one page is what it is, whatever was asked before
            progress.open = {}
            return [Task(query, wanted, asked_until=asked_until, order=order)]
        overlap = timedelta(hours=self._sources[query.source].overlap_hours)
        begun = [span for span in progress.open if span.start < wanted.end and span.end > wanted.start]
        rest = subtract(wanted, [*still_trusted(progress.done, overlap), *begun])
        resumed = [
            Task(query, span, progress.open[span].cursor, progress.open[span].n_read, asked_until=asked_until, order=order)
            for span in begun
        ]  # fmt: skip
        return resumed + [Task(query, span, asked_until=asked_until, order=order) for span in rest]

    def led_to(self, source: ApiSource, country: str | None) -> list[Task]:
        """Queries that pages led to in an earlier run and that were not finished, as far as they would still be asked."""
        with reading(self._context.engine) as connection:
            windows = collecting.open_questions(connection, source.name)
        tasks = []
        targets = {target.url.rstrip("/") for target in source.targets}
        for window in windows:
            query = Query(**(window.question or {}))
            if query.endpoint not in source.endpoints or query.target.rstrip("/") not in targets:
                continue
            if country is not None and query.country not in {None, country}:
                continue
            self._led_to.add(query.key)
            self._progress(query).open[window.span] = window
            tasks.append(self._taken_up(query, window))
        return tasks

    def _taken_up(self, query: Query, window: StoredWindow) -> Task:
        """One that has not begun goes to the end of this run: what leads to it again finds it asked for already."""
        if window.cursor is not None:
            return Task(query, window.span, window.cursor, window.n_read)
        self._progress(query).open.pop(window.span)
        return Task(query, Span(window.span.start, max(window.span.end, self._context.run.started_at)))

    def answered_before(self, query_key: str) -> list[Span]:
        """What of a query is answered by now, in this run or an earlier one."""
        return list(self._known[query_key].done) if query_key in self._known else []

    def conditions(self, query: Query) -> dict[str, str]:
        """``If-None-Match`` and ``If-Modified-Since`` (RFC 9110, section 13) from the last good answer."""
        if not self._whole_lookback:
            return {}  # a backfill wants the posts of certain days, whether or not the page is new
        with reading(self._context.engine) as connection:
            etag, last_modified = collecting.get_validators(connection, query.key)
        wanted = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        return {name: value for name, value in wanted.items() if value}

    def spend(self, source: str, units: int) -> None:
        """Count units of its daily quota, or raise ``BudgetSpentError``."""
        spend_units(self._context.engine, self._sources[source], units, now=self._context.opened_at)

    def keep(self, task: Task, page: Page, posts: Sequence[Post], then: Next, validators: Validators) -> None:
        """Posts first, then progress: a kill between the two asks the page again and changes nothing."""
        self.spool.put(posts)
        source = task.query.source
        stones = [tombstone_of_post(self._key, source, native) for native in page.gone]
        stones += [tombstone_of_author(self._key, source, author) for author in page.gone_authors]
        touched = {task.query.key: self._progress(task.query)}
        touched[task.query.key].open.pop(task.span, None)
        touched[task.query.key].done = merge_spans([*touched[task.query.key].done, *then.done, *_settled(then.missing)])
        for following in then.tasks:
            progress = self._progress(following.query)
            if following.query.key != task.query.key:
                self._led_to.add(following.query.key)
            touched[following.query.key] = progress
            if following.cursor is not None or following.query.key in self._led_to:
                progress.open[following.span] = self._window(following)
        now = self._context.run.started_at
        with writing(self._context.engine) as connection:
            for progress in touched.values():
                self._write(connection, progress)
            if stones:
                erasing.add_tombstones(connection, stones, now=now)
            if self._whole_lookback and not then.tasks:
                known = validators if not _holds_newer(page, task.span) else Validators()
                collecting.set_validators(
                    connection, task.query.key, etag=known.etag, last_modified=known.last_modified, now=now,
                )  # fmt: skip
        if self.spool.n_posts >= self._context.settings.runtime.collect.chunk_posts:
            self.merge()

    def finish(self, task: Task, missing: Missing | None) -> None:
        """Unchanged and *no such thing* are answers; everything else stays open for the next run."""
        progress = self._progress(task.query)
        if missing is None or missing.reason is GapReason.NO_DATA:
            progress.open.pop(task.span, None)
            progress.done = merge_spans([*progress.done, task.span])
        elif task.cursor is not None or task.query.key in self._led_to:
            progress.open[task.span] = self._window(task)  # one that has not begun is found missing by itself
        with writing(self._context.engine) as connection:
            self._write(connection, progress)

    def merge(self) -> None:
        """The spool into the lake, without what its authors have deleted."""
        context = self._context
        self.merged += merge_spooled(context.settings, context.workdir, context.engine, self.spool)

    def _progress(self, query: Query) -> Progress:
        return self._known.setdefault(query.key, Progress(query))

    def _window(self, task: Task) -> StoredWindow:
        question = None
        if task.query.key in self._led_to:
            question = {name: value for name, value in asdict(task.query).items() if name != "span"}
        return StoredWindow(task.span, task.cursor, n_read=task.n_read, question=question)

    def _write(self, connection: Connection, progress: Progress) -> None:
        windows = [StoredWindow(span, is_done=True) for span in progress.done]
        # what is begun inside a stretch already done is an overlap asked again: nothing is lost if that starts anew
        windows += [progress.open[span] for span in sorted(progress.open) if not covers(progress.done, span)]
        collecting.replace_windows(
            connection, progress.query.key, progress.query.source, windows, now=self._context.run.started_at
        )


def _holds_newer(page: Page, span: Span) -> bool:
    """True if the page has posts from after the stretch: they are left to the next run, which must not be told *unchanged*."""
    return any(post.created_at is not None and post.created_at >= span.end for post in page.posts)


def _settled(missing: Sequence[Missing]) -> list[Span]:
    """What a source says it does not have need not be asked again."""
    return [gap.span for gap in missing if gap.reason is GapReason.NO_DATA]


def merge_spooled(settings: Settings, workdir: Workdir, engine: Engine, spool: Spool) -> Merged:
    """Whatever waits in the spool, of any source, into the lake; deletions heard of meanwhile are kept out."""
    with reading(engine) as connection:
        tokens = {source.name: erasing.known_tokens(connection, source.name) for source in settings.sources}
    is_deleted = _deletion_check(workdir.pseudonym_key(), tokens) if any(tokens.values()) else lambda post: False
    return merge_spool(
        Lake(workdir.lake), spool, chunk_posts=settings.runtime.collect.chunk_posts, is_deleted=is_deleted
    )


def _deletion_check(key: bytes, tokens: dict[str, frozenset[str]]) -> Callable[[Post], bool]:
    """Whether a post was deleted: search indexes go on serving posts for a while."""

    def is_deleted(post: Post) -> bool:
        known = tokens.get(post.source)
        if not known:
            return False
        return post_token(key, post.post_id) in known or (
            post.author is not None and author_token(key, post.author) in known
        )

    return is_deleted
