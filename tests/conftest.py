"""Fixtures for all tests: the shipped settings, a workdir, and factories of posts. No test needs a network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest

from screener.records import Classification, Evidence, Post, ScreenedPost, Voice
from screener.settings import Settings, load_settings
from screener.workdir import Workdir

REPOSITORY = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

hypothesis.settings.register_profile("screener", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2000)  # pytest --hypothesis-profile=explore
hypothesis.settings.load_profile("screener")


@pytest.fixture(scope="session", autouse=True)
def bare_environment() -> Iterator[None]:
    """The developer's own SCREENER_ variables change no test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [
            name for name in os.environ if name.startswith("SCREENER_") and not name.startswith("SCREENER_TEST_")
        ]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def config_folder() -> Path:
    return REPOSITORY / "config"


@pytest.fixture(scope="session")
def settings(config_folder: Path) -> Settings:
    return load_settings(config_folder)


@pytest.fixture
def workdir(tmp_path: Path) -> Workdir:
    return Workdir(tmp_path / "var").ensure()


@pytest.fixture(scope="session")
def make_post() -> Callable[..., Post]:
    """A post; its id follows from ``name``, or from text, author and source."""

    def make(text: str = "they keep our passports in the office", *, name: str | None = None, **values: object) -> Post:
        identity = name or f"{text}|{values.get('author')}|{values.get('source')}"
        filled = {
            "source": "feed", "collected_at": NOW, "run_id": "run-1", "created_at": datetime(2026, 2, 3, 8, 30, tzinfo=UTC),
            "country": "TH", "sector": "poultry", **values,
        }  # fmt: skip
        return Post(post_id=hashlib.sha256(identity.encode()).hexdigest()[:32], text=text, **filled)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def make_screened(make_post: Callable[..., Post]) -> Callable[..., ScreenedPost]:
    """A screened post; relevant testimony unless said otherwise, flagged with ``labels``."""

    def make(
        text: str = "they keep our passports in the office", *, labels: tuple[str, ...] = (), relevant: bool = True,
        voice: Voice = Voice.TESTIMONY, positive: bool = False, relevance: float = 0.9, language: str = "en",
        evidence: tuple[Evidence, ...] = (), **values: object,
    ) -> ScreenedPost:  # fmt: skip
        answer = Classification(
            relevant=relevant, relevance=relevance, voice=voice, positive=positive,
            signals=tuple((label, 0.8) for label in labels), flagged=labels, evidence=evidence,
        )  # fmt: skip
        return ScreenedPost(make_post(text, **values), language, answer)

    return make
