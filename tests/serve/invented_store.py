"""A results store with invented figures: every band, a suppressed cell, and evidence in three scripts, one of it hostile."""

from __future__ import annotations

from datetime import UTC, date, datetime

from screener.records import Coverage, Indicator, LabelShare, Versions
from screener.settings import Settings
from screener.store import results, reviews, runs
from screener.store.database import open_store, store_url, writing
from screener.workdir import Workdir

NOW = datetime(2026, 9, 30, 7, 0, tzinfo=UTC)
RUN_ID = "20260930T070000-4f1c2b7a"
VERSIONS = Versions("0.1", "signals/1", "1.0", "1b7e" * 16, "0.1.0")
FIGURES = {
    ("TH", "poultry"): (47.2, 38.4, 56.0, "high", 0.86),
    ("MY", "examination-gloves"): (66.1, 58.0, 74.9, "severe", 0.93),
    ("BD", "textiles-garments"): (52.0, 41.5, 62.2, "high", 0.88),
    ("CN", "textiles-garments"): (61.0, 30.2, 84.4, "severe", 0.52),
    ("ES", "vegetables"): (33.4, 24.1, 42.0, "elevated", 0.94),
    ("DE", "warehousing"): (12.8, 7.1, 19.9, "low", 0.97),
    ("PL", "road-freight"): (24.0, 15.0, 34.4, "elevated", 0.78),
    ("QA", "construction"): (58.9, 49.0, 68.3, "high", 0.57),
    ("CN", "gig-delivery"): (29.7, 21.3, 39.0, "elevated", 0.96),
}
SUPPRESSED = {("PK", "surgical-instruments"): "too-few-voices", ("MY", "electronics"): "too-few-posts"}
HOSTILE = '<script>alert("x")</script> no salary for three months'


def labels(settings: Settings) -> tuple[LabelShare, ...]:
    """All labels of the taxonomy: most told of by nobody, one hidden."""
    told = {
        "wage_withholding": (21, 0.31, 0.21, 0.43),
        "excessive_overtime": (14, 0.21, 0.13, 0.32),
        "collective_action": (6, 0.09, 0.04, 0.18),
    }
    return tuple(
        LabelShare(label, None, None, None, None, suppressed=True)
        if label == "child_labour"
        else LabelShare(label, *told.get(label, (0, 0.0, 0.0, 0.05)), suppressed=False)
        for label in settings.label_ids
    )


def cell(key: tuple[str, str], settings: Settings, *, invented: bool = True) -> Indicator:
    watch = settings.watch(*key)
    expected = watch.expected_languages if watch else ()
    shown = key in FIGURES
    index, low, high, band, probability = FIGURES.get(key, (None, None, None, "insufficient_evidence", None))
    level = {"TH": "partial", "DE": "good", "MY": "good"}.get(key[0], "thin") if shown else "none"
    coverage = Coverage(level, 2, 11, 13, expected[:2], expected[2:])
    return Indicator(
        country=key[0],
        sector=key[1],
        period_start=date(2026, 7, 1),
        period_end=date(2026, 9, 30),
        n_posts=1840 if shown else 6,
        n_relevant_posts=92 if shown else None,
        n_voices=68 if shown else None,
        n_undated=3,
        index=index,
        index_low=low,
        index_high=high,
        band=band,
        band_probability=probability,
        labels=labels(settings) if shown else (),
        coverage=coverage,
        suppression=SUPPRESSED.get(key),
        n_positive_voices=4 if shown else None,
        n_adverts=11 if shown else None,
        invented=invented,
    )


def quote(
    post_id: str, language: str, text: str, marked: str, label: str = "wage_withholding", **changes: object
) -> results.EvidenceRow:
    start = text.index(marked)
    span = {"label": label, "start": start, "end": start + len(marked), "found_by": "lexicon"}
    values: dict[str, object] = {
        "country": "TH",
        "sector": "poultry",
        "voice": "testimony",
        "relevance": 0.97,
        "week": "2026-W34",
        "invented": True,
    }
    return results.EvidenceRow(
        post_id=post_id, language=language, text=text, signals={label: 0.93}, spans=(span,), **{**values, **changes}
    )


QUOTES = [
    quote("a" * 32, "th", "โรงงานไก่ไม่จ่ายเงินเดือนสามเดือนแล้ว โทร [phone]", "ไม่จ่ายเงินเดือน"),
    quote("b" * 32, "my", "ကြက်စက်ရုံက လစာမပေးတာ သုံးလရှိပြီ", "လစာမပေး", relevance=0.95),
    quote("c" * 32, "ar", "المصنع لم يدفع الرواتب منذ ثلاثة أشهر", "لم يدفع الرواتب", relevance=0.9, voice="report"),
    quote("d" * 32, "en", HOSTILE, "no salary", relevance=0.85, week=None),
    quote("e" * 32, "km", "ធ្វើការ ១៤ ម៉ោងក្នុងមួយថ្ងៃ គ្មានថ្ងៃឈប់", "១៤ ម៉ោង", "excessive_overtime", relevance=0.8),
]  # fmt: skip


def fill(workdir: Workdir, settings: Settings, *, invented: bool = True, released: bool = False) -> None:
    """Write one finished run into the workdir's store."""
    engine = open_store(store_url(workdir.ensure()))
    rows = [cell(key, settings, invented=invented) for key in (*FIGURES, *SUPPRESSED)]
    rows.append(cell(("ZZ", "unspecified"), settings))
    with writing(engine) as connection:
        runs.begin_run(connection, arguments="test", now=NOW, run_id=RUN_ID)
        results.replace_results(connection, RUN_ID, rows, QUOTES, VERSIONS)
        runs.finish_run(connection, RUN_ID, status=runs.SUCCESS, now=NOW)
        if released:
            reviews.add_release(
                connection, reviews.Release("2026-09-30-4f1c2b7a", RUN_ID, "Expert group", NOW, "9f2c" * 16, "{}")
            )
    engine.dispose()
