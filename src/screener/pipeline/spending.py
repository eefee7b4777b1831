"""The quota ledger: units of a source's daily quota, counted before they are spent."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from screener.errors import BudgetSpentError
from screener.settings.sources import ApiSource
from screener.store import collecting
from screener.store.database import Engine, writing


def spend_units(engine: Engine, source: ApiSource, units: int, *, now: datetime) -> None:
    """Count units: what was sent counts at the source, whatever becomes of it here. Negative ones are given back.

    Raises ``BudgetSpentError`` if there are not so many left of the day, as the source's own calendar has it.
    """
    limits = source.limits
    if limits.max_units_per_day is None:
        return
    day = now.astimezone(ZoneInfo(limits.quota_timezone or "UTC")).date()
    with writing(engine) as connection:
        spent = collecting.spent_units(connection, source.name, day)
        if spent + units > limits.max_units_per_day:
            raise BudgetSpentError(
                f"{source.name}: {spent} of {limits.max_units_per_day} units of {day} are spent (limits.max_units_per_day)"
            )
        collecting.add_units(connection, source.name, day, units)
