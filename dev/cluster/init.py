"""Process 1 of a node or of the control plane: mounts, then services, which it starts again when they end.

Runs inside its own namespaces (``python init.py PLAN.json``) on the standard library alone. When it is killed, the
kernel ends everything in its process namespace and undoes its mounts.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

RESTART_SECONDS = 1.0
SOCKET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """A program that shall run. `needs` is a socket that must answer before it is started, `niceness` as for nice."""

    name: str
    command: list[str]
    log: str
    needs: str | None = None
    niceness: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What process 1 does: bind mounts as (source, target), then services in this order."""

    hostname: str
    binds: list[tuple[str, str]]
    services: list[Service]


def read_plan(path: Path) -> Plan:
    """The plan in a JSON file."""
    fields = json.loads(path.read_text())
    binds = [(source, target) for source, target in fields["binds"]]
    return Plan(fields["hostname"], binds, [Service(**service) for service in fields["services"]])


def main(plan: Plan) -> None:
    """Set up, start all services, and keep them running for ever."""
    _set_up(plan)
    running = {}
    for service in plan.services:
        _await_socket(service)
        running[_start(service)] = service
    while True:
        pid, status = os.wait()  # also buries the orphans of containers
        service_ended = running.pop(pid, None)
        if service_ended is None:
            continue
        _say(f"{service_ended.name} ended with status {status}; starting it again")
        time.sleep(RESTART_SECONDS)
        running[_start(service_ended)] = service_ended


def _set_up(plan: Plan) -> None:
    socket.sethostname(plan.hostname)
    _mount("--make-rshared", "/")  # kubelet's volumes must reach the containers that share mounts
    _mount("-t", "proc", "proc", "/proc")
    for source, target in plan.binds:
        _mount("--bind", source, target)
        _mount("--make-rshared", target)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _start(service: Service) -> int:
    command = ["nice", f"--adjustment={service.niceness}", *service.command]
    with Path(service.log).open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    _say(f"{service.name} is process {process.pid}")
    process.returncode = 0  # os.wait above buries it; Popen must not try to
    return process.pid


def _await_socket(service: Service) -> None:
    if service.needs is None:
        return
    deadline = time.monotonic() + SOCKET_SECONDS
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(service.needs) == 0:
                return
        time.sleep(0.05)
    _say(f"{service.needs} does not answer; starting {service.name} nevertheless")


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


if __name__ == "__main__":
    main(read_plan(Path(sys.argv[1])))
