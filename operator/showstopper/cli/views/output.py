"""Output: where pictures and verdicts are printed, and in which format."""

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer
import yaml
from rich.console import Console

from showstopper.api.run import ExperimentRun
from showstopper.cli.exit_codes import ExitCode, of_verdict
from showstopper.cli.views import verdict
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import EXPERIMENT_RUN

LOG_COLUMNS = 160


class OutputFormat(StrEnum):
    """Output formats of a verdict."""

    SHORT = "short"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"

    @property
    def for_programs(self) -> bool:
        """Whether another program reads stdout. Then the picture goes to stderr."""
        return self in {OutputFormat.JSON, OutputFormat.YAML}


FormOption = Annotated[OutputFormat, typer.Option("--output", "-o", help="Output format.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of an experiment or a run.")]
TimeoutOption = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="Timeout in seconds; exits with 2 when it expires.")
]


def screen(form: OutputFormat = OutputFormat.SHORT) -> Console:
    """The console for people: stdout, or stderr if a program reads stdout. Logs have long lines. NO_COLOR works.

    FORCE_COLOR, which is usual in CI, makes a log coloured, and does not make it a terminal.
    """
    stderr = form.for_programs
    if (sys.stderr if stderr else sys.stdout).isatty():
        return Console(stderr=stderr, highlight=False)
    return Console(stderr=stderr, highlight=False, width=LOG_COLUMNS)


def is_live(console: Console) -> bool:
    """Whether a picture can be drawn again and again. In a log it cannot, whatever FORCE_COLOR makes rich believe."""
    return console.is_terminal and console.file.isatty()


def document(body: Object, form: OutputFormat) -> None:
    """Print a document as JSON or YAML, an object without its managedFields."""
    body.get("metadata", {}).pop("managedFields", None)
    print(
        json.dumps(body, indent=2) if form is OutputFormat.JSON else yaml.safe_dump(body, sort_keys=False).rstrip("\n")
    )


async def show_verdict(client: Client, run: ExperimentRun, form: OutputFormat) -> ExitCode:
    """Print a run's verdict. Returns its exit code."""
    if form.for_programs:
        document(await client.get(EXPERIMENT_RUN, *run.key), form)
    else:
        screen().print(verdict.draw(run, wide=form is OutputFormat.WIDE))
    return of_verdict(run.status.verdict) if run.status.verdict else ExitCode.INCONCLUSIVE
