"""``detect-language`` and ``classify``: on a file of posts, or on the lake when no file is given."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from screener.cli.common import DEFAULT_WORKDIR, ConfigOption, WorkdirOption, err, guarded, open_settings, progress_bars
from screener.cli.stages import lake_stage
from screener.codes import parse_country, parse_language
from screener.errors import ParseError, ScreenerError, UsageError
from screener.records import Classification
from screener.settings import Settings

FileArgument = Annotated[
    Path | None,
    typer.Argument(
        help="JSONL with id, text and optionally country (and language for classify). Without it: the lake."
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Where the answers go, one JSON object a line; needed with FILE.")
]
CountryOption = Annotated[
    str | None,
    typer.Option("--country", help="Country of lines that name none (ISO 3166-1 alpha-2); tips short texts."),
]
_BATCH, _DETECT_BATCH = 1_000, 50_000
"""Lines at a time: classification is slow, so its progress shows often; language detection spreads over processes."""
Line = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("detect-language")(detect_language)
    app.command()(classify)


@guarded
def detect_language(
    file: FileArgument = None, out: OutOption = None, country: CountryOption = None,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None,
) -> None:  # fmt: skip
    """Say which language each post is in: id, language (code or und), confidence 0..1, method, mixed_with (a second language or null)."""
    if file is None:
        from screener.pipeline import run_detect_language

        lake_stage(workdir, config, None, None, run_detect_language)
        return
    from screener.detect_language import ParallelDetector

    settings, default = open_settings(config), parse_country(country) if country else None
    with ParallelDetector(settings.runtime.detect_language) as detector:

        def answer(lines: Sequence[Line]) -> Iterator[Line]:
            """Guesses for a batch of lines."""
            guesses = detector.detect_many([(line["text"], line.get("country") or default, ()) for line in lines])
            for line, guess in zip(lines, guesses, strict=True):
                yield {"id": line["id"], "language": guess.language, "confidence": guess.confidence, "method": guess.method, "mixed_with": guess.mixed_with}  # fmt: skip

        _transform(file, out, answer, "detect_language", batch=_DETECT_BATCH)


@guarded
def classify(
    file: FileArgument = None, out: OutOption = None, country: CountryOption = None,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None,
) -> None:  # fmt: skip
    """Say what each post tells: relevant, voice, positive, signals with probabilities, flagged labels, evidence spans."""
    if file is None:
        from screener.pipeline import run_classify

        lake_stage(workdir, config, None, None, run_classify)
        return
    settings, default = open_settings(config), parse_country(country) if country else None
    _transform(file, out, _classifying(settings, default), "classify")


def _classifying(settings: Settings, default: str | None) -> Callable[[Sequence[Line]], Iterator[Line]]:
    from screener.classify.classifier import Classifier
    from screener.detect_language import Detector

    detector, classifier = Detector(settings.runtime.detect_language), Classifier.from_settings(settings)

    def answer(lines: Sequence[Line]) -> Iterator[Line]:
        """Language, where the line names none, then classification."""
        guesses = detector.detect_many([(line["text"], line.get("country") or default, ()) for line in lines])
        languages = [line.get("language") or guess.language for line, guess in zip(lines, guesses, strict=True)]
        found = classifier.classify_many([line["text"] for line in lines], languages)
        for line, language, classification in zip(lines, languages, found, strict=True):
            yield {"id": line["id"], "language": language, **classification_line(classification)}

    return answer


def classification_line(answer: Classification) -> Line:
    """The contract's form of a classification."""
    return {
        "relevant": answer.relevant, "relevance": answer.relevance, "voice": str(answer.voice), "positive": answer.positive,
        "signals": dict(answer.signals), "flagged": list(answer.flagged),
        "evidence": [{"label": span.label, "start": span.start, "end": span.end} for span in answer.evidence],
        "unsupported": not answer.supported,
    }  # fmt: skip


def _transform(
    file: Path, out: Path | None, answer: Callable[[Sequence[Line]], Iterator[Line]], stage: str, batch: int = _BATCH
) -> None:
    """Read, answer and write in batches. The result appears under its name only when it is whole."""
    if out is None:
        raise UsageError("--out FILE is needed with an input file")
    if not file.is_file():
        raise UsageError(f"{file}: no such file")
    refused: list[str] = []
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with file.open("rb") as source, temporary.open("w", encoding="utf-8") as target, progress_bars() as progress:
            lines = _read(source, file, refused)
            while taken := list(islice(lines, batch)):
                for row in answer(taken):
                    target.write(json.dumps(row, ensure_ascii=False) + "\n")
                progress(stage, len(taken), None)
        temporary.replace(out)
    except OSError as error:
        raise UsageError(f"{error.filename or out}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    _report_refused(refused, out)


def _report_refused(refused: Sequence[str], out: Path) -> None:
    if refused:
        for reason in refused[:20]:
            err.print(reason, style="yellow", highlight=False, markup=False, soft_wrap=True)
        raise ParseError(
            str(out),
            f"holds all answers but those of {len(refused)} lines that can't be read (the first are listed above)",
        )


def _read(stream: IO[bytes], file: Path, refused: list[str]) -> Iterator[Line]:
    for number, raw in enumerate(stream, start=1):
        if raw.strip():
            try:
                yield _parse(raw.removeprefix(b"\xef\xbb\xbf"))
            except (ValueError, ScreenerError) as error:
                refused.append(f"{file}:{number}: {error}")


def _parse(raw: bytes) -> Line:
    record = json.loads(raw.decode("utf-8"))
    if not isinstance(record, dict) or not isinstance(record.get("text"), str) or record.get("id") in (None, ""):
        raise ValueError("an object with 'id' and 'text' (a string) is needed")
    line: Line = {"id": record["id"], "text": record["text"].encode("utf-8", "replace").decode("utf-8")}
    if record.get("country"):
        line["country"] = parse_country(str(record["country"]))
    if record.get("language"):
        line["language"] = parse_language(str(record["language"]))
    return line
