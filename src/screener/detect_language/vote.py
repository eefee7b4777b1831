"""The weighted vote: n-gram voters, function words and priors add up to one score per language.

Weights were chosen on the development half of the language data (7,016 posts, 45 languages with 20 or more); macro-F1
moved by less than 0.004 when a weight changed by a third, so they need no finer tuning. Re-measure with ``screener
evaluate-language`` after a change.
"""

from __future__ import annotations

import math

from screener.detect_language import ngrams
from screener.detect_language.markers import Marked
from screener.detect_language.romanised import Romanised
from screener.detect_language.scripts import codes
from screener.detect_language.tally import Ballot, Tally, is_minor

CLD2, LANGID, FASTTEXT, LANGDETECT = 0.6, 1.2, 0.4, 0.5
"""Weights of the voters. langdetect is asked last and only in a tie."""
_FASTTEXT_CYRILLIC = 1.2
"""On short Russian CLD2 is often silent and py3langid spreads over all Slavic languages; fastText is sure of it."""
_ROMANISED, _ROMANISED_FULL_SHARE, _ROMANISED_MIN_HITS = 2.5, 0.35, 0.6
_MARKED = {"pcm": (2.6, 0.25), "tw": (2.2, 0.35), "ts": (2.2, 0.4)}
"""Language -> weight of its function words, and the share of them that earns the whole weight."""
_MARKED_MIN_SHARE, _MARKED_MIN_HITS = 0.06, 1.0
_DEVANAGARI, _MALAYIC = 1.5, 1.0
_ONLY_CLD2 = frozenset({"Ethi"})
"""Scripts where the other voters know one language only: they have no Tigrinya and call it Amharic."""
_DOUBTFUL = codes("en id ms hi ne pcm tw ts")
_CLEAR_SHARE, _CLEAR_LEAD, _CLEAR_LETTERS = 0.95, 0.4, 30
"""Where CLD2 gives all of a text to one language outside its weak spots, and no word speaks against it, it is right in
99.4 of 100 cases (2,136 posts of the development half); the slower voters would not do better."""
_TIE = 0.12
_TILT, _SPLIT, _SHORT_LETTERS = 1.5, 0.6, 25
"""A full prior multiplies a score by 1 + ``_TILT``, and only in a text this short or with a lead this small."""


def vote(ballot: Ballot) -> tuple[str | None, float, str]:
    """Best language (``None`` without any vote), confidence 0..1, and the deciding step.

    The step is ``cld2`` where the fastest voter was clear, ``langdetect`` where a tie had to be broken, else ``vote``.
    A voter that can't change the answer is not asked: six posts in ten need CLD2 alone.
    """
    tally, method = Tally(), "cld2"
    shares = ngrams.cld2(ballot.text, ballot.allowed)
    tally.add(shares, CLD2, ballot)
    _add_words(tally, ballot)
    if ballot.script not in _ONLY_CLD2 and not _is_clear(shares, tally, ballot):
        method = _ask_others(tally, ballot)
    _tilt(tally, ballot)
    ranking = tally.ranking()
    if not ranking or ranking[0][1] <= 0:
        return None, 0.0, method
    return ranking[0][0], _confidence(tally), method


def _is_clear(shares: ngrams.Shares, tally: Tally, ballot: Ballot) -> bool:
    """True if CLD2 has no doubt about a language that it knows well, and no function word speaks against it."""
    if ballot.letters < _CLEAR_LETTERS or not tally.scores:
        return False
    favourite = tally.ranking()[0][0]
    known = favourite not in _DOUBTFUL and not is_minor(favourite)
    return known and shares.get(favourite, 0.0) >= _CLEAR_SHARE and tally.lead() >= _CLEAR_LEAD


def _ask_others(tally: Tally, ballot: Ballot) -> str:
    """Ask the slower voters while they can change the answer; ``langdetect`` if it broke a tie, else ``vote``."""
    tally.add(ngrams.langid(ballot.text, ballot.allowed), LANGID, ballot)
    weight = _FASTTEXT_CYRILLIC if ballot.script == "Cyrl" else FASTTEXT
    if tally.lead() < weight:
        tally.add(ngrams.fasttext(ballot.text, ballot.allowed), weight, ballot)
    if tally.lead() < _TIE and _ask_langdetect(tally, ballot):
        return "langdetect"
    return "vote"


def _ask_langdetect(tally: Tally, ballot: Ballot) -> bool:
    """Let langdetect choose between the two favourites; true if it knows both."""
    favourites = [language for language, _ in tally.ranking()[:2]]
    shares = ngrams.langdetect(ballot.text, *favourites) if len(favourites) == 2 else {}
    if shares:
        tally.add(shares, LANGDETECT, ballot)
    return bool(shares)


def _add_words(tally: Tally, ballot: Ballot) -> None:
    if ballot.script == "Deva":
        for language in ("hi", "ne", "mr"):
            tally.bonus(language, _DEVANAGARI * ballot.marked.share(language))
    if ballot.script != "Latn":
        return
    found = ballot.romanised
    if found is not None and found.hits >= _ROMANISED_MIN_HITS:
        tally.bonus(found.language, romanised_weight(found))
    for language, (weight, full) in _MARKED.items():
        share = ballot.marked.share(language)
        if share >= _MARKED_MIN_SHARE and ballot.marked.hits[language] >= _MARKED_MIN_HITS:
            tally.bonus(language, weight * min(1.0, share / full))
    _split_malayic(tally, ballot.marked)


def romanised_weight(found: Romanised) -> float:
    """What the romanised words add to the vote; above the weight of all voters together they decide alone."""
    return _ROMANISED * min(1.0, found.share / _ROMANISED_FULL_SHARE)


def _split_malayic(tally: Tally, marked: Marked) -> None:
    """Move score between Indonesian and Malay by their own words: the voters tell the pair, not the member."""
    if tally.scores.get("id", 0.0) + tally.scores.get("ms", 0.0) < 0.5:
        return
    towards_malay = marked.hits.get("ms", 0.0) - marked.hits.get("id", 0.0)
    amount = _MALAYIC * towards_malay / max(3.0, marked.n_words**0.5)
    tally.bonus("ms", amount)
    tally.bonus("id", -amount)


def _tilt(tally: Tally, ballot: Ballot) -> None:
    """Let the prior tip a short text or a split vote, among the languages that have votes."""
    if not ballot.prior or (ballot.letters >= _SHORT_LETTERS and tally.lead() >= _SPLIT):
        return
    for language, weight in ballot.prior.items():
        if tally.scores.get(language, 0.0) > 0:
            tally.scores[language] *= 1 + _TILT * weight


def _confidence(tally: Tally) -> float:
    """The favourite's share of all scores, shrunk where even the favourite has little of what was asked."""
    scores = [max(0.0, score) for _, score in tally.ranking()]
    share = scores[0] / sum(scores)
    return min(0.99, share * math.sqrt(min(1.0, scores[0] / tally.asked)))
