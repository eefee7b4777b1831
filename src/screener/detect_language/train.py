"""Trains the n-gram model: a linear table per shared script, calibrated and measured on folds that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.detect_language.features import Layout, featurise
from screener.detect_language.material import WEIGHTS, Example, corrected, fold, romanised_form
from screener.detect_language.model import Scores, Table, log_softmax
from screener.detect_language.reading import read
from screener.detect_language.scripts import SHARED

FOLDS = 5
_LATIN = Layout(grams=(10, 12, 14, 15, 15), words=14, pairs=12)
_OTHER = Layout(grams=(9, 11, 12, 12, 12), words=12, pairs=10)
"""Four times the buckets raised macro-F1 by 0.001 in cross-validation and fivefold the file."""
_ALPHA, _PASSES = 1e-6, 12
_BALANCE = 0.5
"""Languages weigh the square root of what would make them equal: full balance cost 0.03 macro-F1, none 0.01."""
_FRAGMENT_SHARE, _FRAGMENT_WEIGHT, _FRAGMENT_WORDS = 0.3, 0.5, (2, 3, 4, 5, 6, 8)
"""Pieces cut out of longer posts teach short text: +0.007 macro-F1 on posts from other sources, nothing lost at home."""
_SHARPNESS_GRID = np.exp(np.linspace(np.log(0.5), np.log(2.5), 40))
_SMALLEST_CLASS = 20
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An example ready for the model: its cleaned text, and the language that its script makes of it."""

    example: Example
    text: str
    script: str
    language: str


def prepare(examples: Sequence[Example]) -> list[Prepared]:
    """Examples in a shared script, whether or not its letters alone would decide; owned scripts never reach the model."""
    found = []
    for example in examples:
        reading = read(example.text)
        language = romanised_form(example.language, reading.script)
        if language in SHARED.get(reading.script, ()):
            found.append(Prepared(example, reading.own_words, reading.script, language))
    return found


def fit_tables(prepared: Sequence[Prepared]) -> dict[str, Table]:
    """One fit of all tables, not yet calibrated; languages with fewer than 20 examples in a script are left out."""
    tables = {}
    for script in sorted(SHARED):
        group = _learnable([one for one in prepared if one.script == script])
        if group:
            tables[script] = _fit(group, _LATIN if script == "Latn" else _OTHER)
    return tables


def cross_validate(
    labelled: Sequence[Example], rest: Sequence[Example], progress: Progress = lambda what, n: None
) -> Iterator[tuple[list[int], dict[str, Table]]]:
    """For each fold the places of its posts in ``labelled`` and tables that never saw them; copies share a fold."""
    folds = [_fold_of(example) for example in labelled]
    others = prepare(rest)
    for number in range(FOLDS):
        seen = prepare(corrected([post for post, its in zip(labelled, folds, strict=True) if its != number]))
        yield [place for place, its in enumerate(folds) if its == number], fit_tables([*others, *seen])
        progress("folds", 1)


def best_sharpness(folds: Sequence[tuple[Sequence[Example], dict[str, Table]]]) -> float:
    """The factor of the margins with the highest likelihood on posts that the tables never saw, for all scripts at once.

    Temperature scaling (Guo et al. 2017). One factor, because single scripts have too few mistakes to learn theirs.
    """
    rated = [pair for posts, tables in folds for pair in _margins(prepare(corrected(posts)), tables)]
    likelihoods = [
        sum(float(log_softmax(factor * margins)[np.arange(len(truth)), truth].sum()) for margins, truth in rated)
        for factor in _SHARPNESS_GRID
    ]
    return float(_SHARPNESS_GRID[int(np.argmax(likelihoods))])


def _margins(prepared: Sequence[Prepared], tables: dict[str, Table]) -> Iterator[tuple[Scores, list[int]]]:
    for script, table in tables.items():
        known = [one for one in prepared if one.script == script and one.language in table.languages]
        if known:
            margins = table.margins(featurise([one.text for one in known], table.layout))
            yield margins, [table.languages.index(one.language) for one in known]


def _fit(group: Sequence[Prepared], layout: Layout) -> Table:
    from sklearn.linear_model import SGDClassifier

    texts, languages, weights = _augmented(group)
    names, numbers = np.unique(languages, return_inverse=True)
    total = np.bincount(numbers, weights=weights)
    weights = weights * ((total.mean() / total) ** _BALANCE)[numbers]
    estimator = SGDClassifier(
        loss="log_loss", alpha=_ALPHA, max_iter=_PASSES, tol=None, average=True, random_state=0, n_jobs=-1
    )
    estimator.fit(featurise(texts, layout), languages, sample_weight=weights)
    coefficients, intercepts = _both_sides(estimator)
    return Table(layout, tuple(str(name) for name in names), coefficients, intercepts, 1.0)


def _both_sides(estimator: Any) -> tuple[Scores, Scores]:
    """Coefficients with a column per language; for two languages scikit-learn keeps one boundary for both."""
    coefficients, intercepts = estimator.coef_, estimator.intercept_
    if len(estimator.classes_) == 2:
        coefficients = np.vstack([-coefficients, coefficients])
        intercepts = np.concatenate([-intercepts, intercepts])
    return np.ascontiguousarray(coefficients.T, dtype=np.float32), intercepts.astype(np.float32)


def _augmented(group: Sequence[Prepared]) -> tuple[list[str], NDArray[np.str_], NDArray[np.float64]]:
    """Texts, languages and weights, with pieces of longer texts added; the same for the same group, always."""
    chance = np.random.default_rng(0)
    rows = [(one.text, one.language, WEIGHTS[one.example.kind]) for one in group]
    for text, language, weight in list(rows):
        words = text.split()
        if len(words) < 5 or chance.random() > _FRAGMENT_SHARE:
            continue
        length = int(chance.choice(_FRAGMENT_WORDS))
        start = int(chance.integers(max(1, len(words) - length)))
        rows.append((" ".join(words[start : start + length]), language, weight * _FRAGMENT_WEIGHT))
    texts, languages, weights = zip(*rows, strict=True)
    return list(texts), np.array(languages), np.array(weights)


def _learnable(group: Sequence[Prepared]) -> list[Prepared]:
    counts: dict[str, int] = {}
    for one in group:
        counts[one.language] = counts.get(one.language, 0) + 1
    kept = [one for one in group if counts[one.language] >= _SMALLEST_CLASS]
    return kept if len({one.language for one in kept}) > 1 else []


def _fold_of(example: Example) -> int:
    """Fold by content, so that copies share one and the split is the same on every machine."""
    import zlib

    return zlib.crc32(fold(example.text).encode()) % FOLDS
