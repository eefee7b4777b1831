"""``review`` and ``release``: the experts' work at a terminal."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

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
    utc_now,
)
from screener.codes import country_name, language_name
from screener.errors import ParseError, UsageError
from screener.records import Decision, ReviewItem, Voice
from screener.review.decide import check_decision
from screener.settings import Settings

ReviewerOption = Annotated[
    str, typer.Option("--reviewer", envvar="SCREENER_REVIEWER", help="Who judges; a short name or initials.")
]


def add_to(app: typer.Typer) -> None:
    """Register the command groups."""
    group = typer.Typer(
        no_args_is_help=True, help="Judge posts from the review queue, and exchange decisions as files."
    )
    for command in (fill, status):
        group.command()(command)
    group.command("next")(next_)
    group.command()(decide)
    group.command("export")(export)
    group.command("import")(import_)
    app.add_typer(group, name="review")
    releases = typer.Typer(no_args_is_help=True, help="Sign off a run as an immutable release.")
    releases.command()(create)
    releases.command("list")(list_)
    app.add_typer(releases, name="release")


@guarded
def fill(workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None) -> None:
    """Add the random audit and the most uncertain posts of the lake to the queue; `screener run` does this too."""
    from screener.cli.stages import lake_stage
    from screener.pipeline import run_review

    lake_stage(workdir, config, None, None, run_review)


@guarded
def status(
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None, output: FormatOption = Format.TABLE
) -> None:
    """Count items and decisions."""
    from screener.pipeline.context import open_reader
    from screener.store import reviews
    from screener.store.database import reading

    with open_reader(open_settings(config), open_workdir(workdir)) as engine, reading(engine) as connection:
        counts = reviews.queue_counts(connection)
    if output is Format.JSON:
        print_json(counts)
    else:
        out.print(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(counts.items())))


@guarded
def next_(
    reviewer: ReviewerOption,
    language: Annotated[list[str] | None, typer.Option("--language", help="Only posts in these languages; may be given several times.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="Only posts of this country.")] = None,
    stratum: Annotated[str | None, typer.Option("--stratum", help="audit (random) or active (uncertain).")] = None,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """Show the next post to judge, without what the model thinks: a judgement must be the reviewer's own."""
    from screener.pipeline.context import open_reader
    from screener.store import reviews
    from screener.store.database import reading

    if stratum not in (None, "audit", "active"):
        raise UsageError(f"--stratum '{stratum}': legal values: audit, active")
    settings = open_settings(config)
    with open_reader(settings, open_workdir(workdir)) as engine, reading(engine) as connection:
        item = reviews.next_item(connection, reviewer, languages=language or (), country=country, stratum=stratum)
    if output is Format.JSON:
        print_json(None if item is None else _blind(item))
    elif item is None:
        out.print("The queue holds nothing more for you. `screener run` adds new posts.")
    else:
        _show(item, settings, reviewer)


def _blind(item: ReviewItem) -> dict[str, Any]:
    row = asdict(item)
    row.pop("proposed")
    return row


def _show(item: ReviewItem, settings: Settings, reviewer: str) -> None:
    mark = "  (invented)" if item.invented else ""
    out.print(
        f"[bold]{item.item_id}[/bold]  {country_name(item.country)} / {item.sector}, {language_name(item.language)}{mark}\n",
        highlight=False,
    )
    out.print(item.text, markup=False, highlight=False, soft_wrap=True)
    out.print("\nLabels: " + ", ".join(settings.label_ids), style="dim", highlight=False)
    out.print(
        f"Decide: screener review decide {item.item_id} --reviewer {reviewer} --relevant --voice testimony --signal wage_withholding",
        highlight=False,
    )
    out.print(f"     or screener review decide {item.item_id} --reviewer {reviewer} --not-relevant", highlight=False)


