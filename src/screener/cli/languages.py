"""``train --languages`` and ``evaluate --languages``: the language identifier, for analysts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from screener.cli.common import Format, err, print_json, progress_bars
from screener.errors import UsageError
from screener.records import LanguageGuess
from screener.settings import Settings, find_shipped

if TYPE_CHECKING:
    from screener.detect_language.alternatives import Identify
    from screener.detect_language.evaluate import Judged
    from screener.detect_language.material import Example
    from screener.detect_language.report import Measured

_INTRODUCTION = """# Languages

How well the language of posts is told. Written by
`screener evaluate --languages FILE --posts FOLDER --parallel FILE --beside --report docs/languages.md`; the files are not in the repository
because their texts are other people's; models/README.md says what they are. Speeds are of one process on the machine at hand: compare the columns, not the machines."""
Printer = Callable[[str], None]


@dataclass(frozen=True)
class Material:
    """Where training material lies: labelled posts, a folder of posts with ``lang_hint``, a file of parallel texts."""

    labelled: tuple[Path, ...]
    posts: Path | None
    parallel: Path | None

    def check(self) -> None:
        """Raise ``UsageError`` for a path that isn't there."""
        for file in (*self.labelled, *((self.parallel,) if self.parallel else ())):
            if not file.is_file():
                raise UsageError(f"{'--parallel' if file == self.parallel else '--languages'} {file}: no such file")
        if self.posts is not None and not self.posts.is_dir():
            raise UsageError(f"--posts {self.posts}: no such folder")


def train_languages(settings: Settings, material: Material, out: Path | None) -> None:
    """Cross-validate, fit on everything, write the model folder with its card."""
    from screener.detect_language.learn import train_model

    material.check()
    folder = out or find_shipped("models") / settings.runtime.detect_language.model
    from screener.detect_language.material import labelled_examples

    labelled = [example for file in material.labelled for example in labelled_examples(file)]
    rest = _read_rest(material, labelled)
    err.print(f"training on {len(labelled)} labelled posts and {len(rest)} other texts", highlight=False)
    with progress_bars() as progress:
        key = train_model(folder, labelled, rest, progress=lambda what, n: progress(what, n, None))
    err.print(f"{key} written to {folder}; measure it with `screener evaluate --languages FILE`", highlight=False)


def _read_rest(material: Material, labelled: Sequence[Example]) -> list[Example]:
    """Everything that the model learns from beside the labelled posts."""
    from screener.detect_language.material import frequency_examples, hinted_examples, own_examples, parallel_examples

    hinted = hinted_examples(material.posts, without=labelled) if material.posts else []
    plenty = frozenset(example.language for example in hinted)
    parallel = parallel_examples(material.parallel, plenty=plenty) if material.parallel else []
    return [*own_examples(), *hinted, *parallel, *frequency_examples()]


def evaluate_languages(
    settings: Settings, material: Material, beside: bool, report: Path | None, output: Format, show: Printer
) -> None:
    """Judge a file of posts with known languages: by cross-validation where the model learned from them."""
    from screener.detect_language.evaluate import evaluate
    from screener.detect_language.material import labelled_examples
    from screener.detect_language.report import languages_report

    material.check()
    labelled = {file: labelled_examples(file) for file in material.labelled}
    parts, scores = [], {}
    for file, examples in labelled.items():
        judged, how = _judge(settings, material, examples, list(chain.from_iterable(labelled.values())))
        scores[file.name] = evaluate((one.read, one.guess.language) for one in judged)
        if output is Format.TABLE:
            own, others = _measure(settings, judged, beside)
            parts.append(f"## {file.stem}\n\n" + languages_report(judged, own, others, settings.watched_languages, how))
    if output is Format.JSON:
        print_json(scores)
        return
    if report is not None:
        from screener.cli.support import support_table

        sections = "\n".join(parts)
        report.write_text(f"{_INTRODUCTION}\n\n{sections}\n{support_table(settings)}", encoding="utf-8")
        err.print(f"written to {report}", highlight=False)
    show("\n".join(parts))


def _judge(
    settings: Settings, material: Material, examples: Sequence[Example], labelled: Sequence[Example]
) -> tuple[list[Judged], str]:
    """The posts of one file with guesses, and how they were kept from training; ``labelled`` are those of all files."""
    from screener.detect_language.learn import cross_validated, judge, learned_from

    config = settings.runtime.detect_language
    known = learned_from(find_shipped("models") / config.model, examples)
    if known:
        how = f"{known} of them are in the training set, so all are judged by 5-fold cross-validation: by fits that saw neither the post nor a copy."
        if material.posts is None:
            err.print("without --posts the folds learn less than the model did; figures come out lower", style="yellow")
        rest = _read_rest(material, labelled)
        with progress_bars() as progress:
            guesses = cross_validated(config, examples, rest, progress=lambda what, n: progress(what, n, None))
    else:
        how = "None of them is in the training set."
        guesses = _detect(settings, [example.text for example in examples])
    return judge(examples, guesses), how


def _detect(settings: Settings, texts: Sequence[str]) -> list[LanguageGuess]:
    from screener.detect_language import Detector

    return Detector(settings.runtime.detect_language).detect_many([(text, None, ()) for text in texts])


def _measure(settings: Settings, judged: Sequence[Judged], beside: bool) -> tuple[Measured, list[Measured]]:
    """Our answers with our speed, and the other identifiers' answers with theirs, all on the same posts."""
    from screener.detect_language.alternatives import alternatives
    from screener.detect_language.report import Measured, is_social

    social = [one.text for one in judged if is_social(one)] or [one.text for one in judged]
    _detect(settings, social[:100])
    own = Measured("screener", [one.guess.language for one in judged], _speed(settings, social))
    others = [
        _alternative(name, identify, judged, social) for name, identify in (alternatives() if beside else {}).items()
    ]
    return own, others


def _speed(settings: Settings, texts: Sequence[str], rounds: int = 3) -> float:
    """Posts a second in the fastest of some rounds: the least disturbed one."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        _detect(settings, texts)
        times.append(time.perf_counter() - started)
    return len(texts) / min(times)


def _alternative(name: str, identify: Identify, judged: Sequence[Judged], social: Sequence[str]) -> Measured:
    """Another identifier's answers; the social posts are timed as they are answered, for some take a millisecond each."""
    from screener.detect_language.clean import clean
    from screener.detect_language.report import Measured

    err.print(f"measuring {name}", highlight=False)
    cleaned = [clean(text) for text in social]
    started = time.perf_counter()
    answers = [identify(text) for text in cleaned]
    speed = len(social) / (time.perf_counter() - started)
    known = dict(zip(social, answers, strict=True))
    return Measured(name, [known.get(one.text) or identify(clean(one.text)) for one in judged], speed)
