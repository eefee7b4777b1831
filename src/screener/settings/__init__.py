"""``config/`` as validated, frozen objects."""

from screener.settings.load import Settings, find_shipped, load_settings

__all__ = ["Settings", "find_shipped", "load_settings"]
