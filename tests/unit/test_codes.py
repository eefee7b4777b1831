"""Codes: what is accepted, how it is normalised, and what is said about the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.codes import (
    ALIASES,
    SCRIPT_VARIANTS,
    countries,
    country_name,
    is_language,
    language_name,
    languages,
    parse_country,
    parse_language,
)
from screener.errors import UnknownCodeError
from screener.settings import Settings

TAGS = st.builds(
    lambda base, script, region: "-".join(piece for piece in (base, script, region) if piece),
    st.sampled_from(sorted(languages() | set(ALIASES))),
    st.sampled_from(["", "Latn", "latn", "Hans"]),
    st.sampled_from(["", "MA", "pk", "419"]),
)


@pytest.mark.parametrize(("written", "code"), [("TH", "TH"), (" th ", "TH"), ("pK", "PK"), ("ZZ", "ZZ"), ("xk", "XK")])
def test_parse_country_normalises(written: str, code: str) -> None:
    assert parse_country(written) == code


@pytest.mark.parametrize("written", ["", "T", "THA", "Thailand", "EU", "UN", "QO", "12", "T1"])
def test_parse_country_refuses_what_is_no_country(written: str) -> None:
    with pytest.raises(UnknownCodeError, match="ISO 3166-1 alpha-2") as caught:
        parse_country(written)
    assert caught.value.exit_status == 2


def test_parse_country_suggests_near_codes() -> None:
    with pytest.raises(UnknownCodeError, match="did you mean"):
        parse_country("THA")


@given(st.sampled_from(sorted(countries())), st.booleans())
def test_parse_country_is_idempotent(code: str, lower: bool) -> None:
    assert parse_country(parse_country(code.lower() if lower else code)) == code


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("ar-MA", "ar"), ("zh-cn", "zh"), ("zh-Hant-TW", "zh"), ("hi-latn", "hi-Latn"), ("hi_Latn_IN", "hi-Latn"), ("ur-Latn-PK", "ur-Latn"),
        ("fil", "tl"), ("iw", "he"), ("in-ID", "id"), ("nb-NO", "no"), ("prs", "fa"), ("und", "und"), ("EN", "en"), ("de-Latn", "de"), (" my ", "my"),
    ],
)  # fmt: skip
def test_parse_language_normalises(tag: str, code: str) -> None:
    assert parse_language(tag) == code


@pytest.mark.parametrize("tag", ["", "-", "x", "klingon", "q1", "12", "เเ"])
def test_parse_language_refuses_what_is_no_language(tag: str) -> None:
    with pytest.raises(UnknownCodeError, match="BCP 47"):
        parse_language(tag)


@given(TAGS)
def test_parse_language_is_idempotent(tag: str) -> None:
    code = parse_language(tag)
    assert parse_language(code) == code
    assert is_language(code)


def test_aliases_lead_to_codes_that_need_no_alias() -> None:
    assert all(is_language(code) for code in ALIASES.values())


def test_every_watched_code_has_a_name_in_both_languages(settings: Settings) -> None:
    for watch in settings.watches:
        for locale in ("en", "sv"):
            assert country_name(watch.country, locale) != watch.country
            assert all(language_name(code, locale) != code for code in watch.expected_languages)


@pytest.mark.parametrize("code", SCRIPT_VARIANTS)
def test_language_name_says_that_a_form_is_romanised(code: str) -> None:
    assert "romanised" in language_name(code)
    assert "latinsk" in language_name(code, "sv")


def test_unknown_code_lists_all_legal_values_where_they_are_few() -> None:
    error = UnknownCodeError("sector", "poltry", ["poultry", "vegetables"])
    assert "did you mean poultry?" in str(error)
    assert "legal values: poultry, vegetables" in str(error)
