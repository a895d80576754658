"""`showstopper report`: the result of a run or a game day, as a document."""

import asyncio
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from showstopper.api.game_day import GameDay
from showstopper.cli.exit_codes import ExitCode, note, of_verdict, problem
from showstopper.cli.files import save
from showstopper.cli.kube import lookup, performance, records
from showstopper.cli.kube.connection import Connection
from showstopper.cli.views.output import NameArgument
from showstopper.errors import SettingsError
from showstopper.report import data, junit
from showstopper.report.record import Day, Record


class Format(StrEnum):
    """Formats of a report."""

    HTML = "html"
    MARKDOWN = "md"
    JUNIT = "junit"
    JSON = "json"


def command(
    context: typer.Context,
    name: NameArgument,
    form: Annotated[Format, typer.Option("--output", "-o", help="Format of the report.")] = Format.MARKDOWN,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Write to FILE instead of stdout.")
    ] = None,
) -> None:
    """Write the report of a run, of the newest run of an experiment, or of a game day.

    Runs deleted from the cluster are read from the archive.

    HTML is a single self-contained file. Markdown is for a pull request or a job summary. JUnit has a test case for
    each expectation.

    Exit codes as for run. If that is on an earlier form of the experiment or the game day, this exits with 2.
    """
    raise typer.Exit(asyncio.run(_report(context.obj, name, form, file)))


async def _report(connection: Connection, name: str, form: Format, file: Path | None) -> ExitCode:
    async with connection.open() as client:
        subject = await records.find(client, connection.namespace, name)
        own, kind = subject.metadata.name, "game day" if isinstance(subject, GameDay) else "run"
        if not subject.finished:
            watch = f"gameday watch {own}" if isinstance(subject, GameDay) else f"watch {own}"
            problem(f"{kind} {own} has no verdict yet: showstopper {watch}")
            return ExitCode.INCONCLUSIVE
        spans = form is not Format.JUNIT
        if isinstance(subject, GameDay):
            record: Record | Day = await records.of_game_day(client, subject, spans=spans)
            why = performance.why_superseded(subject) or performance.why_without_verdict(subject)
        else:
            record = await records.of_run(client, subject, spans=spans)
            why = await lookup.why_outdated(client, name, subject)
    text = render(record, form)
    if file is None:
        print(text, end="")
    else:
        save(file, text)
        note(f"wrote {file}: {subject.status.verdict}, {kind} {subject.metadata.namespace}/{own}")
    if why:
        problem(why)
        return ExitCode.INCONCLUSIVE
    return of_verdict(subject.status.verdict or "")


def render(record: Record | Day, form: Format) -> str:
    """The report as text.

    Raises:
        SettingsError: a library that the format needs is not installed.
    """
    if form is Format.JUNIT:
        return junit.of_day(record) if isinstance(record, Day) else junit.of_run(record.run)
    if form is Format.JSON:
        return data.of_day(record) if isinstance(record, Day) else data.of_run(record)
    writer = _writer(form)
    text: str = writer.of_day(record) if isinstance(record, Day) else writer.of_run(record)
    return text


def _writer(form: Format) -> ModuleType:
    """What writes HTML or Markdown. Loaded when it is asked for: what draws takes half a second."""
    try:
        return import_module("showstopper.report." + ("page" if form is Format.HTML else "markdown"))
    except ImportError as error:
        raise SettingsError(
            f"a report in {form} needs {error.name}, which is not installed: pip install 'showstopper[report]' "
            "(from a checkout: pip install '.[report]'); -o json and -o junit need nothing"
        ) from error
