"""Connectors by the ``kind`` that a source's TOML names; a new source adds one line."""

from screener.collect.connector import Connector
from screener.collect.rss import RssConnector

CONNECTORS: dict[str, Connector] = {"rss": RssConnector()}
