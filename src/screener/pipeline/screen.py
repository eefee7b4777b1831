"""Stages 2 and 3: each part of the lake gets its language guesses and its classifications."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from screener.classify.artifacts import read_meta
from screener.classify.classifier import Classifier
from screener.detect_language import DETECTOR_VERSION, ParallelDetector, key_of
from screener.pipeline.context import Context, batches, count_posts
from screener.records import UNDETERMINED, UNKNOWN_COUNTRY, Partition, StageReport
from screener.settings import Settings, find_shipped
from screener.store.lake import Part
from screener.store.layers import languages_table, signals_table

_DETECT_POSTS = 50_000
"""Posts in memory at a time for language detection: enough to be spread over processes, about 100 MB."""


def detector_version(settings: Settings) -> str:
    """What language guesses depend on besides the text."""
    languages = sorted((watch.key, watch.expected_languages) for watch in settings.watches)
    model = key_of(find_shipped("models") / settings.runtime.detect_language.model)
    return f"{DETECTOR_VERSION}\n{model}\n{settings.runtime.detect_language!r}\n{languages!r}"


def classifier_version(settings: Settings) -> str:
    """What classifications depend on besides text and language: model, thresholds, lexicon, taxonomy."""
    meta = read_meta(find_shipped("models") / settings.runtime.classify.model)
    lexicons = [lexicon.model_dump() for lexicon in settings.lexicons]
    return f"{meta.key}\n{settings.runtime.classify.thresholds!r}\n{lexicons!r}\n{settings.label_ids!r}\n{detector_version(settings)}"


def run_detect_language(context: Context) -> StageReport:
    """Language guesses for all parts that lack them; the watch's workers and the country give the priors."""
    expected = {(watch.country, watch.sector): watch.expected_languages for watch in context.settings.watches}
    with ParallelDetector(context.settings.runtime.detect_language) as detector:

        def work(tables: Sequence[pa.Table], places: Sequence[Partition]) -> list[pa.Table]:
            """Guesses for the texts of each part."""
            items = [
                (text, None if place.country == UNKNOWN_COUNTRY else place.country, expected.get((place.country, place.sector), ()))
                for table, place in zip(tables, places, strict=True)
                for text in table["text"].to_pylist()
            ]  # fmt: skip
            guesses = iter(detector.detect_many(items))
            return [
                languages_table(ids := table["post_id"].to_pylist(), [next(guesses) for _ in ids]) for table in tables
            ]

        done = _run_stage(
            context, "detect_language", "languages", detector_version(context.settings), work, batch_posts=_DETECT_POSTS
        )
    undetermined = sum(
        context.lake.read("languages", part, ["language"])["language"].to_pylist().count(UNDETERMINED)
        for part in context.lake.parts("languages")
    )
    return context.report(StageReport("detect_language", (*done, ("undetermined", undetermined))))


def run_classify(context: Context) -> StageReport:
    """Classifications for all parts that lack them, in batches by number of posts."""
    version = classifier_version(context.settings)
    loaded: list[Classifier] = []

    def work(tables: Sequence[pa.Table], places: Sequence[Partition]) -> list[pa.Table]:
        del places
        if not loaded:  # only now: a run with nothing to do need not load the model
            loaded.append(Classifier.from_settings(context.settings))
        texts = [text for table in tables for text in table["text"].to_pylist()]
        languages = [language for table in tables for language in table["language"].to_pylist()]
        answers = iter(loaded[0].classify_many(texts, languages))
        return [signals_table(ids := table["post_id"].to_pylist(), [next(answers) for _ in ids]) for table in tables]

    batch_posts = context.settings.runtime.classify.batch_posts
    done = _run_stage(context, "classify", "signals", version, work, batch_posts=batch_posts, with_languages=True)
    relevant = sum(
        context.lake.read("signals", part, ["relevant"])["relevant"].to_pylist().count(True)
        for part in context.lake.parts("signals")
    )
    return context.report(StageReport("classify", (*done, ("relevant", relevant))))


Work = Callable[[Sequence[pa.Table], Sequence[Partition]], list[pa.Table]]


def _run_stage(
    context: Context,
    stage: str,
    layer: str,
    version: str,
    work: Work,
    *,
    batch_posts: int,
    with_languages: bool = False,
) -> tuple[tuple[str, int], ...]:
    """Run ``work`` over the stale parts of a layer; returns counts of posts done and skipped."""
    lake = context.lake
    stale = list(lake.stale(layer, version))
    total = count_posts(lake, [part for part, _ in stale])
    everything = count_posts(lake, lake.parts("posts"))
    for batch in batches(lake, stale, batch_posts):
        tables = [_input(context, part, with_languages=with_languages) for part, _ in batch]
        for (part, fingerprint), table in zip(batch, work(tables, [part.partition for part, _ in batch]), strict=True):
            lake.write(layer, part, table, fingerprint)
        context.progress(stage, sum(table.num_rows for table in tables), total)
    return (("posts", everything), ("done", total), ("skipped", everything - total))


def _input(context: Context, part: Part, *, with_languages: bool) -> pa.Table:
    table = context.lake.read("posts", part, ["post_id", "text"])
    if with_languages:
        table = table.append_column("language", context.lake.read("languages", part, ["language"])["language"])
    return table
