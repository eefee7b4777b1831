"""The packaged weights and what reads texts with them, loaded once."""

from __future__ import annotations

import pytest

from screener.classify.encoder import Reader
from screener.classify.packaged import PackagedE5


@pytest.fixture(scope="session")
def packaged() -> PackagedE5:
    return PackagedE5()


@pytest.fixture(scope="session")
def reader(packaged: PackagedE5) -> Reader:
    return Reader(packaged)
