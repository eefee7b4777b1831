"""An evaluation as one HTML page: curves, tables and the worst errors to read. It shows texts: not for publication."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from screener.classify.card import evaluation_markdown
from screener.classify.evaluate import Evaluation
from screener.classify.labelled import LabelledPost
from screener.classify.lexicon import Lexicon
from screener.records import Classification
from screener.scrub import scrub

_WORST = 40
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .6rem;border-bottom:1px solid #ccc;text-align:left;vertical-align:top}
td:nth-child(n+2){font-variant-numeric:tabular-nums}figure{display:inline-block;margin:0 1rem 1rem 0}svg{max-width:100%}
@media (prefers-color-scheme:dark){body{color:#eee;background:#121212}}"""


def write_report(
    path: Path,
    model: str,
    posts: Sequence[LabelledPost],
    answers: Sequence[Classification],
    result: Evaluation,
    lexicon: Lexicon,
) -> None:
    """Write the page; texts are scrubbed of handles, numbers and names as everywhere."""
    relevant = np.array([post.relevant for post in posts])
    probability = np.array([answer.relevance for answer in answers])
    parts = [
        f"<h1>{escape(model)} on {len(posts)} posts</h1>",
        f"<figure>{_precision_recall(relevant, probability)}<figcaption>Precision (up) by recall (right) of relevance</figcaption></figure>",
        f"<figure>{_reliability(relevant, probability)}<figcaption>Share relevant (up) by probability (right)</figcaption></figure>",
        _tables(evaluation_markdown(result)),
        f"<h2>Voice: true in rows, found in columns</h2>{_confusion(posts, answers)}",
        f"<h2>Surest false alarms</h2>{_errors(posts, answers, false_alarm=True)}",
        f"<h2>Surest misses</h2>{_errors(posts, answers, false_alarm=False)}",
        f"<h2>Lexicon phrases that the model does not follow</h2>{_disagreements(posts, answers, lexicon)}",
    ]
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(model)}</title><style>{_STYLE}</style><main>{"".join(parts)}</main></html>'
    path.write_text(page, encoding="utf-8")


def _precision_recall(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> str:
    from sklearn.metrics import precision_recall_curve

    if not truth.any():
        return _plot([], "no relevant post")
    precision, recall, _ = precision_recall_curve(truth, scores)
    return _plot(list(zip(recall.tolist(), precision.tolist(), strict=True)), "precision-recall curve")


def _reliability(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> str:
    from sklearn.calibration import calibration_curve

    share, mean = calibration_curve(truth, scores, n_bins=10)
    return _plot(list(zip(mean.tolist(), share.tolist(), strict=True)), "reliability curve", diagonal=True)


def _plot(points: Sequence[tuple[float, float]], title: str, *, diagonal: bool = False) -> str:
    line = " ".join(f"{30 + 260 * x:.1f},{270 - 260 * y:.1f}" for x, y in points)
    guide = '<line x1="30" y1="270" x2="290" y2="10" stroke="#888" stroke-dasharray="4"/>' if diagonal else ""
    return (
        f'<svg viewBox="0 0 300 300" width="300" height="300" role="img" aria-label="{escape(title)}">'
        f'<rect x="30" y="10" width="260" height="260" fill="none" stroke="#888"/>{guide}'
        f'<polyline points="{line}" fill="none" stroke="#c2410c" stroke-width="2"/>'
        '<g fill="currentColor" font-size="11"><text x="25" y="285">0</text><text x="283" y="285">1</text><text x="15" y="16">1</text></g></svg>'
    )


def _tables(markdown: str) -> str:
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark").enable("table").render(markdown))


def _confusion(posts: Sequence[LabelledPost], answers: Sequence[Classification]) -> str:
    from sklearn.metrics import confusion_matrix

    names = ["testimony", "report", "opinion", "advert", "none"]
    counts = confusion_matrix([str(post.voice) for post in posts], [str(a.voice) for a in answers], labels=names)
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{n}</td>' for n in row)}</tr>"
        for name, row in zip(names, counts.tolist(), strict=True)
    )
    return f"<table><tr><th></th>{head}</tr>{rows}</table>"


def _errors(posts: Sequence[LabelledPost], answers: Sequence[Classification], *, false_alarm: bool) -> str:
    wrong = [
        (answer.relevance, post)
        for post, answer in zip(posts, answers, strict=True)
        if answer.relevant is false_alarm and post.relevant is not false_alarm
    ]
    wrong.sort(key=lambda pair: pair[0], reverse=false_alarm)
    rows = "".join(
        f"<tr><td>{score:.2f}</td><td>{escape(post.language)}</td><td>{escape(post.source)}</td>"
        f'<td lang="{escape(post.language)}" dir="auto">{escape(scrub(post.text).text[:300])}</td></tr>'
        for score, post in wrong[:_WORST]
    )
    return f"<p>{len(wrong)} in all.</p><table>{rows}</table>"


def _disagreements(posts: Sequence[LabelledPost], answers: Sequence[Classification], lexicon: Lexicon) -> str:
    """Phrases of a label in posts that are not flagged with it: the phrase is imprecise, or the model is wrong."""
    rows = []
    found = lexicon.find_many([post.text for post in posts], [post.language for post in posts])
    for post, answer, matches in zip(posts, answers, found, strict=True):
        for match in matches:
            if match.key not in answer.flagged:
                right = "phrase" if match.key in post.signals else "model"
                rows.append((right, match.key, post.text[match.start : match.end], post))
    shown = "".join(
        f"<tr><td>{right}</td><td>{label}</td><td>{escape(phrase)}</td>"
        f'<td lang="{escape(post.language)}" dir="auto">{escape(scrub(post.text).text[:200])}</td></tr>'
        for right, label, phrase, post in rows[: 2 * _WORST]
    )
    n_model = sum(right == "model" for right, *_ in rows)
    head = "<tr><th>right by the label</th><th>label</th><th>phrase</th><th>post</th></tr>"
    return f"<p>{len(rows)} in all; the model is right in {n_model}.</p><table>{head}{shown}</table>"
