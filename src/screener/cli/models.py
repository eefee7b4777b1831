"""``train`` and ``evaluate``: the classifier, for analysts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markdown import Markdown

from screener.cli.common import (
    DEFAULT_WORKDIR,
    ConfigOption,
    Format,
    FormatOption,
    WorkdirOption,
    err,
    guarded,
    open_settings,
    open_workdir,
    out,
    print_json,
    progress_bars,
)
from screener.cli.languages import Material, evaluate_languages, train_languages
from screener.errors import UsageError
from screener.settings import Settings, find_shipped

if TYPE_CHECKING:
    from screener.classify.classifier import Classifier
    from screener.classify.labelled import LabelledPost
    from screener.records import Classification


PostsOption = Annotated[
    Path | None,
    typer.Option("--posts", help="Folder of JSONL with id and text, for the labels that ship by post id without text."),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(train)
    app.command()(evaluate)


ModelOption = Annotated[
    Path | None, typer.Option("--model", help="Model folder; by default the one that config names.")
]
LanguagesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--languages",
        help="JSONL with text and lang (and kind): the language identifier instead of the classifier; may be given several times.",
    ),
]
ParallelOption = Annotated[
    Path | None,
    typer.Option("--parallel", help="With --languages: JSONL of texts by language code, for languages without posts."),
]


@guarded
def train(
    labels: Annotated[list[Path] | None, typer.Option("--labels", help="JSONL of labelled posts in the guide's format; may be given several times.")] = None,
    languages: LanguagesOption = None, posts_folder: PostsOption = None, parallel: ParallelOption = None,
    out_folder: Annotated[Path | None, typer.Option("--out", help="Model folder to write; by default the one that config names.")] = None,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None,
) -> None:  # fmt: skip
    """Train on the project's own posts and any --labels, choose thresholds by cross-validation, write model and card.

    With --languages the language identifier is trained instead, on posts of known language, and on the posts of
    --posts whose source says their language (lang_hint).
    """
    if languages:
        train_languages(open_settings(config), Material(tuple(languages), posts_folder, parallel), out_folder)
        return
    _train_classifier(open_settings(config), labels or [], posts_folder, out_folder, workdir)


def _train_classifier(
    settings: Settings, labels: Sequence[Path], posts_folder: Path | None, out_folder: Path | None, workdir: Path
) -> None:
    from importlib.util import find_spec

    from screener.classify.card import card
    from screener.classify.folds import FoldStore
    from screener.classify.gate_training import Material
    from screener.classify.honest import evaluations_of
    from screener.classify.train import FOLDS, post_weights, train_model

    if find_spec("torch") is None:
        raise UsageError("training the classifier needs PyTorch; install the extra: pip install 'screener[finetune]'")
    from screener.classify.finetune import Recipe

    posts = distinct([*own(settings), *by_id(posts_folder, settings), *given(labels, settings)])
    stream, languages = _stream(posts_folder, settings)
    folder, recipe = (out_folder or find_shipped("models") / settings.runtime.classify.model).resolve(), Recipe()
    material = Material(posts, stream, languages)
    make_writable(folder)
    if not stream:
        err.print("without --posts the gate has no stream to learn from and will pass everything", style="yellow")
    err.print(
        f"training on {len(posts)} posts, {sum(p.relevant for p in posts)} relevant: {FOLDS} folds, then all; "
        f"the gate on {len(stream)} posts more",
        highlight=False,
    )
    totals = {
        "fine-tuning": recipe.epochs * len(posts) * FOLDS,
        "reading the stream": len(material.unlabelled),
    }
    with progress_bars() as progress:
        meta = train_model(
            folder, material, labels=settings.label_ids, taxonomy_version=settings.taxonomy_version,
            recipe=recipe, store=FoldStore(open_workdir(workdir).cache, post_weights),
            progress=lambda what, n: progress(what, n, totals.get(what)),
        )  # fmt: skip
    (folder / "card.md").write_text(card(asdict(meta), evaluations_of(meta)), encoding="utf-8")
    err.print(f"{meta.key} written to {folder}; its card is {folder / 'card.md'}", highlight=False)


def make_writable(folder: Path) -> None:
    """Make the folder now; raises ``UsageError`` before an hour's work, not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise UsageError(f"{folder}: can't be written ({error.strerror})") from error


