"""Start one process that outlives its starter: recorded first, then put into its cgroups, then started.

Runs as a program of its own (``python launch.py LEDGER NAME LOG CGROUPS -- COMMAND...``) on the standard library alone,
because forking safely needs a process without threads. It ends when the command has been started, or says why not.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/",
    "GOGC": "400",
}
"""All that daemons get: with the user's proxy settings the API server would call webhooks through that proxy.

Collecting garbage is a quarter of the API server's work by default (a profile of it, killing pods). With GOGC=400 it is
done a quarter as often, for twice the memory: 1 GB.
"""


def main(arguments: list[str]) -> int:
    """Start what the arguments say. 0 when it runs. 1, with the reason on standard error, when it could not start."""
    ledger, name, log, cgroups = arguments[:4]
    command = arguments[5:]
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        try:
            _become(Path(ledger), name, Path(log), [Path(each) for each in cgroups.split(":") if each], command)
        except OSError as error:
            os.write(writer, str(error).encode())
        os._exit(127)
    os.close(writer)
    problem = os.read(reader, 4096)  # ends when the pipe closes, which a successful exec does by itself
    if problem:
        sys.stderr.write(f"{name} did not start: {problem.decode()}\n")
    return 1 if problem else 0


def start_time(pid: int) -> int | None:
    """When the process started, in clock ticks since boot (proc(5), field 22 of stat). None if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _become(ledger: Path, name: str, log: Path, cgroups: list[Path], command: list[str]) -> None:
    os.setsid()
    pid = os.getpid()
    entry = {"kind": "process", "name": name, "pid": pid, "started": start_time(pid)}
    with ledger.open("a") as file:
        file.write(json.dumps(entry) + "\n")
    for cgroup in cgroups:
        (cgroup / "cgroup.procs").write_text(str(pid))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # pods inherit it, and a shell's 1024 is few for a crowd
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.execvpe(command[0], command, ENVIRONMENT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
