"""Clients of three servers: a draft of invented posts, a release of real ones, and one before the first run."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from invented_store import fill

from screener.serve.app import create_app
from screener.settings import Settings
from screener.workdir import Workdir

with warnings.catch_warnings():  # starlette would like httpx2, which is not in the lock
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


def open_client(workdir: Workdir, settings: Settings) -> TestClient:
    return TestClient(create_app(settings, workdir), base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture
def client(workdir: Workdir, settings: Settings) -> Iterator[TestClient]:
    fill(workdir, settings)
    with open_client(workdir, settings) as client:
        yield client


@pytest.fixture
def released(workdir: Workdir, settings: Settings) -> Iterator[TestClient]:
    fill(workdir, settings, invented=False, released=True)
    with open_client(workdir, settings) as client:
        yield client


@pytest.fixture
def empty(workdir: Workdir, settings: Settings) -> Iterator[TestClient]:
    with open_client(workdir, settings) as client:
        yield client
