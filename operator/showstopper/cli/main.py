"""The command line `showstopper`, also `kubectl showstopper`: its commands, each loaded only when it is called."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, TyperException

from showstopper.cli import streams
from showstopper.cli.exit_codes import ExitCode, problem
from showstopper.cli.kube.connection import Connection
from showstopper.errors import NotRunYet, RunDeleted, ShowstopperError

COMMANDS = {
    "run": "showstopper.cli.commands.run",
    "watch": "showstopper.cli.commands.watch",
    "verdict": "showstopper.cli.commands.verdict",
    "history": "showstopper.cli.commands.history",
    "report": "showstopper.cli.commands.report",
    "preview": "showstopper.cli.commands.preview",
    "abort": "showstopper.cli.commands.abort",
    "stop": "showstopper.cli.commands.stop",
    "resume": "showstopper.cli.commands.resume",
    "gameday": "showstopper.cli.commands.game_day",
    "approve": "showstopper.cli.commands.approve",
    "gate": "showstopper.cli.commands.gate",
    "doctor": "showstopper.cli.commands.doctor",
    "version": "showstopper.cli.commands.version",
    "operator": "showstopper.cli.processes.operator",
    "agent": "showstopper.cli.processes.agent",
    "archive": "showstopper.cli.processes.archive",
    "before-uninstall": "showstopper.cli.commands.before_uninstall",
    "host": "showstopper.cli.processes.host",
    "listener": "showstopper.cli.processes.listener",
    "crowd": "showstopper.cli.processes.crowd",
    "door": "showstopper.cli.processes.door",
}
"""Commands in the order of the help. Each module has a function `command`, or a `group` of commands."""
HIDDEN = frozenset({"operator", "agent", "archive", "before-uninstall", "host", "listener", "crowd", "door"})
"""Processes of the cluster, which the charts start: the help does not list them."""
CLUSTER_OPTIONS = frozenset({"--kubeconfig", "--context", "--namespace", "-n", "--as", "--as-group"})
"""Options of every command, as `options` declares them. No command has one of its own with such a name."""
DEBUG_VARIABLE = "SHOWSTOPPER_DEBUG"
"""If this is set, what nobody expected is printed with its traceback."""


class LazyCommands(TyperGroup):
    """Loads the module of a command when it is needed, so that the operator's process loads no tables."""

    _is_process = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the caller's signature
        """All names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the caller's signature
        """The command of that name, loaded now. None: there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(COMMANDS[cmd_name])
        if hasattr(module, "group"):
            group = typer.main.get_group(module.group)
            group.name = cmd_name
            return group
        single = typer.Typer(add_completion=False)
        single.command(cmd_name, hidden=cmd_name in HIDDEN)(module.command)
        return typer.main.get_command(single)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the options for the cluster wherever they stand."""
        parsed: list[str] = super().parse_args(ctx, cluster_options_first(args))
        return parsed

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called. It decides who is told of an error: people, or the log of a process."""
        name, *rest = super().resolve_command(ctx, args)
        self._is_process = name in HIDDEN
        return name, *rest

    def main(self, args: Sequence[str] | None = None, *others: Any, **more: Any) -> Any:
        """Run a command and exit with its code. Errors are one line on stderr."""
        words = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(words or ["--help"], *others, **{**more, "standalone_mode": False})
            streams.finish()
        except TyperException as error:
            problem(f"{error.format_message()} (see showstopper --help)")
            code = ExitCode.USAGE
        except (NotRunYet, RunDeleted) as error:
            problem(str(error))
            code = ExitCode.INCONCLUSIVE
        except ShowstopperError as error:
            problem(str(error))
            code = ExitCode.ERROR
        except Abort:
            code = ExitCode.INTERRUPTED
        except Exception as error:  # whatever it is, it must not end with 1, which means Failed
            if self._is_process:
                raise
            _tell_unexpected(error)
            code = ExitCode.ERROR
        sys.exit(code if isinstance(code, int) else 0)


def cluster_options_first(words: Sequence[str]) -> list[str]:
    """The words of a command with the options for the cluster before all others: kubectl takes them anywhere, too."""
    options: list[str] = []
    others: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*options, *others, word, *rest]
        if word in CLUSTER_OPTIONS and rest:
            options += [word, rest.pop(0)]
        elif word.partition("=")[0] in CLUSTER_OPTIONS and "=" in word:
            options.append(word)
        else:
            others.append(word)
    return [*options, *others]


def _tell_unexpected(error: Exception) -> None:
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    problem(f"unexpected {type(error).__name__}: {error} (with {DEBUG_VARIABLE}=1: where it happened)")


app = typer.Typer(
    cls=LazyCommands,
    pretty_exceptions_enable=False,
    help="Break a live audio room on purpose, and measure what its listeners hear.",
)


@app.callback()
def options(  # noqa: PLR0917 - typer reads them as options
    context: typer.Context,
    kubeconfig: Annotated[Path | None, typer.Option(help="Path to the kubeconfig.", metavar="FILE")] = None,
    kube_context: Annotated[
        str | None, typer.Option("--context", metavar="NAME", help="Context of the kubeconfig.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", metavar="NAME", help="Namespace. Default: the context's.")
    ] = None,
    as_user: Annotated[str | None, typer.Option("--as", metavar="USER", help="User to impersonate.")] = None,
    as_group: Annotated[
        str | None, typer.Option("--as-group", metavar="GROUP", help="Group to impersonate. Requires --as.")
    ] = None,
) -> None:
    """Which cluster and namespace to use, as for kubectl."""
    context.obj = Connection(kubeconfig, kube_context, namespace, as_user, as_group)


def main() -> None:
    """Entry point of `showstopper` and `kubectl-showstopper`."""
    streams.outlive_readers()
    app()
