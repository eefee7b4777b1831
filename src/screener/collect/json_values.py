"""Pure: values out of JSON of which nobody knows the shape; what is not there, or is something else, is ``None``."""

from __future__ import annotations

from typing import Any


def inside(value: object, *path: str) -> object:
    """What lies at this path of nested objects, ``None`` where the path breaks off."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def word(value: object, *path: str) -> str | None:
    """The text at this path, ``None`` where there is none or it is empty."""
    found = inside(value, *path)
    return found if isinstance(found, str) and found else None


def table(value: object) -> dict[str, Any]:
    """The JSON object, or an empty one."""
    return value if isinstance(value, dict) else {}
