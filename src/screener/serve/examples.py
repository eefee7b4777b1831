"""Examples for the API description: invented figures, kept beside nothing else so that they are easy to correct."""

from __future__ import annotations

from typing import Any

_RELEASE = {
    "release_id": "2026-09-30-4f1c2b7a",
    "signed_by": "Expert group",
    "released_at": "2026-09-30T09:00:00Z",
    "content_sha256": "9f2c" + "0" * 60,
}
_VERSIONS = {
    "methodology": "0.1",
    "model": "signals/1",
    "taxonomy": "1.0",
    "config_sha256": "1b7e" + "0" * 60,
    "code": "0.1.0",
}
_COVERAGE = {
    "level": "partial",
    "n_sources": 2,
    "n_weeks_with_posts": 11,
    "n_weeks": 13,
    "languages_seen": ["my", "th"],
    "languages_missing": ["km"],
}
_LABEL = {
    "label": "wage_withholding",
    "name": "Withholding of wages",
    "n_voices": 21,
    "share": 0.31,
    "share_low": 0.21,
    "share_high": 0.43,
    "suppressed": False,
}
_FIGURES: dict[str, Any] = {
    "country": "TH",
    "sector": "poultry",
    "band": "high",
    "band_probability": 0.86,
    "index": 47.2,
    "index_low": 38.4,
    "index_high": 56.0,
    "n_posts": 1840,
    "n_voices": 68,
    "period_start": "2026-07-01",
    "period_end": "2026-09-30",
    "coverage": _COVERAGE,
    "suppression": None,
    "invented": False,
    "versions": _VERSIONS,
}
_ENVELOPE: dict[str, Any] = {"status": "released", "run_id": "20260930T070000-4f1c2b7a", "release": _RELEASE}

RISK: dict[str, Any] = {
    "answers": [
        {
            **_FIGURES,
            "country_name": "Thailand",
            "sector_name": "Poultry",
            "matched_by": "sector poultry",
            "band_name": "High",
            "top_labels": [_LABEL],
            "caveats": [
                {"key": "uncorrected", "text": "Shares are of voices that spoke about work, not of all workers."}
            ],
            "run_id": _ENVELOPE["run_id"],
            "release": _RELEASE,
        }
    ]
}
INDICATORS: dict[str, Any] = {
    **_ENVELOPE,
    "indicators": [
        {
            **_FIGURES,
            "n_relevant_posts": 92,
            "n_undated": 3,
            "n_positive_voices": 4,
            "n_adverts": 11,
            "labels": [_LABEL],
        }
    ],
}
EVIDENCE: dict[str, Any] = {
    **_ENVELOPE,
    "evidence": [
        {
            "post_id": "7c0d" + "0" * 28,
            "country": "TH",
            "sector": "poultry",
            "language": "en",
            "voice": "testimony",
            "relevance": 0.97,
            "text": "No salary for three months, call [phone]",
            "signals": {"wage_withholding": 0.93},
            "spans": [{"label": "wage_withholding", "start": 0, "end": 26, "found_by": "lexicon"}],
            "week": "2026-W34",
            "invented": True,
        }
    ],
}
SOURCES: dict[str, Any] = {
    "sources": [
        {
            "source": "union-feeds",
            "kind": "rss",
            "is_news": False,
            "state": "failing",
            "told": "1 of 4 queries answered: HTTP 503",
            "is_alarming": True,
            "last_answer": "2026-09-30T05:00:00Z",
            "n_week": 12,
            "n_expected": 41.0,
            "quiet_in": ["my"],
        }
    ]
}
SOURCE_DAYS: dict[str, Any] = {
    "source": "union-feeds",
    "since": "2026-09-16",
    "until": "2026-10-01",
    "days": [
        {
            "country": "TH",
            "sector": "poultry",
            "language": "my",
            "day": "2026-09-29",
            "n_seen": None,
            "n_expected": 6.0,
            "n_asked": 4,
            "n_answered": 1,
            "reason": "error",
            "detail": "HTTP 503",
        }
    ],
}
HEALTH: dict[str, Any] = {
    "store": "reachable",
    "run_id": _ENVELOPE["run_id"],
    "status": "released",
    "release_id": _RELEASE["release_id"],
    "version": "0.1.0",
}
PROBLEM: dict[str, Any] = {
    "type": "about:blank",
    "title": "Not Found",
    "status": 404,
    "detail": "unknown sector 'poltry'; did you mean poultry?",
    "instance": "/v1/risk?country=TH&sector=poltry",
    "legal": ["poultry", "vegetables"],
}
