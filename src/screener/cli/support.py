"""Which languages each stage supports how well: a table for docs/languages.md."""

from __future__ import annotations

from collections import Counter

from screener.codes import language_name
from screener.settings import Settings, find_shipped


def support_table(settings: Settings) -> str:
    """Markdown: per language of watches, lexicons, training posts and the classifier's figures, what there is."""
    from screener.classify.artifacts import read_meta
    from screener.classify.labelled import own_posts

    watched = settings.watched_languages
    phrases = {lexicon.language: sum(map(len, lexicon.labels.values())) for lexicon in settings.lexicons}
    invented = Counter(post.language for post in own_posts(settings.label_ids))
    scores = read_meta(find_shipped("models") / settings.runtime.classify.model).scores
    by_language = {score["name"]: score for score in scores["real"]["relevance_by_language"]}
    rows = []
    for language in sorted(watched | phrases.keys() | invented.keys()):
        judged = by_language.get(language)
        figure = f"{judged['f1']:.2f} ({judged['n']} relevant)" if judged and judged["n"] else "not measured"
        rows.append(
            f"| {language} | {language_name(language, 'en')} | {'yes' if language in watched else ''} | {phrases.get(language, 0)} | {invented.get(language, 0)} | {figure} |"
        )
    return (
        "## What the later stages know of each language\n\n"
        "*Phrases* of the lexicon are shown as evidence; *invented posts* are the project's own training posts; *relevance F1* is the classifier's, "
        "cross-validated on real posts (models/signals). A language without phrases and posts is told apart but hardly classified: its posts count as heard, their signals are missed.\n\n"
        "| code | language | watched | phrases | invented posts | relevance F1 |\n|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )  # fmt: skip