def _stream(folder: Path | None, settings: Settings) -> tuple[list[str], list[str]]:
    """Real texts for the gate, with their languages, in a fixed order."""
    from screener.classify.labelled import read_texts
    from screener.detect_language import Detector

    if folder is None:
        return [], []
    texts = list(dict.fromkeys(text.strip() for text in read_texts(folder).values()))
    guesses = Detector(settings.runtime.detect_language).detect_many([(text, None, ()) for text in texts])
    return texts, [guess.language for guess in guesses]


@guarded
def evaluate(
    labels: Annotated[Path | None, typer.Option("--labels", help="JSONL of labelled posts in the guide's format: measures the classifier.")] = None,
    languages: LanguagesOption = None, posts_folder: PostsOption = None, parallel: ParallelOption = None,
    beside: Annotated[bool, typer.Option("--beside", help="With --languages: measure langdetect, fastText, lingua and eld in the same run.")] = False,
    model: ModelOption = None,
    report: Annotated[Path | None, typer.Option("--report", help="Also write a report: HTML with curves and the worst errors for --labels, Markdown for --languages.")] = None,
    config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """Print precision, recall and F1 per label and language, with n.

    Posts that the model was trained on are judged by what a fit said that had not seen them; these scores ship with
    the model, so that it takes seconds. The report shows texts: keep it where the posts themselves may lie.
    """
    settings = open_settings(config)
    if (labels is None) == (not languages):
        raise UsageError("give either --labels FILE (classifier) or --languages FILE (language detection)")
    if labels is not None:
        _evaluate_classifier(settings, labels, model, report, output)
    elif languages:
        evaluate_languages(
            settings, Material(tuple(languages), posts_folder, parallel), beside=beside, report=report, output=output, show=_print_markdown,
        )  # fmt: skip


def _evaluate_classifier(
    settings: Settings, labels: Path, model: Path | None, report: Path | None, output: Format
) -> None:
    from screener.classify.card import evaluation_markdown
    from screener.classify.classifier import Classifier
    from screener.classify.evaluate import evaluate as measure

    posts = labelled(labels, settings)
    if report is not None:
        make_writable(report.resolve().parent)
        if report.is_dir():
            raise UsageError(f"--report {report}: a folder; give a file")
    classifier = Classifier.from_settings(settings, model)
    answers, n_known = judged(classifier, posts)
    result = measure(posts, answers, settings.label_ids, n_cross_validated=n_known)
    if report is not None:
        from screener.classify.report import write_report

        write_report(report, classifier.artifact.meta.key, posts, answers, result, classifier.lexicon)
        err.print(f"report written to {report}", highlight=False)
    if output is Format.JSON:
        print_json(result)
    else:
        _print_markdown(evaluation_markdown(result))


def _print_markdown(text: str) -> None:
    if sys.stdout.isatty():
        out.print(Markdown(text))
    else:
        typer.echo(text)


def own(settings: Settings) -> list[LabelledPost]:
    """The invented posts."""
    from screener.classify.labelled import own_posts

    return own_posts(settings.label_ids)


def by_id(folder: Path | None, settings: Settings) -> list[LabelledPost]:
    """Posts whose labels ship by id, with the texts found in the folder."""
    from screener.classify.labelled import labels_by_id, read_labelled, read_texts

    if folder is None:
        return []
    if not folder.is_dir():
        raise UsageError(f"--posts {folder}: no such folder")
    return list(read_labelled(labels_by_id(), settings.label_ids, read_texts(folder)))


def given(files: Sequence[Path], settings: Settings) -> list[LabelledPost]:
    """Posts of the files given with ``--labels``."""
    from screener.classify.labelled import read_labelled

    for file in files:
        if not file.is_file():
            raise UsageError(f"--labels {file}: no such file")
    return [post for file in files for post in read_labelled(file, settings.label_ids)]


def labelled(file: Path, settings: Settings) -> list[LabelledPost]:
    """Posts of one file given with ``--labels``, at least one."""
    if posts := given([file], settings):
        return posts
    raise UsageError(f"{file}: no labelled posts")


def judged(classifier: Classifier, posts: Sequence[LabelledPost]) -> tuple[list[Classification], int]:
    """Honest answers with a progress bar, and how many of them are out-of-fold ones."""
    from screener.classify.honest import honest_answers

    with progress_bars() as progress:
        return honest_answers(classifier, posts, lambda what, n: progress(what, n, None))


def distinct(posts: Sequence[LabelledPost]) -> list[LabelledPost]:
    """Each text once, the last label given for it wins: a correction is put after what it corrects."""
    return list({post.text.strip(): post for post in posts}.values())
