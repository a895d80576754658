"""Plays the operator and a person at a terminal.

No operator runs here: what the command line makes of a status must hold for every status that an operator may write,
also for those that a real run reaches once in a hundred times. The real pair is tried in e2e/.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from dev.cluster import errors, waiting
from dev.cluster.apiserver import ApiServer
from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.api.verdicts import Verdict
from showstopper.cli.main import app
from showstopper.engine.runs.requests import RUN_REQUESTED
from tests.support import build

PROGRAM = str(Path(sys.executable).with_name("showstopper"))
NOW = "2026-01-01T00:00:00.000000Z"
SECONDS = 60


class Person:
    """Calls the command line, as an administrator or as somebody else."""

    def __init__(self, server: ApiServer, kubeconfig: Path | None = None) -> None:
        self._environment = {**os.environ, "KUBECONFIG": str(kubeconfig or server.kubeconfig), "NO_COLOR": "1"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PROGRAM, "--namespace", "show", *words],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # As from a terminal: what a script starts in the background is deaf to Ctrl-C, with all that it starts.
            preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - no other thread of the tests holds a lock of signal's
        )

    def call(self, *words: str) -> tuple[int, str, str]:
        """The same to its end, in this process: loading all modules afresh takes longer than most commands."""
        result = CliRunner().invoke(app, ["--namespace", "show", *words], env=self._environment)
        return result.exit_code, result.stdout, result.stderr


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


class Operator:
    """Answers requests of one experiment."""

    def __init__(self, server: ApiServer, name: str) -> None:
        self._server = server
        self.name = name

    def experiment(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self._kubectl("get", "experiment", self.name, "--output=json"))
        return body

    def apply(self, **spec: Any) -> None:
        self._kubectl("apply", "--filename=-", stdin=json.dumps(manifest(self.name, **spec)))

    def exists(self) -> bool:
        try:
            self.experiment()
        except errors.CommandError:
            return False
        return True

    def requested(self) -> str:
        return str(self.experiment()["metadata"].get("annotations", {}).get(RUN_REQUESTED, ""))

    def await_request(self) -> None:
        waiting.until(lambda: bool(self.requested()), "no run was asked for", seconds=SECONDS)

    def await_experiment(self) -> None:
        waiting.until(self.exists, "nothing was applied", seconds=SECONDS)

    def make_run(self, name: str, *, request: str | None = None) -> ExperimentRun:
        """The run that answers what is asked for now, as the operator makes it."""
        experiment = self.experiment()
        origin = {
            "name": self.name,
            "uid": experiment["metadata"]["uid"],
            "generation": experiment["metadata"]["generation"],
            "runRequest": self.requested() if request is None else request,
        }
        run = build.run(name, experiment=origin, deadline="2099-01-01T00:00:00Z")
        body = {
            "apiVersion": "showstopper.dev/v1alpha1",
            "kind": "ExperimentRun",
            "metadata": {"name": name, "namespace": "show", "labels": {"showstopper.dev/experiment": self.name}},
            "spec": dump(run.spec),
        }
        self._kubectl("create", "--filename=-", stdin=json.dumps(body))
        return run

    def judge(self, run: ExperimentRun, verdict: str, reason: str = "Judged", **more: Any) -> None:
        """`more`: of the run's status."""
        outlook = conditions.succeeded if verdict == Verdict.PASSED else conditions.failed
        status = {
            "observedGeneration": 1,
            "conditions": _conditions(outlook(Reason(reason), "so it is"), 1),
            "startedAt": NOW,
            "finishedAt": NOW,
            "steps": [{"name": "Judged", "startedAt": NOW, "completedAt": NOW}],
            "verdict": verdict,
            "reason": reason,
            "message": "so it is",
            **more,
        }
        self._status("experimentrun", run.metadata.name, status)
        origin = run.spec.experiment
        handled = {"lastHandledRunRequest": origin.run_request} if origin.run_request else {}
        if origin.generation < self.experiment()["metadata"]["generation"]:
            self.show(conditions.in_progress(Reason.PLANNED, "the run of what was changed meanwhile"), **handled)
        else:
            self.show(outlook(Reason(reason), "so it is"), **handled)

    def show(self, outlook: Outlook, **status: Any) -> None:
        """Where the experiment stands."""
        generation = self.experiment()["metadata"]["generation"]
        full_status = {"observedGeneration": generation, "conditions": _conditions(outlook, generation), **status}
        self._status("experiment", self.name, full_status)

    def _status(self, kind: str, name: str, status: dict[str, Any]) -> None:
        patch = json.dumps([{"op": "add", "path": "/status", "value": status}])
        self._kubectl("patch", kind, name, "--subresource=status", "--type=json", f"--patch={patch}")

    def _kubectl(self, *words: str, stdin: str | None = None) -> str:
        return self._server.kubectl("--namespace=show", *words, stdin=stdin)


def manifest(name: str, **spec: Any) -> dict[str, Any]:
    """An experiment as a person writes it."""
    return {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {
            "roomRef": {"name": "main-stage"},
            "faults": [build.fault()],
            "expect": [{"indicator": "AudibleRatio", "min": "70%"}],
            **spec,
        },
    }


def _conditions(outlook: Outlook, generation: int) -> list[dict[str, Any]]:
    return [dump(condition) for condition in conditions.conditions(outlook, generation=generation, now=NOW)]