@guarded
def decide(
    item: Annotated[str, typer.Argument(help="Id of the item, as `screener review next` shows it.")],
    reviewer: ReviewerOption,
    relevant: Annotated[bool, typer.Option("--relevant/--not-relevant", help="Does it speak about the working life of real workers?")],
    voice: Annotated[str, typer.Option("--voice", help="testimony, report, opinion, advert; none if not relevant.")] = "none",
    signal: Annotated[list[str] | None, typer.Option("--signal", help="A label that the text alleges or describes; may be given several times.")] = None,
    positive: Annotated[bool, typer.Option("--positive", help="Reports good conditions or an improvement.")] = False,
    unsure: Annotated[bool, typer.Option("--unsure", help="Keep the decision, but mark it for a second look.")] = False,
    note: Annotated[str | None, typer.Option("--note", help="Why, in a few words. No names.")] = None,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None,
) -> None:  # fmt: skip
    """Judge one post by the guide's four questions. A second decision by the same reviewer replaces the first."""
    from screener.pipeline.context import open_reader
    from screener.store import reviews
    from screener.store.database import writing

    settings = open_settings(config)
    decision = _decision(
        settings,
        item,
        reviewer,
        relevant=relevant,
        voice=voice,
        signals=signal or [],
        positive=positive,
        unsure=unsure,
        note=note,
    )
    with open_reader(settings, open_workdir(workdir)) as engine, writing(engine) as connection:
        reviews.save_decision(connection, decision)
    err.print(f"saved {item}", highlight=False)


def _decision(
    settings: Settings, item: str, reviewer: str, *, voice: str, signals: list[str], **answers: Any
) -> Decision:
    if voice not in list(Voice):
        raise UsageError(f"--voice '{voice}': legal values: {', '.join(Voice)}")
    decision = Decision(
        item, reviewer, voice=Voice(voice), signals=tuple(dict.fromkeys(signals)), decided_at=utc_now(), **answers
    )
    check_decision(decision, settings.label_ids)
    return decision


@guarded
def export(
    file: Annotated[Path, typer.Argument(help="JSONL to write: decisions in the guide's record format, ready for `screener train --labels`.")],
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None,
) -> None:  # fmt: skip
    """Write all decisions as labelled posts (scrubbed text), with reviewer and stratum."""
    from screener.pipeline.context import open_reader
    from screener.review.exchange import decision_line
    from screener.store import reviews
    from screener.store.database import reading

    with open_reader(open_settings(config), open_workdir(workdir)) as engine, reading(engine) as connection:
        decided = reviews.list_decisions(connection)
    lines = [
        json.dumps(decision_line(found, decision), ensure_ascii=False) + "\n"
        for found, decision in decided
        if found.text
    ]
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text("".join(lines), encoding="utf-8")
    temporary.replace(file)
    err.print(f"{len(lines)} decisions written to {file}", highlight=False)


@guarded
def import_(
    file: Annotated[Path, typer.Argument(help="JSONL as `screener review export` writes it.")],
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None,
) -> None:  # fmt: skip
    """Take in decisions that were made elsewhere, all or none; their items must be in this queue."""
    from screener.pipeline.context import open_reader
    from screener.review.exchange import parse_decision
    from screener.store import reviews
    from screener.store.database import writing

    settings = open_settings(config)
    if not file.is_file():
        raise UsageError(f"{file}: no such file")
    decisions = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            decision = parse_decision(line, f"{file}:{number}")
            check_decision(decision, settings.label_ids)
            decisions.append(decision)
    if not decisions:
        raise ParseError(str(file), "holds no decisions")
    with open_reader(settings, open_workdir(workdir)) as engine, writing(engine) as connection:
        for decision in decisions:
            reviews.save_decision(connection, decision)
    err.print(f"{len(decisions)} decisions taken in", highlight=False)


@guarded
def create(
    signed_by: Annotated[str, typer.Option("--signed-by", help="Who signs; stands in every answer made from the release.")],
    run: Annotated[str | None, typer.Option("--run", help="Run to release; the newest finished one by default.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="What readers of the release should know.")] = None,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None,
) -> None:  # fmt: skip
    """Sign off a run. Its figures never change again; answers come from the newest release."""
    from screener.pipeline.context import open_reader
    from screener.pipeline.review import make_release

    settings = open_settings(config)
    with open_reader(settings, open_workdir(workdir)) as engine:
        release = make_release(engine, settings, run_id=run, signed_by=signed_by, note=note, now=utc_now())
    out.print(f"release {release.release_id} of run {release.run_id}, sha256 {release.content_sha256}", highlight=False)


@guarded
def list_(
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None, output: FormatOption = Format.TABLE
) -> None:
    """List releases, newest first."""
    from screener.pipeline.context import open_reader
    from screener.store import reviews
    from screener.store.database import reading

    with open_reader(open_settings(config), open_workdir(workdir)) as engine, reading(engine) as connection:
        found = reviews.list_releases(connection)
    if output is Format.JSON:
        print_json([{key: value for key, value in asdict(release).items() if key != "content"} for release in found])
    for release in found if output is Format.TABLE else ():
        out.print(
            f"{release.release_id}  run {release.run_id}  signed by {release.signed_by}  sha256 {release.content_sha256[:12]}",
            highlight=False,
        )
