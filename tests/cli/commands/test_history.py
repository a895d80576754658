"""`showstopper history`, against a small HTTP server in the place of the API server's service proxy."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from showstopper.cli.commands import history
from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.main import app

RUN = {
    "uid": "uid-1",
    "namespace": "show",
    "name": "kill-[b]1",
    "askedAt": "2026-11-26T06:00:00.123456Z",
    "goneAt": None,
    "verdict": "Failed",
    "reason": "ExpectationMissed",
    "audible": "81.4%",
    "deadAir": "21s",
    "recovery": None,
}


class Archive(BaseHTTPRequestHandler):
    """Answers every question with what it was given, and keeps what was asked."""

    answer: tuple[int, Any] = (200, {"runs": []})
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, body = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    Archive.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Archive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = tmp_path / "kubeconfig"
        file.write_text(
            "current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
            f'clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{server.server_port}"}}}}]\n'
        )
        yield file
        server.shutdown()


def call(kubeconfig: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--kubeconfig", str(kubeconfig), "-n", "show", "history", *words])


def test_runs_are_listed_with_what_came_of_them(kubeconfig: Path) -> None:
    Archive.answer = 200, {"runs": [RUN, {**RUN, "name": "kill-0", "verdict": None, "goneAt": "2026-11-26T07:00:00Z"}]}
    done = call(kubeconfig, "kill", "--limit", "2", "--before", "uid-9")
    assert done.exit_code == 0
    first, second = done.stdout.splitlines()[1:]
    assert "2026-11-26 06:00:00" in first
    assert first.split()[2:] == ["kill-[b]1", "Failed", "ExpectationMissed", "81.4%", "21s", "uid-1"]
    assert "kill-0 (deleted)" in second
    assert Archive.asked[0].endswith("/v1/runs?namespace=show&experiment=kill&limit=2&before=uid-9")


def test_programs_get_json(kubeconfig: Path) -> None:
    Archive.answer = 200, {"runs": [RUN]}
    assert json.loads(call(kubeconfig, "-o", "json").stdout) == [RUN]


def test_nothing_is_said_to_be_nothing(kubeconfig: Path) -> None:
    Archive.answer = 200, {"runs": []}
    assert "the archive has no runs of experiment kill in namespace show" in call(kubeconfig, "kill").stdout


def test_without_an_archive_it_says_how_to_have_one(kubeconfig: Path) -> None:
    Archive.answer = 404, {"message": 'services "showstopper-archive" not found', "reason": "NotFound"}
    done = call(kubeconfig)
    assert done.exit_code == ExitCode.ERROR
    assert "archive.enabled=true" in done.stderr
    assert call(kubeconfig, "--limit", "0").exit_code == ExitCode.USAGE


def test_on_a_narrow_terminal_names_and_uids_are_whole() -> None:
    uid = "0a3f2a1e-5f0b-4f7e-9d2f-0a3f2a1e5f0b"
    run = {**RUN, "name": "relay-pod-kill-x7k2m9qp", "uid": uid}
    first, second = history.lines([run])
    assert first.plain == "2026-11-26 06:00:00 Failed (ExpectationMissed), audible 81.4%, dead air 21s"
    assert second.plain == f"    relay-pod-kill-x7k2m9qp  {uid}"
    assert len(second.plain) <= 80


def test_a_table_that_does_not_fit_is_told_in_lines(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Archive.answer = 200, {"runs": [RUN]}
    monkeypatch.setattr("showstopper.cli.views.output.LOG_COLUMNS", 40)
    assert "    kill-[b]1  uid-1" in call(kubeconfig).stdout.splitlines()
