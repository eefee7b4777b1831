"""Settings: a mistake in ``config/`` names the file, the key and the legal values."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from screener.errors import ConfigError, UnknownCodeError
from screener.settings import Settings, find_shipped, load_settings
from screener.settings.sources import KINDS, ApiSource

Edit = Callable[[str, str, str], Path]


@pytest.fixture
def edit(config_folder: Path, tmp_path: Path) -> Edit:
    """Copies ``config/`` and replaces one text in one file."""
    folder = tmp_path / "config"
    shutil.copytree(config_folder, folder)

    def change(file: str, old: str, new: str) -> Path:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} no longer holds {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return change


def test_shipped_config_loads(settings: Settings) -> None:
    assert len(settings.labels) == 19
    assert settings.watch("TH", "poultry") is not None
    assert settings.watch("SE", "poultry") is None
    assert {source.name for source in settings.sources} >= {"demo", "file-drop", "rss"}
    assert {source.kind for source in settings.sources} == {"file", *KINDS}
    assert set(settings.runtime.classify.thresholds) <= {*settings.label_ids, "relevance", "positive"}


def test_shipped_sources_ask_nobody_before_somebody_has_switched_them_on(settings: Settings) -> None:
    assert [source.name for source in settings.sources if source.enabled] == []


def test_shipped_labels_that_are_no_violation_weigh_nothing(settings: Settings) -> None:
    assert all(label.severity == 0 for label in settings.labels if not label.violation)
    assert all(label.severity > 0 for label in settings.labels if label.violation)


@pytest.mark.parametrize(
    ("file", "old", "new", "parts"),
    [
        pytest.param("screener.toml", "min_letters = ", "min_leters = ", ["detect_language.min_leters", "unknown key", "min_confidence, min_letters"], id="typo"),
        pytest.param("screener.toml", "elevated = ", "elevate = ", ["aggregate.bands.elevate", "elevated, high, severe"], id="typo-nested"),
        pytest.param("screener.toml", "[publish]", "[publsh]", ["publsh", "unknown key", "housekeeping", "publish"], id="typo-table"),
        pytest.param("watches.toml", 'reason = "', 'reson = "', ["watches.0.reson", "migrant_languages", "reason"], id="typo-in-list"),
        pytest.param("sources/file-drop.toml", 'text = "text"', 'txt = "text"', ["columns.txt", "unknown key", "created_at"], id="typo-in-source"),
        pytest.param("sources/rss.toml", "enabled = false", "enable = false", ["enable", "unknown key", "endpoints", "targets"], id="typo-in-api-source"),
        pytest.param("sources/rss.toml", "[limits]", "[limit]", ["limit", "unknown key", "limits"], id="typo-in-source-table"),
        pytest.param("sources/rss.toml", "seconds_between_requests = 1.0", "seconds = 1.0", ["limits.seconds", "unknown key", "max_requests_per_run"], id="typo-in-limits"),
        pytest.param("sources/rss.toml", "lookback_days = 3650", "lookback_days = 0", ["lookback_days", "greater than 0"], id="no-lookback"),
        pytest.param("sources/rss.toml", "overlap_hours = 0", "overlap_hours = -1", ["overlap_hours", "greater than or equal to 0"], id="overlap-below-zero"),
        pytest.param("sources/rss.toml", 'endpoints = ["feed"]', "", ["endpoints", "is missing"], id="no-endpoints"),
        pytest.param("screener.toml", "draws = ", 'draws = "many" # ', ["aggregate.draws", "integer", "'many'"], id="wrong-type"),
        pytest.param("screener.toml", "min_confidence = ", "min_confidence = 35 # ", ["detect_language.min_confidence", "less than or equal to 1", "35"], id="out-of-range"),
        pytest.param("screener.toml", "draws = ", "# draws = ", ["aggregate.draws", "is missing"], id="missing-key"),
        pytest.param("screener.toml", "high = ", "high = 0.5 # ", ["aggregate.bands", "elevated < high < severe"], id="bands-fall"),
        pytest.param("screener.toml", "[classify.thresholds]\n", "[classify.thresholds]\nlow_pai = { default = 0.4 }\n", ["classify.thresholds.low_pai", "unknown label", "low_pay", "relevance"], id="threshold-label"),
        pytest.param("screener.toml", "[classify.thresholds]\n", "[classify.thresholds]\nlow_pay = { defualt = 0.4 }\n", ["classify.thresholds.low_pay.defualt", "unknown language", "default"], id="threshold-language"),
        pytest.param("screener.toml", 'model = "signals', 'model = "../x" # ', ["classify.model", "../x"], id="model-outside"),
        pytest.param("watches.toml", 'sector = "poultry"', 'sector = "poltry"', ["watches.TH/poltry.sector", "'poltry' is unknown", "poultry"], id="unknown-sector"),
        pytest.param("watches.toml", 'country = "TH"', 'country = "Thailand"', ["watches.0.country", "ISO 3166-1"], id="unknown-country"),
        pytest.param("watches.toml", 'languages = ["th"]', 'languages = ["th", "zh-cn"]', ["watches.0.languages", "write it as 'zh'"], id="language-alias"),
        pytest.param("watches.toml", 'languages = ["th"]', 'languages = ["th", "sv"]', ["watches.0", "no queries for sv"], id="no-queries"),
        pytest.param("watches.toml", 'languages = ["th"]', "languages = []", ["watches.0", "queries for th", "migrant_languages"], id="stray-queries"),
        pytest.param("taxonomy.toml", 'cluster = "Forced Labour"', 'cluster = "Force"', ["labels.0.cluster", "legal values", "Forced Labour"], id="unknown-cluster"),
        pytest.param("taxonomy.toml", 'id = "deception"', 'id = "isolation"', ["labels.id", "'isolation' stands twice"], id="label-twice"),
        pytest.param("sectors.toml", 'isic = ["0146"', 'isic = ["146"', ["sectors.0.isic.0", "146"], id="isic-zero-lost"),
        pytest.param("sources/rss.toml", 'kind = "rss"', 'kind = "atom"', ["kind", "'atom'", "legal values: file, bluesky,", "rss,", "youtube"], id="unknown-kind"),
        pytest.param("sources/rss.toml", 'kind = "rss"', "", ["kind", "is missing", "legal values: file, bluesky,"], id="no-kind"),
        pytest.param("sources/rss.toml", 'name = "rss"', 'name = "rs"', ["name", "must equal the file's name", "legal values: rss"], id="name-is-not-file"),
        pytest.param("lexicon/th.toml", 'language = "th"', 'language = "lo"', ["language", "must equal the file's name", "legal values: th"], id="lexicon-is-not-file"),
        pytest.param("lexicon/th.toml", "low_pay = ", "low_pai = ", ["labels.low_pai", "unknown label", "low_pay"], id="lexicon-label"),
        pytest.param("screener.toml", "[publish]", "[publish", ["file", "is not TOML", "line"], id="not-toml"),
    ],
)  # fmt: skip
def test_load_settings_names_file_key_and_legal_values(
    edit: Edit, file: str, old: str, new: str, parts: list[str]
) -> None:
    folder = edit(file, old, new)
    with pytest.raises(ConfigError) as caught:
        load_settings(folder)
    message = str(caught.value)
    assert message.startswith(f"{folder / file}: ")
    assert [part for part in parts if part not in message] == [], message
    assert caught.value.exit_status == 2
    assert "\n" not in message.removesuffix("\n")


def test_load_settings_refuses_a_watch_that_stands_twice(edit: Edit) -> None:
    folder = edit(
        "watches.toml", 'country = "BD"\nsector = "textiles-garments"', 'country = "CN"\nsector = "textiles-garments"'
    )
    with pytest.raises(ConfigError, match=r"watches\.toml: watch: 'CN/textiles-garments' stands twice"):
        load_settings(folder)


SOURCE = """
kind = "mastodon"
name = "mastodon"
enabled = true
endpoints = ["tag"]
lookback_days = 30
overlap_hours = 6
refresh_days = 14
min_posts_per_week = 1
[limits]
max_requests_per_run = 100
seconds_between_requests = 2.0
[credentials]
token = "SCREENER_TOKEN"
[[targets]]
url = "https://union.example"
country = "TH"
sector = "poultry"
language = "th"
reason = "Invented."
credentials = { key = "SCREENER_KEY" }
"""


@pytest.fixture
def load_source(edit: Edit) -> Callable[..., Settings]:
    """Loads the configuration with this text in place of ``mastodon.toml``."""

    def load(text: str) -> Settings:
        folder = edit("sources/mastodon.toml", "", "")
        (folder / "sources" / "mastodon.toml").write_text(text, encoding="utf-8")
        return load_settings(folder)

    return load


Load = Callable[..., Settings]


def test_source_is_read_with_its_targets_limits_and_the_names_of_its_credentials(load_source: Load) -> None:
    (source,) = (found for found in load_source(SOURCE).sources if found.name == "mastodon")
    assert isinstance(source, ApiSource)
    assert (source.kind, source.endpoints, source.limits.max_requests_per_run) == ("mastodon", ("tag",), 100)
    assert (source.limits.max_units_per_day, source.is_news, source.approval) == (None, False, None)
    (target,) = source.targets
    assert (target.url, target.country, target.sector) == ("https://union.example", "TH", "poultry")
    assert (source.credentials.token, target.credentials.key) == ("SCREENER_TOKEN", "SCREENER_KEY")


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('sector = "poultry"', 'sector = "poltry"', "sector: 'poltry' is unknown"),
        ("https://", "ftp://", "targets.0.url"),
        ("https://union.example", "https://union example", "targets.0.url"),
        ("https://union.example", "https://union.example:port", "targets.0.url"),
        ("https://union.example", "https://[union.example", "targets.0.url"),
        ("[credentials]", 'quota_timezone = "Mars/Phobos"\n[credentials]', "limits.quota_timezone: Value error, unknown time zone"),
        ('country = "TH"', 'country = "XX"', "targets.0.country"),
        ('language = "th"', 'language = "thai"', "targets.0.language"),
        ('reason = "Invented."', "", "targets.0.reason: is missing"),
        ('reason = "Invented."', 'reasons = "Invented."', "targets.0.reasons: unknown key; legal values: country, credentials"),
        ("max_requests_per_run = 100", "max_requests_per_run = 0", "limits.max_requests_per_run"),
        ("seconds_between_requests = 2.0", "seconds_between_requests = -1.0", "limits.seconds_between_requests"),
        ('kind = "mastodon"', 'kind = "file"', "unknown key"),
    ],
)  # fmt: skip
def test_load_settings_checks_sources(load_source: Load, old: str, new: str, part: str) -> None:
    assert old in SOURCE
    with pytest.raises(ConfigError) as caught:
        load_source(SOURCE.replace(old, new, 1))
    assert "sources/mastodon.toml: " in str(caught.value)
    assert part in str(caught.value)


SECRET = "ghp" + "_0123456789abcdef"  # in two pieces: a traceback shows the lines of this file as well


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"SCREENER_TOKEN"', f'"{SECRET}"', "credentials"),
        ('"SCREENER_KEY"', f'"{SECRET}"', "targets.0.credentials"),
        ('token = "SCREENER_TOKEN"', f'tokn = "{SECRET}"', "credentials"),
        ('token = "SCREENER_TOKEN"', f'token = ["{SECRET}"]', "credentials.token"),
        ('[credentials]\ntoken = "SCREENER_TOKEN"', f'[[credentials]]\ntoken = "{SECRET}"', "credentials"),
        ('credentials = { key = "SCREENER_KEY" }', f'credentials = "{SECRET}"', "targets.0.credentials"),
        ('reason = "Invented."', f'reason = "Invented."\ntoken = "{SECRET}"', "targets.0.token"),
        ('name = "mastodon"', f'name = "mastodon"\ntoken = "{SECRET}"', "token"),
    ],
)
def test_secret_in_place_of_the_name_of_a_variable_is_refused_and_not_said_again(
    load_source: Load, old: str, new: str, key: str
) -> None:
    assert old in SOURCE
    with pytest.raises(ConfigError) as caught:
        load_source(SOURCE.replace(old, new, 1))
    assert f"mastodon.toml: {key}: " in str(caught.value)
    assert SECRET[:6] not in "".join(traceback.format_exception(caught.value))


def test_secret_in_targets_that_are_written_as_one_table_is_not_said_again(load_source: Load) -> None:
    source, _, target = SOURCE.partition("[[targets]]")
    with pytest.raises(ConfigError, match=r"mastodon\.toml: targets: ") as caught:
        load_source(f"{source}[targets]{target.replace('SCREENER_KEY', SECRET)}")
    assert SECRET[:6] not in "".join(traceback.format_exception(caught.value))


def test_password_in_an_address_is_refused_and_not_said_again(load_source: Load) -> None:
    with pytest.raises(ConfigError, match="holds a user name or password") as caught:
        load_source(SOURCE.replace("https://", f"https://somebody:{SECRET}@", 1))
    assert SECRET[:6] not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("written", ["", "lower", "SCREENER-TOKEN", "1TOKEN", "AB", "SCREENER_TOKEN "])
def test_what_can_be_no_name_of_a_variable_is_taken_for_a_secret(load_source: Load, written: str) -> None:
    with pytest.raises(ConfigError, match="'token' must be the NAME of an environment variable"):
        load_source(SOURCE.replace("SCREENER_TOKEN", written, 1))


@pytest.mark.parametrize("file", ["screener.toml", "taxonomy.toml", "sectors.toml", "watches.toml"])
def test_load_settings_names_a_missing_file(edit: Edit, file: str) -> None:
    folder = edit(file, "", "")
    (folder / file).unlink()
    with pytest.raises(ConfigError, match=f"{file}: file: is missing"):
        load_settings(folder)


def test_load_settings_names_a_file_that_is_not_utf8(edit: Edit) -> None:
    folder = edit("sectors.toml", "", "")
    (folder / "sectors.toml").write_bytes("# fjäderfä".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"sectors\.toml: file: is not UTF-8 \(byte 4\)"):
        load_settings(folder)


def test_load_settings_names_a_folder_in_place_of_a_file(edit: Edit) -> None:
    folder = edit("sectors.toml", "", "")
    (folder / "sectors.toml").unlink()
    (folder / "sectors.toml").mkdir()
    with pytest.raises(ConfigError, match=r"sectors\.toml: file: can't be read"):
        load_settings(folder)


def test_load_settings_names_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        load_settings(tmp_path / "nowhere")


def test_load_settings_takes_the_folder_of_the_environment(edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = edit("screener.toml", "draws = ", "draws = 300 # ")
    monkeypatch.setenv("SCREENER_CONFIG", str(folder))
    assert load_settings().runtime.aggregate.draws == 300


def test_find_shipped_works_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_folder: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_shipped("config") == config_folder
    with pytest.raises(ConfigError, match="no such folder"):
        find_shipped("no-such-thing")


def test_config_hash_changes_with_any_file_and_stays_otherwise(edit: Edit, settings: Settings) -> None:
    folder = edit("screener.toml", "", "")
    assert load_settings(folder).sha256 == settings.sha256
    edit("lexicon/th.toml", "work = [", "# a comment\nwork = [")
    assert load_settings(folder).sha256 != settings.sha256


def test_settings_sector_names_the_legal_slugs(settings: Settings) -> None:
    assert settings.sector("poultry").slug == "poultry"
    with pytest.raises(UnknownCodeError, match="did you mean poultry"):
        settings.sector("poltry")
