"""No failure goes unseen, and nothing works on for a supervisor that was killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dev.cluster import commands, errors, launch, waiting


def test_output_and_failure() -> None:
    assert commands.run(["cat"], stdin="hello") == "hello"
    with pytest.raises(errors.CommandError, match="ended with code 3: no luck") as raised:
        commands.run(["sh", "-c", "echo no luck >&2; exit 3"])
    assert raised.value.code == 3


def test_a_missing_program_is_a_failure_too() -> None:
    with pytest.raises(errors.CommandError, match="no-such-program"):
        commands.run(["no-such-program"])
    assert not commands.succeeds(["no-such-program"])


def test_a_logged_failure_shows_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "x.log"
    with pytest.raises(errors.CommandError, match=r"(?s)x\.log:.*line 99"):
        commands.run_logged(["sh", "-c", "for i in $(seq 99); do echo line $i; done; exit 1"], log)


def test_the_environment_is_added_to() -> None:
    assert commands.run(["sh", "-c", "echo $A:$PATH"], env={"A": "b"}).strip() == f"b:{os.environ['PATH']}"


def test_a_command_dies_with_its_killed_caller() -> None:
    code = "import sys; from dev.cluster import commands; commands.run(['sh', '-c', 'echo $$ >&2; exec sleep 1000'])"
    # the command's own output is captured, so it tells its id through a file that both have open
    code = code.replace("echo $$ >&2", f"echo $$ > /proc/{os.getpid()}/fd/{{fd}}")
    reader, writer = os.pipe()
    with subprocess.Popen([sys.executable, "-c", code.format(fd=writer)]) as caller:
        sleeper = int(os.read(reader, 20))
        caller.send_signal(signal.SIGKILL)
    os.close(reader)
    os.close(writer)
    waiting.until(lambda: launch.start_time(sleeper) is None, "the command is not dead", seconds=60)


def test_waiting_ends_when_it_is_so() -> None:
    answers = iter([False, False, True])
    waiting.until(lambda: next(answers), "never", seconds=60, every=0)


def test_waiting_names_what_did_not_come_and_shows_the_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("the reason\n")
    with pytest.raises(errors.NotReadyError, match=r"(?s)node1 is not Ready after 0 s.*the reason"):
        waiting.until(lambda: False, "node1 is not Ready", seconds=0, log=tmp_path / "log")


def test_waiting_gives_up_on_what_cannot_come() -> None:
    with pytest.raises(errors.NotReadyError, match="its process has ended"):
        waiting.until(lambda: False, "not ready", seconds=3600, give_up=lambda: True)
