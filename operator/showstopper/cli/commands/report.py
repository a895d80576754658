"""`showstopper report`: what came of a run, to keep and to hand on."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from showstopper.api.game_day import GameDay
from showstopper.cli.exit_codes import ExitCode, note, of_verdict, problem
from showstopper.cli.files import save
from showstopper.cli.kube import records
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views.output import NameArgument
from showstopper.errors import SettingsError
from showstopper.report import data, junit
from showstopper.report.record import Day, Record


class Format(StrEnum):
    """What a report is written in."""

    HTML = "html"
    MARKDOWN = "md"
    JUNIT = "junit"
    JSON = "json"


def command(
    context: typer.Context,
    name: NameArgument,
    form: Annotated[Format, typer.Option("--output", "-o", help="What it is written in.")] = Format.MARKDOWN,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Where to; stdout if left out.")
    ] = None,
) -> None:
    """Write the report of a run, of the newest run of an experiment, or of a game day. Exit codes as for run.

    Runs that are gone from the cluster are taken from the archive.

    HTML is one file that needs nothing else; Markdown is for a pull request or a job's summary; JUnit has a test case
    for each expectation.
    """
    raise typer.Exit(asyncio.run(_report(context.obj, name, form, file)))


async def _report(connection: Connection, name: str, form: Format, file: Path | None) -> ExitCode:
    async with connection.open() as client:
        found = await records.subject(client, connection.namespace, name)
        own, of = found.metadata.name, "game day" if isinstance(found, GameDay) else "run"
        if not found.finished:
            watch = f"gameday watch {own}" if isinstance(found, GameDay) else f"watch {own}"
            problem(f"{of} {own} has no verdict yet: showstopper {watch}")
            return ExitCode.INCONCLUSIVE
        spans = form is not Format.JUNIT
        if isinstance(found, GameDay):
            record: Record | Day = await records.day(client, found, spans=spans)
        else:
            record = await records.record(client, found, spans=spans)
    text = written(record, form)
    if file is None:
        print(text, end="")
    else:
        save(file, text)
        note(f"wrote {file}: {found.status.verdict}, {of} {found.metadata.namespace}/{own}")
    return of_verdict(found.status.verdict or "")


def written(record: Record | Day, form: Format) -> str:
    """The report as text.

    Raises:
        SettingsError: what it takes to write it is not installed.
    """
    if form is Format.JUNIT:
        return junit.of_day(record) if isinstance(record, Day) else junit.of_run(record.run)
    if form is Format.JSON:
        return data.of_day(record) if isinstance(record, Day) else data.of_run(record)
    try:
        # They are not needed by who reads no reports, and drawing takes half a second to load.
        from showstopper.report import markdown, page  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            f"a report in {form} needs {error.name}, which is not installed: pip install 'showstopper[report]' "
            "(from a checkout: pip install '.[report]'); -o json and -o junit need nothing"
        ) from error
    if isinstance(record, Day):
        return page.of_day(record) if form is Format.HTML else markdown.of_day(record)
    return page.of_run(record) if form is Format.HTML else markdown.of_run(record)
