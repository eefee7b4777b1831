"""Pools what the n-gram model, CLD2 and the prior say into one probability per language.

A logarithmic opinion pool (Genest and Zidek 1986): logarithms of shares, weighted and added. Weights were chosen on
cross-validated posts of the development set and on a set of posts from other sources (docs/languages.md says which):
on the first CLD2 adds nothing, on the second it is worth 0.015 macro-F1, because it knows the registers that our
material lacks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np

from screener.detect_language.model import Scores, Table, log_softmax
from screener.detect_language.scripts import SHARED
from screener.detect_language.voters import SILENT_CLD2, cld2

PRIOR_ODDS = 19.0
"""By how much a full prior multiplies the odds of a language against one that nobody expects. So an answer that has
more than 19 : 1 without it (confidence over 0.95) never changes."""
SURE = 0.98
"""From this share on CLD2 is not asked: it would change 1 answer in 400, and costs as much as the model itself."""
_CLD2 = 1.0
"""Weight of CLD2's word against the model's; between 0.7 and 1.2 macro-F1 stays within 0.001."""
_NO_VOTE = 0.5
"""Added to CLD2's shares: what a language still has when CLD2 names another."""
_SILENT_VOTE = 0.35
"""What a language that CLD2 doesn't know has in its place."""
_ENGLISH = 0.4
"""CLD2 reads English into everything, so its word for English counts less."""
_OUTSIDE = math.log(0.0005)
"""What the model says, in effect, of languages that it never learned: CLD2 alone must name them."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """Log-probabilities, one row a text and one column per entry of ``languages``, and whether CLD2 was asked."""

    languages: tuple[str, ...]
    log_shares: Scores
    asked: Sequence[bool]


def pool(script: str, table: Table, texts: Sequence[str], priors: Sequence[Mapping[str, float]]) -> Pooled:
    """Pooled probabilities of cleaned texts in one shared script; ``priors`` has a weight 0..1 per expected language."""
    languages = (*table.languages, *sorted(SHARED[script].difference(table.languages)))
    own = table.log_shares(texts)
    shares = np.full((len(texts), len(languages)), _OUTSIDE, dtype=np.float32)
    shares[:, : own.shape[1]] = own
    asked = [bool(best < math.log(SURE)) for best in own.max(axis=1)]
    if any(asked):
        shares[asked] += _CLD2 * _votes(script, languages, list(compress(texts, asked)))
    return Pooled(languages, log_softmax(shares + _shifts(languages, priors)), asked)


def _votes(script: str, languages: Sequence[str], texts: Sequence[str]) -> Scores:
    """Logarithms of CLD2's shares."""
    place = {language: column for column, language in enumerate(languages)}
    votes = np.zeros((len(texts), len(languages)), dtype=np.float32)
    for row, text in enumerate(texts):
        for language, share in cld2(text, SHARED[script]).items():
            votes[row, place[language]] = share * (_ENGLISH if language == "en" else 1.0)
    votes += _NO_VOTE
    votes[:, [column for column, language in enumerate(languages) if language in SILENT_CLD2]] = _SILENT_VOTE
    logarithms: Scores = np.log(votes)
    return logarithms


def _shifts(languages: Sequence[str], priors: Sequence[Mapping[str, float]]) -> Scores:
    """What the priors add to the logarithms: at most ``log(PRIOR_ODDS)`` between any two languages."""
    shifts = np.zeros((len(priors), len(languages)), dtype=np.float32)
    for row, prior in enumerate(priors):
        if prior:
            shifts[row] = [prior.get(language, 0.0) for language in languages]
    return shifts * np.float32(math.log(PRIOR_ODDS))
