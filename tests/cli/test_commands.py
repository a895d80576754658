"""The commands without a cluster: every mistake is one line on stderr, with an exit code that is no verdict's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from showstopper import __version__
from showstopper.api.verdicts import Verdict
from showstopper.cli import main
from showstopper.cli.commands.report import Format, render
from showstopper.cli.exit_codes import ExitCode, of_verdict
from showstopper.cli.interruptible import WatchedObject, run_to_end
from showstopper.cli.kube.connection import Connection, namespace_of
from showstopper.cli.kube.run_request import NoOperator, RunRefused
from showstopper.cli.live.follow import Overdue
from showstopper.cli.main import COMMANDS, HIDDEN, app
from showstopper.cli.views import output
from showstopper.errors import SettingsError
from tests.cli.stand_ins import PROGRAM
from tests.report import build

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: c, user: u, namespace: first}}
- {name: two, context: {cluster: c, user: u}}
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {}}]
"""


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a cluster that nobody answers for."""
    file = tmp_path / "kubeconfig"
    file.write_text(KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", str(file))
    return file


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def assert_one_line(result: Result, code: ExitCode, said: str) -> None:
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output


def test_the_help_names_every_command_for_people_and_no_process() -> None:
    for result in (call(), call("--help")):
        assert result.exit_code == 0
        listed = {words[0] for line in result.output.splitlines() if (words := line.strip("│ ").split())}
        assert set(COMMANDS) - HIDDEN <= listed
        assert not HIDDEN & listed


@pytest.mark.parametrize(
    "name", [name for name in COMMANDS if name not in {"host", "listener", "crowd", "door", "operator"}]
)
def test_every_command_explains_itself(name: str) -> None:
    result = call(name, "--help")
    assert result.exit_code == 0
    assert f"{name} " in result.output


def test_the_version() -> None:
    assert call("version").stdout == f"{__version__}\n"


def test_what_was_typed_wrong_is_never_taken_for_a_verdict() -> None:
    assert_one_line(call("frobnicate"), ExitCode.USAGE, "frobnicate")
    assert_one_line(call("run"), ExitCode.USAGE, "FILE_OR_NAME")
    assert_one_line(call("run", "kill", "--sideways"), ExitCode.USAGE, "--sideways")
    assert_one_line(call("verdict", "kill", "-o", "stone"), ExitCode.USAGE, "stone")
    assert_one_line(call("report", "kill", "-o", "pdf"), ExitCode.USAGE, "pdf")
    assert ExitCode.USAGE not in {verdict.exit_code for verdict in Verdict}


def test_a_missing_file(kubeconfig: Path) -> None:
    assert_one_line(call("run", "nowhere.yaml"), ExitCode.ERROR, "cannot read nowhere.yaml: No such file")
    assert_one_line(call("preview", "nowhere.yaml"), ExitCode.ERROR, "cannot read nowhere.yaml: No such file")


@pytest.mark.parametrize("command", ["run", "watch", "verdict", "report", "preview"])
def test_no_kubeconfig(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert_one_line(call(command, "kill"), ExitCode.ERROR, "there is no kubeconfig at")


@pytest.mark.parametrize("words", ["just words", "a: [", "contexts: 7", "clusters: 4", "users: {a: b}", "\0"])
def test_a_file_that_is_no_kubeconfig(words: str, tmp_path: Path) -> None:
    (tmp_path / "words").write_text(words)
    assert_one_line(
        call("--kubeconfig", str(tmp_path / "words"), "verdict", "kill"), ExitCode.ERROR, "is not a kubeconfig"
    )


def test_a_context_that_is_not_there(kubeconfig: Path) -> None:
    assert_one_line(call("--context", "three", "verdict", "kill"), ExitCode.ERROR, "three")


def test_a_group_without_a_user(kubeconfig: Path) -> None:
    assert_one_line(call("--as-group", "staff", "verdict", "kill"), ExitCode.ERROR, "--as-group requires --as")


def test_names_with_slashes_are_refused(kubeconfig: Path) -> None:
    assert_one_line(
        call("verdict", "show/kill"),
        ExitCode.ERROR,
        'invalid name "show/kill": pass the name alone, and the namespace with -n',
    )


@pytest.mark.parametrize("name", ["kill?watch=1", "..", "a b", "Kill", "k" * 5000, "kill\n", "é", ""])
@pytest.mark.parametrize("command", ["run", "verdict", "report", "watch", "abort", "gate"])
def test_what_cannot_be_a_name_is_never_asked_for(command: str, name: str, kubeconfig: Path) -> None:
    result = call(command, name)
    assert_one_line(result, ExitCode.ERROR, "write a name of at most 63")
    assert len(result.stderr) < 400


def test_what_cannot_be_a_namespace_is_never_asked_for(kubeconfig: Path) -> None:
    assert_one_line(call("-n", "../show", "verdict", "kill"), ExitCode.ERROR, 'invalid namespace "../show": write')
    assert_one_line(call("-n", "Show", "history"), ExitCode.ERROR, 'invalid namespace "Show": write')


@pytest.mark.parametrize(
    "words", ["-n Show verdict kill", "verdict -n Show kill", "verdict kill -n Show", "verdict kill --namespace=Show"]
)
def test_options_for_the_cluster_are_taken_wherever_they_stand(words: str, kubeconfig: Path) -> None:
    assert_one_line(call(*words.split()), ExitCode.ERROR, 'invalid namespace "Show"')


def test_no_command_has_an_option_of_its_own_with_the_name_of_one_for_the_cluster() -> None:
    assert main.cluster_options_first(["stop", "--", "-n", "x"]) == ["stop", "--", "-n", "x"]
    assert main.cluster_options_first(["verdict", "kill", "-n"]) == ["verdict", "kill", "-n"]
    group: Any = get_command(app)
    for name in COMMANDS:
        command = group.get_command(None, name)
        own = {option for parameter in getattr(command, "params", ()) for option in parameter.opts}
        assert not own & main.CLUSTER_OPTIONS, name


def test_the_namespace_is_the_options_then_the_contexts_then_default(kubeconfig: Path) -> None:
    assert Connection(given_namespace="mine").namespace == "mine"
    assert Connection().namespace == "first"
    assert Connection(kubeconfig=kubeconfig, context="one").namespace == "first"
    assert Connection(context="two").namespace == "default"
    assert namespace_of({}, None) == ""
    assert namespace_of({"contexts": "nonsense", "current-context": "x"}, None) == ""


def test_several_kubeconfigs_count_in_their_order(
    kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.write_text("current-context: two\ncontexts: [{name: three, context: {namespace: third}}]\n")
    monkeypatch.setenv("KUBECONFIG", f"{kubeconfig}:{other}:{tmp_path / 'none'}")
    assert Connection().namespace == "first"
    assert Connection(context="three").namespace == "third"


def test_every_verdict_has_its_exit_code() -> None:
    assert [of_verdict(verdict) for verdict in Verdict] == [0, 1, 2, 3, 4]
    assert of_verdict("Splendid") is ExitCode.ERROR


@pytest.mark.parametrize(
    ("error", "ending", "said"),
    [
        (RunRefused("not labelled"), ExitCode.INCONCLUSIVE, "not labelled"),
        (Overdue("past its deadline"), ExitCode.INCONCLUSIVE, "past its deadline"),
        (NoOperator("nobody looks"), ExitCode.ERROR, "nobody looks"),
        (TimeoutError(), ExitCode.INCONCLUSIVE, "no verdict within 3 s"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, "the run continues; to abort it: showstopper -n show abort kill-1"),
    ],
)
def test_without_a_verdict_nothing_ends_with_zero(
    error: BaseException, ending: ExitCode, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> ExitCode:
        raise error

    watched = WatchedObject()
    watched.namespace, watched.run = "show", "kill-1"
    with pytest.raises(BaseException, match=str(int(ending)) if str(ending) else "") as caught:
        run_to_end(work(), watched, 3.0)
    assert getattr(caught.value, "exit_code", None) == ending
    assert said in capsys.readouterr().err


class LoginPage(BaseHTTPRequestHandler):
    """What a proxy shows to whoever has not logged in: a page, with status 200."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html><body>Log in</body></html>")

    do_POST = do_PATCH = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *words: object) -> None:
        """Quiet."""


