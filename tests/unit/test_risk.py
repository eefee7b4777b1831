"""The buyer's answer: which sectors a CPV code means, and what a figure can't say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.errors import UnknownCodeError, UsageError
from screener.records import Coverage, Indicator, LabelShare
from screener.risk import TEXTS, RiskAnswer, answer, sectors_of_cpv, top_labels
from screener.settings import Settings

INDICATOR = Indicator(
    "MY", "examination-gloves", None, None, 300, 60, 40, 0, 41.5, 30.0, 52.5, "high", 0.61,
    (LabelShare("low_pay", 4, 0.1, 0.0, 0.2, False), LabelShare("debt_bondage", 8, 0.2, 0.1, 0.3, False),
     LabelShare("child_labour", None, None, None, None, True), LabelShare("isolation", 0, 0.0, 0.0, 0.1, False)),
    Coverage("thin", 1, 1, 8, (), ()),
)  # fmt: skip


def ask(indicator: Indicator | None, *, watched: bool = True) -> RiskAnswer:
    return answer(
        indicator,
        country="MY",
        sector="examination-gloves",
        matched_by="sector",
        watched=watched,
        run_id=None,
        release=None,
        versions=None,
    )


@pytest.mark.parametrize("code", ["33141420", "33141420-0", " 33141420 "])
def test_cpv_of_gloves(settings: Settings, code: str) -> None:
    assert sectors_of_cpv(code, settings.sectors) == ("examination-gloves",)


def test_broader_cpv_code_means_every_sector_below(settings: Settings) -> None:
    assert "examination-gloves" in sectors_of_cpv("33140000", settings.sectors)
    assert len(sectors_of_cpv("33000000", settings.sectors)) > 1


@pytest.mark.parametrize("code", ["", "3314", "331400001", "3314000x", "glove"])
def test_malformed_cpv_code_is_a_usage_error(settings: Settings, code: str) -> None:
    with pytest.raises(UsageError, match="eight digits"):
        sectors_of_cpv(code, settings.sectors)


def test_cpv_code_of_no_watched_sector_is_unknown(settings: Settings) -> None:
    with pytest.raises(UnknownCodeError, match="CPV code"):
        sectors_of_cpv("22000000", settings.sectors)


def test_every_listed_code_leads_to_its_sector(settings: Settings) -> None:
    for sector in settings.sectors:
        assert all(sector.slug in sectors_of_cpv(code, settings.sectors) for code in sector.cpv)


@given(st.integers(0, 99_999_999))
def test_every_code_has_sectors_or_is_unknown(settings: Settings, number: int) -> None:
    try:
        found = sectors_of_cpv(f"{number:08d}", settings.sectors)
    except UnknownCodeError:
        return
    assert found
    assert set(found) <= {sector.slug for sector in settings.sectors}


def test_no_indicator_is_insufficient_evidence_never_low() -> None:
    found = ask(None, watched=False)
    assert (found.band, found.index, found.suppression) == ("insufficient_evidence", None, "not-collected")
    assert found.caveats == ("draft", "silence", "not_watched", "uncorrected")


def test_caveats_say_what_the_figure_cannot() -> None:
    assert ask(INDICATOR).caveats == ("draft", "coverage", "uncorrected")
    assert ask(replace(INDICATOR, invented=True)).caveats[0] == "invented"
    assert "silence" in ask(replace(INDICATOR, index=None)).caveats


def test_top_labels_are_those_told_most_and_shown() -> None:
    assert [label.label for label in top_labels(INDICATOR)] == ["debt_bondage", "low_pay"]
    assert [label.label for label in top_labels(INDICATOR, limit=1)] == ["debt_bondage"]


def test_every_caveat_has_words_in_both_languages() -> None:
    assert all(set(texts) == {"en", "sv"} for texts in TEXTS.values())
