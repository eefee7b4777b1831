"""Every error that Screener raises on purpose, grouped by what the caller would do.

* ``ScreenerError``
    * ``UsageError``: exit 2; the command or its input is wrong, nothing was done
        * ``ConfigError``: a config file, key or value
        * ``UnknownCodeError``: a country, sector, language or label code
    * ``RunError``: exit 1; work was started and failed, what was kept is said
        * ``SourceError``
            * ``TransientSourceError``: try again later
                * ``PausedError``: it is left alone for a while, nothing was asked
            * ``TerminalSourceError``: do not try again without a change
                * ``RefusedError``: it doesn't let us (401, 403, closed timeline)
                * ``NoDataError``: it has no such thing (404, unknown tag)
                * ``BudgetSpentError``: our limit or its quota is spent
        * ``ParseError``: a page or file is not what it claims to be
        * ``ModelError``: a model folder is missing, tampered with or made by other versions
        * ``StoreError``: results store locked, newer than the code, or unreachable
        * ``AssertionFailed``: a data assertion before publishing
        * ``ReviewError``: a decision or release that the review rules refuse
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from screener.records import GapReason


class ScreenerError(Exception):
    """Base of all; ``exit_status`` is what the CLI returns (0 success, 1 failed run, 2 usage or config)."""

    exit_status = 1


class UsageError(ScreenerError):
    """The command, its arguments or its input file is wrong; nothing was changed."""

    exit_status = 2


class ConfigError(UsageError):
    """A config file is wrong; names the file, the key and, where there are any, the legal values."""

    def __init__(self, file: Path | str, key: str, problem: str, *, legal: Iterable[str] = ()) -> None:
        self.file, self.key, self.problem, self.legal = str(file), key, problem, tuple(legal)
        known = f"; legal values: {', '.join(self.legal)}" if self.legal else ""
        super().__init__(f"{self.file}: {key}: {problem}{known}")


class UnknownCodeError(UsageError):
    """A code that no table knows; lists near matches, or all legal values where they are few."""

    def __init__(self, kind: str, value: str, legal: Iterable[str]) -> None:
        self.kind, self.value, self.legal = kind, value, tuple(sorted(legal))
        near = difflib.get_close_matches(value, self.legal, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else ""
        if len(self.legal) <= 40:
            hint = f"{hint} legal values: {', '.join(self.legal)}".strip()
        super().__init__(f"unknown {kind} '{value}'; {hint or 'see the docs for the code list'}")


class RunError(ScreenerError):
    """A run that started and could not finish."""


class SourceError(RunError):
    """A source could not be read; ``gap`` is the reason that the gap ledger keeps."""

    gap = GapReason.ERROR


class TransientSourceError(SourceError):
    """The source may answer later (time-out, 429, 5xx); ``retry_after`` is what it asked for, in seconds, if it did."""

    def __init__(self, problem: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(problem)


class PausedError(TransientSourceError):
    """The host failed so often that it is left alone for now; nothing was asked."""

    gap = GapReason.PAUSED


class TerminalSourceError(SourceError):
    """The source will not answer the same request (malformed, refused, gone)."""


class RefusedError(TerminalSourceError):
    """The source doesn't let us: no or wrong credentials, a closed timeline, robots or terms."""

    gap = GapReason.REFUSED


class NoDataError(TerminalSourceError):
    """The source answered that it has no such thing: an unknown hashtag, a feed or author that is gone."""

    gap = GapReason.NO_DATA


class BudgetSpentError(TerminalSourceError):
    """Our own limit, or the source's quota, is spent; the rest waits for the next run."""

    gap = GapReason.BUDGET


class ParseError(RunError):
    """A page or file is not what it claims to be."""

    def __init__(self, where: str, problem: str) -> None:
        self.where, self.problem = where, problem
        super().__init__(f"{where}: {problem}")


class ModelError(RunError):
    """A model folder is missing, incomplete, tampered with, or was made by other library versions."""


class StoreError(RunError):
    """The results store is locked, unreachable, or newer than this code."""


class AssertionFailed(RunError):  # noqa: N818  (the field's word: a data assertion fails)
    """A data assertion stopped publishing; nothing was published."""


class ReviewError(RunError):
    """The review rules refuse a decision or a release."""