@pytest.fixture
def behind_a_login(kubeconfig: Path) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), LoginPage)
    Thread(target=server.serve_forever, daemon=True).start()
    kubeconfig.write_text(KUBECONFIG.replace("127.0.0.1:1", f"127.0.0.1:{server.server_port}"))
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("behind_a_login")
@pytest.mark.parametrize(
    "words",
    ["verdict kill", "watch kill", "report kill", "preview kill", "run kill", "abort kill", "gate g", "history",
     "doctor", "gameday status d", "approve d a", "stop --reason x", "resume"],
)  # fmt: skip
def test_the_page_of_a_proxy_is_no_verdict(words: str) -> None:
    result = call(*words.split())
    assert (result.exit_code, result.stdout) == (ExitCode.ERROR, ""), result.output
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert "Log in" in last or "Expecting value" in last
    assert "Traceback" not in result.output


def test_what_nobody_expected_is_one_line_and_is_no_verdict(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise KeyError("items")

    monkeypatch.setattr(Connection, "open", broken)
    assert_one_line(call("verdict", "kill"), ExitCode.ERROR, "unexpected KeyError: 'items'")
    monkeypatch.setenv("SHOWSTOPPER_DEBUG", "1")
    result = call("verdict", "kill")
    assert result.exit_code == ExitCode.ERROR
    assert "Traceback" in result.stderr


def test_a_process_of_the_cluster_leaves_the_traceback_to_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def command() -> None:
        raise KeyError("items")

    monkeypatch.setattr("showstopper.cli.processes.archive.command", command)
    assert isinstance(call("archive").exception, KeyError)


@pytest.mark.parametrize("words", ["version", "--help"])
def test_a_full_disk_is_no_success(words: str) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([PROGRAM, words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (ExitCode.ERROR, 1), ended.stderr
    assert "No space left on device" in ended.stderr


@pytest.mark.parametrize("words", [["version"], ["--help"], ["report", "--help"], ["frobnicate"]])
def test_a_reader_that_leaves_is_no_failure(words: list[str]) -> None:
    code = ExitCode.USAGE if words == ["frobnicate"] else ExitCode.PASSED
    read, write = os.pipe()
    os.close(read)
    try:
        assert subprocess.run([PROGRAM, *words], stdout=write, stderr=write, check=False).returncode == code
    finally:
        os.close(write)


def test_a_report_that_cannot_be_drawn_here_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("jinja2", "showstopper.report.markdown", "showstopper.report.page"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delattr("showstopper.report.markdown", raising=False)
    monkeypatch.delattr("showstopper.report.page", raising=False)
    with pytest.raises(SettingsError, match=r"pip install 'showstopper\[report\]'"):
        render(build.record(), Format.HTML)
    assert render(build.record(), Format.JUNIT).startswith("<?xml")
    assert render(build.record(), Format.JSON).startswith("{")


def test_a_log_with_colours_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = output.screen()
    assert console.is_terminal, "this is what FORCE_COLOR does to rich"
    assert not output.is_live(console)
    assert console.width == output.LOG_COLUMNS


def test_nothing_heavy_is_loaded_before_a_command_is_called() -> None:
    """The operator's memory is bounded (80 MB at rest), and the control image has no audio libraries."""
    heavy = "rich livekit numpy kubernetes kopf jinja2 matplotlib"
    check = (
        "import sys, showstopper.cli.main;"
        f"print(sorted({{name.split('.')[0] for name in sys.modules}} & {{*'{heavy}'.split()}}))"
    )
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_settings_errors_are_one_line_even_with_line_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    from showstopper.cli.exit_codes import problem

    problem(str(SettingsError("first\n  second")))
    assert capsys.readouterr().err == "error: first second\n"
