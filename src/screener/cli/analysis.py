"""``tune``, ``compare`` and ``explain``: what analysts ask before they change a threshold or a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from screener.classify.decide import DEFAULT
from screener.cli.common import (
    DEFAULT_WORKDIR,
    ConfigOption,
    Format,
    FormatOption,
    WorkdirOption,
    guarded,
    open_settings,
    open_workdir,
    out,
    print_json,
)
from screener.cli.models import ModelOption, judged, labelled
from screener.codes import parse_language
from screener.errors import UsageError

_ENOUGH = 15
"""True posts below which a threshold would follow single posts."""
LabelsArgument = Annotated[Path, typer.Option("--labels", help="JSONL of labelled posts in the guide's format.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(tune)
    app.command()(compare)
    app.command()(explain)


@guarded
def tune(
    labels: LabelsArgument,
    name: Annotated[str, typer.Option("--name", help="A label of the taxonomy, or relevance.")] = "relevance",
    language: Annotated[str | None, typer.Option("--language", help="Only posts in this language.")] = None,
    false_alarm_cost: Annotated[float, typer.Option("--false-alarm-cost", min=0.0, help="What a false alarm costs, in missed posts.")] = 1.0,
    model: ModelOption = None, config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """Show what each threshold would do on labelled posts, and which costs least.

    Posts that the model learned from are judged by scores of fits that had not seen them. The last line can be put
    into config/screener.toml, in the section classify.thresholds, as it is.
    """
    from screener.classify.classifier import Classifier
    from screener.classify.what_if import what_if

    settings = open_settings(config)
    names = ("relevance", *settings.label_ids)
    if name not in names:
        raise UsageError(f"--name {name}: unknown; legal values: {', '.join(names)}")
    posts, code = labelled(labels, settings), parse_language(language) if language else DEFAULT
    if language:
        posts = [post for post in posts if post.language == code]
    if not posts:
        raise UsageError(f"{labels}: no labelled posts in {language}")
    classifier = Classifier.from_settings(settings, model)
    answers, _ = judged(classifier, posts)
    found = what_if(posts, answers, name, false_alarm_cost)
    if output is Format.JSON:
        print_json(found)
        return
    table = Table(
        "threshold",
        "found",
        "precision",
        "recall",
        "F1",
        "cost",
        title=f"{name}: {found.n_true} true of {len(posts)} posts",
    )
    for choice in found.choices:
        mark = " *" if choice == found.cheapest else ""
        table.add_row(f"{choice.threshold:.2f}{mark}", str(choice.n_found), f"{choice.precision:.2f}", f"{choice.recall:.2f}", f"{choice.f1:.2f}", f"{choice.cost:g}")  # fmt: skip
    out.print(table)
    out.print(f"now {classifier.thresholds.of(name, code):.2f}; * costs least", highlight=False)
    if found.n_true < _ENOUGH:
        out.print(f"only {found.n_true} true posts: too few to change a threshold on", highlight=False)
        return
    typer.echo(f'{name} = {{ "{code}" = {found.cheapest.threshold:.2f} }}')


@guarded
def compare(
    first: Annotated[Path, typer.Argument(help="Model folder A.")],
    second: Annotated[Path, typer.Argument(help="Model folder B.")],
    labels: LabelsArgument,
    draws: Annotated[int, typer.Option("--draws", min=100, help="Bootstrap samples.")] = 2000,
    config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """Is B better than A on these posts, where is it worse? Differences with 95% intervals by paired bootstrap.

    Each model is judged honestly on posts it learned from, by its own out-of-fold scores.
    """
    from screener.classify.classifier import Classifier
    from screener.classify.compare import paired_bootstrap

    settings = open_settings(config)
    posts = labelled(labels, settings)
    one, two = (judged(Classifier.from_settings(settings, folder), posts)[0] for folder in (first, second))
    rows = paired_bootstrap(posts, one, two, settings.label_ids, draws=draws)
    if output is Format.JSON:
        print_json(rows)
        return
    out.print(f"A: {first}; B: {second}", highlight=False)
    table = Table("F1 of", "n true", "A", "B", "B - A", "95% interval", "verdict")
    for row in rows:
        table.add_row(row.name, str(row.n), f"{row.first:.3f}", f"{row.second:.3f}", f"{row.difference:+.3f}", f"{row.low:+.3f} to {row.high:+.3f}", row.verdict)  # fmt: skip
    out.print(table)


@guarded
def explain(
    post_id: Annotated[str | None, typer.Argument(help="Id of a post in the lake; or give --text.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="A text instead of a post of the lake.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Its language; detected if left out.")] = None,
    model: ModelOption = None, workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None,
    output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """Say why a post was judged as it was: gate, probabilities beside thresholds, and the clause behind each signal."""
    from screener.classify.classifier import Classifier
    from screener.classify.explain import explanation
    from screener.detect_language import Detector

    settings = open_settings(config)
    if (post_id is None) == (text is None):
        raise UsageError("give either the id of a post or --text")
    if post_id is not None:
        from screener.store.lake import Lake
        from screener.store.lake_queries import text_and_language

        stored = text_and_language(Lake(open_workdir(workdir).lake), post_id)
        if stored is None:
            raise UsageError(f"post '{post_id}' is not in the lake of {workdir}, or its language was not detected yet")
        text, language = stored[0], language or stored[1]
    text = text or ""
    code = parse_language(language) if language else Detector(settings.runtime.detect_language).detect(text).language
    found = explanation(Classifier.from_settings(settings, model), text, code)
    if output is Format.JSON:
        print_json(found)
        return
    out.print(found.summary, highlight=False, markup=False)
    table = Table("question", "probability", "threshold", "", "because of")
    for line in found.lines:
        table.add_row(
            line.name,
            f"{line.probability:.2f}",
            f"{line.threshold:.2f}",
            "yes" if line.flagged else "",
            Text(line.because),
        )
    out.print(table)
