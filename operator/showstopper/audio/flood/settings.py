"""Settings of the flooder, from its container's environment. Everything that bounds it must be set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from showstopper.api.schema.shapes import Shape
from showstopper.audio.flood.variables import Variables, word
from showstopper.errors import SettingsError
from showstopper.faults import endpoint, task
from showstopper.faults.endpoint import Endpoint, Special
from showstopper.faults.flood import bounds
from showstopper.faults.flood import settings as names
from showstopper.faults.flood.sending import Flood


@dataclass(frozen=True, slots=True)
class FlooderSettings:
    """What the flooder sends, where to, and when it ends.

    Attributes:
        packets: the budget.
        end: Unix seconds.
        special: kinds of addresses that are allowed although they are no single pod's.
        report: where the last line is written, too.
        gate: the port of the loopback at which it is told that its gate is up. None: there is none to wait for.
    """

    targets: tuple[Endpoint, ...]
    flood: Flood
    packets: int
    end: float
    special: frozenset[Special] = frozenset()
    report: Path | None = None
    gate: int | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str], now: float) -> FlooderSettings:
        """From the variables of `faults.flood.settings`.

        Args:
            environment: the container's.
            now: Unix seconds.

        Raises:
            SettingsError: for the first that is missing or wrong, by name and with what to write.
        """
        variables = Variables(environment)
        special = frozenset(word(Special, names.SPECIAL, text) for text in variables.list(names.SPECIAL))
        packets = variables.whole(names.PACKETS, 1, bounds.MOST_PACKETS)
        report = variables.optional(names.REPORT)
        return cls(
            targets=targets(variables, special, names.TARGETS, names.WITHIN),
            flood=_flood(variables, packets),
            packets=packets,
            end=end(variables, now, names.END),
            special=special,
            report=Path(report) if report else None,
            gate=gate(variables, names.GATE),
        )


def _flood(variables: Variables, packets: int) -> Flood:
    flood = Flood(
        shape=word(Shape, names.SHAPE, variables.text(names.SHAPE)),
        size=variables.whole(names.SIZE, 1, bounds.LARGEST),
        rate=_rate(variables),
        sources=variables.whole(names.SOURCES, 1, bounds.MOST_SOURCES),
        duration=_duration(variables),
        packets=packets,
    )
    for objection in bounds.objections(flood):
        raise SettingsError(f"no such flood: {objection}")
    return flood


def _rate(variables: Variables) -> int | None:
    fast = names.AS_FAST_AS_POSSIBLE
    if variables.text(names.RATE) == fast:
        return None
    return variables.whole(names.RATE, 1, bounds.FASTEST, f', or "{fast}" for as fast as possible')


def _duration(variables: Variables) -> timedelta:
    shortest, longest = bounds.SHORTEST.total_seconds(), bounds.LONGEST.total_seconds()
    return timedelta(seconds=variables.number(names.SECONDS, shortest, longest))


def gate(variables: Variables, name: str) -> int | None:
    """The port of the loopback at which a pod of the crowd waits for its gate. None: there is no gate."""
    if variables.text(name) == task.NO_GATE:
        return None
    return variables.whole(name, 1, 65535, f', or "{task.NO_GATE}" where there is none')


def end(variables: Variables, now: float, name: str) -> float:
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


def targets(variables: Variables, special: frozenset[Special], name: str, within: str) -> tuple[Endpoint, ...]:
    """The targets, each within what was given, and each once: a doubled one would get twice its part.

    Args:
        variables: the container's.
        special: kinds of addresses that are allowed although they are no single pod's.
        name: of the variable that has them.
        within: of the one that has the networks that they are in.
    """
    endpoints = tuple(dict.fromkeys(_endpoint(name, text) for text in variables.text(name).split(",")))
    if len(endpoints) > task.MOST_TARGETS:
        raise SettingsError(f"{name} has {len(endpoints)} targets; write at most {task.MOST_TARGETS}")
    variables.text(within)
    networks = [_network(within, text) for text in variables.list(within)]
    for target in endpoints:
        objection = endpoint.objection_to(target, special)
        if objection:
            raise SettingsError(f"{name} has {target}: {objection}")
        if not any(ip_address(target.address) in network for network in networks):
            raise SettingsError(f"{name} has {target}, which is not within {within}")
    return endpoints


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
