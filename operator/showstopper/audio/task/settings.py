"""Settings that every task has, from its container's environment. What bounds it must be set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from showstopper.audio.task.variables import Variables, word
from showstopper.errors import SettingsError
from showstopper.faults import endpoint, task
from showstopper.faults.endpoint import Endpoint, SpecialAddress
from showstopper.faults.task import Names


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """Where a task sends to, and when it ends.

    Attributes:
        targets: each once, and within what it was given.
        end: Unix seconds.
        special: kinds of addresses that are allowed although they are no single pod's.
        report: where the last line is written, too.
        gate: the port of the loopback at which it is told that its gate is up. None: there is none to wait for.
    """

    targets: tuple[Endpoint, ...]
    end: float
    special: frozenset[SpecialAddress] = frozenset()
    report: Path | None = None
    gate: int | None = None

    @classmethod
    def read(cls, variables: Variables, names: Names, now: float) -> TaskSettings:
        """From the variables that a kind of task calls by these names.

        Args:
            variables: the container's.
            names: as its kind has them.
            now: Unix seconds.

        Raises:
            SettingsError: for the first that is missing or wrong, by name and with what to write.
        """
        special = frozenset(word(SpecialAddress, names.special, text) for text in variables.list(names.special))
        report = variables.optional(names.report)
        return cls(
            targets=_targets(variables, special, names),
            end=_end(variables, names.end, now),
            special=special,
            report=Path(report) if report else None,
            gate=_gate(variables, names.gate),
        )


def _targets(variables: Variables, special: frozenset[SpecialAddress], names: Names) -> tuple[Endpoint, ...]:
    """The targets, each within what was given, and each once: a doubled one would get twice its part."""
    targets = tuple(dict.fromkeys(_endpoint(names.targets, text) for text in variables.text(names.targets).split(",")))
    if len(targets) > task.MOST_TARGETS:
        raise SettingsError(f"{names.targets} has {len(targets)} targets; write at most {task.MOST_TARGETS}")
    variables.text(names.within)
    networks = [_network(names.within, text) for text in variables.list(names.within)]
    for target in targets:
        objection = endpoint.objection_to(target, special)
        if objection:
            raise SettingsError(f"{names.targets} has {target}: {objection}")
        if not any(ip_address(target.address) in network for network in networks):
            raise SettingsError(f"{names.targets} has {target}, which is not within {names.within}")
    return targets


def _endpoint(name: str, text: str) -> Endpoint:
    """Read "198.18.1.5:7882" or "[fd00::5]:7882"."""
    host, _, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not (port.isascii() and port.isdecimal() and len(port) <= 5) or not host or (":" in host) is not bracketed:
        raise SettingsError(f"{name} has {text!r}; write address:port, IPv6 addresses as [address]:port")
    return Endpoint(host.strip("[]"), int(port))


def _network(name: str, text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingsError(f"{name} has {text!r}; write addresses or CIDRs") from error


def _end(variables: Variables, name: str, now: float) -> float:
    """The absolute end. One that has passed is no mistake: the pod came too late, and sends nothing."""
    text = variables.text(name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SettingsError(f"{name} is {text!r}; write a time like 2026-01-31T20:00:00Z")
    if moment.timestamp() > now + task.FURTHEST_END.total_seconds():
        raise SettingsError(f"{name} is {text}; it must come within {task.FURTHEST_END} from now")
    return moment.timestamp()


def _gate(variables: Variables, name: str) -> int | None:
    """The port of the loopback at which a pod of the crowd waits for its gate. None: there is no gate."""
    if variables.text(name) == task.NO_GATE:
        return None
    return variables.whole(name, 1, 65535, f', or "{task.NO_GATE}" where there is none')
