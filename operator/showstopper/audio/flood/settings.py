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
from showstopper.faults.flood import bounds
from showstopper.faults.flood import settings as names
from showstopper.faults.flood.bounds import Special
from showstopper.faults.flood.sending import Endpoint, Flood


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
            targets=_targets(variables, special),
            flood=_flood(variables, packets),
            packets=packets,
            end=_end(variables, now),
            special=special,
            report=Path(report) if report else None,
            gate=_gate(variables),
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


def _gate(variables: Variables) -> int | None:
    if variables.text(names.GATE) == names.NO_GATE:
        return None
    return variables.whole(names.GATE, 1, 65535, f', or "{names.NO_GATE}" where there is none')


def _end(variables: Variables, now: float) -> float:
    """The absolute end. One that has passed is no mistake: the pod came too late, and sends nothing."""
    text = variables.text(names.END)
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        end = None
    if end is None or end.tzinfo is None:
        raise SettingsError(f"{names.END} is {text!r}; write a time like 2026-01-31T20:00:00Z")
    if end.timestamp() > now + bounds.FURTHEST_END.total_seconds():
        raise SettingsError(f"{names.END} is {text}; it must come within {bounds.FURTHEST_END} from now")
    return end.timestamp()


def _targets(variables: Variables, special: frozenset[Special]) -> tuple[Endpoint, ...]:
    """The targets, each within what was given, and each once: a doubled one would get twice its part."""
    targets = tuple(dict.fromkeys(_endpoint(text) for text in variables.text(names.TARGETS).split(",")))
    if len(targets) > bounds.MOST_TARGETS:
        raise SettingsError(f"{names.TARGETS} has {len(targets)} targets; write at most {bounds.MOST_TARGETS}")
    variables.text(names.WITHIN)
    networks = [_network(text) for text in variables.list(names.WITHIN)]
    for target in targets:
        objection = bounds.objection_to(target, special)
        if objection:
            raise SettingsError(f"{names.TARGETS} has {target}: {objection}")
        if not any(ip_address(target.address) in network for network in networks):
            raise SettingsError(f"{names.TARGETS} has {target}, which is not within {names.WITHIN}")
    return targets


def _endpoint(text: str) -> Endpoint:
    """Read "198.18.1.5:7882" or "[fd00::5]:7882"."""
    host, _, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not (port.isascii() and port.isdecimal() and len(port) <= 5) or not host or (":" in host) is not bracketed:
        raise SettingsError(f"{names.TARGETS} has {text!r}; write address:port, IPv6 addresses as [address]:port")
    return Endpoint(host.strip("[]"), int(port))


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingsError(f"{names.WITHIN} has {text!r}; write addresses or CIDRs") from error
