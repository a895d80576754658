"""Traffic classes: a rate or netem for the packets that rules send there. All others pass untouched.

Rules send packets on a detour through an ifb device of ours, which gives them back where it got them: at ingress as if
they had just come, at egress as if they were just sent. Its htb has a class for each fault. The device itself is not
touched, for a change of its root qdisc drops what is sent meanwhile (sch_api.c: qdisc_graft has the device send to a
noop_qdisc until all processors have noticed): a fault that lifts itself would lose packets when it is cleared away.
"""

import errno
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from showstopper.api.faults.network import Direction
from showstopper.errors import KernelRefused
from showstopper.faults.network.plan import DETOUR, HANDLE, Slowdown, TrafficClass, burst_bytes

_LINE_RATE = "10gbit"
"""Of a class itself: what is in it sets the pace."""

_LEAVES = 0x5400
_LONGEST = 1 << 19
"""Packets that netem holds; its default is 1,000."""

_GONE = (errno.ENOENT, errno.EINVAL, errno.ENODEV)


@contextmanager
def routes() -> Iterator[Any]:
    """A connection to the calling thread's namespace.

    Raises:
        KernelRefused: it cannot be opened, or the kernel refuses what is asked over it. Whoever lifts a fault says so,
            and goes on with the next one.
    """
    try:
        with IPRoute() as connection:
            yield connection
    except NetlinkError as error:
        raise KernelRefused(f"traffic control: {error}", code=error.code) from error
    except OSError as error:
        raise KernelRefused(f"traffic control: {error}", code=error.errno or 0) from error


def build(traffic_classes: Iterable[TrafficClass]) -> None:
    """Set up classes, and what they need. They stay unused until a rule sends packets there.

    Raises:
        KernelRefused: with what the kernel says.
    """
    with routes() as ip:
        for traffic_class in traffic_classes:
            with _named(f"class at {traffic_class.shaper}"):
                index = _detour(ip, traffic_class.shaper)
                ip.tc(
                    "replace-class", "htb", index, traffic_class.class_id, parent=HANDLE, rate=_LINE_RATE, burst=1 << 20
                )
                _leaf(ip, index, traffic_class)


def remove(traffic_classes: Iterable[TrafficClass]) -> None:
    """Remove classes, and what only they needed. What is gone already is fine."""
    with routes() as ip:
        for traffic_class in traffic_classes:
            links = ip.link_lookup(ifname=traffic_class.shaper)
            if not links:
                continue
            with _named(f"class at {traffic_class.shaper}"), _unless(_GONE):
                ip.tc("del-class", index=links[0], handle=traffic_class.class_id, parent=HANDLE)
            if not ip.get_classes(index=links[0]):
                _clear(ip, links[0], traffic_class.shaper)


@dataclass(frozen=True, slots=True)
class Limited:
    """What limits of the bandwidth did in one direction.

    Attributes:
        slowed: packets that had to wait or were lost for want of bits.
        passed_bytes: what got through, with Ethernet headers.
    """

    slowed: int = 0
    passed_bytes: int = 0


def limited(traffic_classes: Iterable[TrafficClass]) -> dict[Direction, Limited]:
    """What these classes did, by direction, as their own counters have it."""
    sums: dict[Direction, Limited] = {}
    for traffic_class, statistics in _statistics(traffic_classes):
        before = sums.get(traffic_class.direction, Limited())
        sums[traffic_class.direction] = Limited(
            before.slowed + statistics.get_attr("TCA_STATS_QUEUE")["overlimits"],
            before.passed_bytes + statistics.get_attr("TCA_STATS_BASIC")["bytes"],
        )
    return sums


def waiting(traffic_classes: Iterable[TrafficClass]) -> int:
    """Packets that wait in these classes now."""
    return sum(statistics.get_attr("TCA_STATS_QUEUE")["qlen"] for _, statistics in _statistics(traffic_classes))


def leftovers() -> list[str]:
    """Every device of ours, in words."""
    with routes() as ip:
        return [f"device {name}" for name in _detours(ip).values()]


def sweep() -> None:
    """Remove every device of ours, whoever made them."""
    with routes() as ip:
        for index, name in _detours(ip).items():
            _clear(ip, index, name)


def _detours(ip: Any) -> dict[int, str]:
    """Our ifb devices, their names by number: a name alone may be somebody else's."""
    names = {link["index"]: link.get_attr("IFLA_IFNAME") for link in ip.get_links(kind="ifb")}
    return {index: name for index, name in names.items() if is_detour(name)}


def is_detour(name: str) -> bool:
    """Whether a device has a name such as ours have."""
    return re.fullmatch(f"{DETOUR}[0-9a-f]{{4}}", name) is not None


def _leaf(ip: Any, index: int, traffic_class: TrafficClass) -> None:
    place = {"handle": _leaf_handle(traffic_class), "parent": traffic_class.class_id}
    rate = traffic_class.slowdown.bits_per_second
    if rate is None:
        ip.tc("add", "netem", index, **place, **netem_options(traffic_class.slowdown))
        return
    burst = burst_bytes(rate)
    limit = int(rate / 8 * traffic_class.slowdown.backlog.total_seconds()) + burst
    ip.tc("add", "tbf", index, **place, rate=f"{rate}bit", burst=burst, limit=limit)


def netem_options(slowdown: Slowdown) -> dict[str, int]:
    """The delay as pyroute2 takes it for netem: microseconds."""
    microsecond = timedelta(microseconds=1)
    return {"delay": slowdown.delay // microsecond, "jitter": slowdown.jitter // microsecond, "limit": _LONGEST}


def _statistics(traffic_classes: Iterable[TrafficClass]) -> Iterator[tuple[TrafficClass, Any]]:
    """What the kernel counts of each class's qdisc. Nothing of those whose device is gone."""
    with routes() as ip:
        for traffic_class in traffic_classes:
            for index in ip.link_lookup(ifname=traffic_class.shaper):
                for leaf in ip.get_qdiscs(index):
                    if leaf["handle"] == _leaf_handle(traffic_class):
                        yield traffic_class, leaf.get_attr("TCA_STATS2")


def _leaf_handle(traffic_class: TrafficClass) -> int:
    return (_LEAVES + (traffic_class.class_id & 0xFFFF)) << 16


def _index(ip: Any, name: str) -> int:
    links = ip.link_lookup(ifname=name)
    if not links:
        raise KernelRefused(f"no device {name}: it vanished", code=errno.ENODEV)
    return int(links[0])


def _detour(ip: Any, name: str) -> int:
    """The number of the ifb of that name with our htb. It is made, if it does not exist."""
    if not ip.link_lookup(ifname=name):
        ip.link("add", ifname=name, kind="ifb")
    index = _index(ip, name)
    if not [qdisc for qdisc in ip.get_qdiscs(index) if qdisc["handle"] == HANDLE]:
        ip.tc("add", "htb", index, HANDLE, default=0)
        ip.link("set", index=index, state="up")
    return index


def _clear(ip: Any, index: int, name: str) -> None:
    """Take a device of ours away, with all that it still holds."""
    with _named(f"device {name}"), _unless(_GONE):
        ip.link("del", index=index)


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Say what the kernel refused."""
    try:
        yield
    except NetlinkError as error:
        raise KernelRefused(f"{what}: {error}", code=error.code) from error


@contextmanager
def _unless(codes: tuple[int, ...]) -> Iterator[None]:
    """Go on when the kernel says that it is not there (any more)."""
    try:
        yield
    except NetlinkError as error:
        if error.code not in codes:
            raise
