"""Pure: measured figures of language identification as Markdown, for the terminal and for docs/languages.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from screener.detect_language.clean import clean
from screener.detect_language.evaluate import (
    MIN_POSTS,
    Judged,
    LanguageScore,
    calibration,
    evaluate,
    macro_f1,
    undetermined_share,
)

SOCIAL = frozenset({"tweet", "comment", "YouTube comment", "Facebook comment", "social post", "tweet/FB", ""})
"""Registers of the development set that are people's own posts; the rest are headlines and edited sentences."""
_LENGTHS = ((0, 20), (20, 40), (40, 80), (80, 140), (140, 10_000))
_BOUNDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
Guesses = Sequence[str]


@dataclass(frozen=True, slots=True)
class Measured:
    """One identifier's answers, in the order of the judged posts, and its speed in posts a second on social text."""

    name: str
    guesses: Guesses
    speed: float


def is_social(one: Judged) -> bool:
    """True for a person's own post."""
    return one.register in SOCIAL


def languages_report(
    judged: Sequence[Judged], own: Measured, others: Sequence[Measured], watched: frozenset[str], how: str
) -> str:
    """All tables. ``how`` says how the posts were kept apart from training, ``watched`` are the watches' languages."""
    tools = [own, *others]
    parts = [
        f"{len(judged)} posts in {len({one.read for one in judged})} languages. {how}",
        _head(tools, judged, watched),
        "### By language\n\n" + _by_language(judged, tools, watched),
        "### By length\n\n" + _shares(judged, tools, _length_groups(), "characters after cleaning"),
        "### By kind of text\n\n" + _shares(judged, tools, _register_groups(judged), "kind"),
        "### What a confidence means\n\n" + _calibration(judged),
        "### Posts whose given language is wrong\n\n" + _corrected(judged),
    ]
    return "\n\n".join(parts) + "\n"


def _pairs(
    judged: Sequence[Judged], guesses: Guesses, keep: Callable[[Judged], bool], *, given: bool
) -> list[tuple[str, str]]:
    return [(one.given if given else one.read, guess) for one, guess in zip(judged, guesses, strict=True) if keep(one)]


def _head(tools: Sequence[Measured], judged: Sequence[Judged], watched: frozenset[str]) -> str:
    """Macro-F1 of each identifier on social and all text, by the corrected and by the given languages."""
    rows = []
    for tool in tools:
        columns = [
            macro_f1(score for score in scores if not only or score.language in watched)
            for given in (False, True)
            for keep in (is_social, lambda one: True)
            for scores in [evaluate(_pairs(judged, tool.guesses, keep, given=given))]
            for only in (True, False)
        ]
        columns.append(_over_named(judged, tool))
        figures = " | ".join(f"{value:.3f}" for value in columns)
        rows.append(f"| {tool.name} | {figures} | {tool.speed:,.0f} | {tools[0].speed / tool.speed:.1f} |")
    social = [one for one in judged if is_social(one)]
    return (
        f"Macro-F1 over languages with at least {MIN_POSTS} posts; *watched* are the languages of the watches, *social* are people's own posts. "
        "*As given* counts by the languages that the collections give; the columns before it count the posts listed below by the language that a "
        "reader found, and Arabic, Hindi and Urdu in Latin letters as `ar-Latn`, `hi-Latn`, `ur-Latn`. *It names* is the mean over the languages that the identifier "
        "ever gets right, all posts.\n\n"
        "| identifier | social, watched | social | all, watched | all | as given: social, watched | as given: social | as given: all, watched "
        "| as given: all | it names | posts/s | ours is x times as fast |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n" + "\n".join(rows)
        + f"\n\nUndetermined: {100 * undetermined_share(judged):.1f} % of all posts, {100 * undetermined_share(social):.1f} % of social ones."
    )  # fmt: skip


def _over_named(judged: Sequence[Judged], tool: Measured) -> float:
    """Macro-F1 over the languages that the identifier knows: fair to those that were made for fewer."""
    scores = evaluate(_pairs(judged, tool.guesses, lambda one: True, given=False))
    return macro_f1(score for score in scores if score.f1 > 0)


