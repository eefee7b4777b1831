"""Connectors by the ``kind`` that a source's TOML names."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from screener.collect.connector import Connector
from screener.settings.sources import KINDS


def connector_of(kind: str) -> Connector:
    """The connector of this kind; loaded only now, for a run seldom needs them all."""
    if kind not in KINDS:
        raise KeyError(kind)
    return cast("Connector", import_module(f"screener.collect.connectors.{kind}").CONNECTOR)