def _by_language(judged: Sequence[Judged], tools: Sequence[Measured], watched: frozenset[str]) -> str:
    tables = [{score.language: score for score in evaluate(_pairs(judged, tool.guesses, lambda one: True, given=False))} for tool in tools]  # fmt: skip
    head = (
        "| language | n | precision | recall | F1 | 95 % of F1 | " + " | ".join(tool.name for tool in tools[1:]) + " |"
    )
    rows = [head, "|---|---|---|---|---|---|" + "---|" * (len(tools) - 1)]
    for language, score in sorted(tables[0].items()):
        low, high = interval(score)
        name = f"**{language}**" if language in watched else language
        others = " | ".join(f"{table[language].f1:.2f}" for table in tables[1:])
        rows.append(f"| {name} | {score.n} | {score.precision:.3f} | {score.recall:.3f} | {score.f1:.3f} | {low:.2f}-{high:.2f} | {others} |")  # fmt: skip
    return "By the corrected languages; watched ones in bold; F1 of the others in the last columns.\n\n" + "\n".join(
        rows
    )


def interval(score: LanguageScore) -> tuple[float, float]:
    """Wilson's 95 % interval, F1 taken as a share of the language's posts: rough, and better than no interval."""
    z, n, share = 1.96, score.n, score.f1
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def _length_groups() -> Mapping[str, Callable[[Judged], bool]]:
    def between(low: int, high: int) -> Callable[[Judged], bool]:
        return lambda one: low <= len(clean(one.text)) < high

    return {f"{low}-{high - 1}" if high < 10_000 else f"{low}+": between(low, high) for low, high in _LENGTHS}


def _register_groups(judged: Sequence[Judged]) -> Mapping[str, Callable[[Judged], bool]]:
    def of(register: str) -> Callable[[Judged], bool]:
        return lambda one: one.register == register

    return {register or "not stated": of(register) for register in sorted({one.register for one in judged})}


def _shares(
    judged: Sequence[Judged], tools: Sequence[Measured], groups: Mapping[str, Callable[[Judged], bool]], what: str
) -> str:
    """Share of right answers per group: groups hold different languages, so F1 would compare unlike things."""
    rows = [f"Share of right answers, by the corrected languages.\n\n| {what} | n | " + " | ".join(t.name for t in tools) + " |", "|---|---|" + "---|" * len(tools)]  # fmt: skip
    for name, keep in groups.items():
        size = sum(map(keep, judged))
        if size:
            found = [_pairs(judged, tool.guesses, keep, given=False) for tool in tools]
            shares = [sum(gold == guess for gold, guess in pairs) / size for pairs in found]
            rows.append(f"| {name} | {size} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")
    return "\n".join(rows)


def _calibration(judged: Sequence[Judged]) -> str:
    error, bins = calibration(judged, _BOUNDS)
    rows = [f"| {one.low:.2f}-{one.high:.2f} | {one.n} | {one.confidence:.3f} | {one.right:.3f} |" for one in bins]
    return (
        f"Expected calibration error {error:.3f} (15 bins, answers only).\n\n"
        "| confidence | answers | mean confidence | right |\n|---|---|---|---|\n" + "\n".join(rows)
    )


def _corrected(judged: Sequence[Judged]) -> str:
    wrong = [one for one in judged if one.read != one.given]
    romanised = [one for one in wrong if one.read == f"{one.given}-Latn"]
    others = [one for one in wrong if one not in romanised]
    listed = ", ".join(f"`{one.post_id}` {one.given} -> {one.read}" for one in others)
    return (
        f"{len(romanised)} posts given as Arabic, Hindi or Urdu are in Latin letters: "
        + ", ".join(f"`{one.post_id}`" for one in romanised)
        + f".\n\n{len(others)} more were read and found to be in another language than given. One reader, who saw the posts that the "
        f"identifier and the collection disagree on, so errors that they share are not among them: {listed}."
    )
