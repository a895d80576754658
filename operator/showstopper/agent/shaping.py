"""Traffic classes: a rate or netem for the packets that rules send there; all others pass as if nothing was there.

At egress a device gets an htb of ours, whose classes take only packets with their number as priority; the rest is sent
at the device's own speed. At ingress, rules send packets on a detour through an ifb device, whose egress is shaped.
"""

import errno
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from showstopper.errors import EffectRefused, KernelRefused
from showstopper.faults.network import Direction
from showstopper.faults.network_plan import DETOUR, HANDLE, Manner, Shape, detour
from showstopper.faults.network_rules import Device

_LINE_RATE = "10gbit"  # of a class itself: what is in it sets the pace
_LEAVES = 0x5400
_ROOT = 0xFFFFFFFF
_LONGEST = 1 << 19  # packets that netem holds; its default is 1,000
_GONE = (errno.ENOENT, errno.EINVAL, errno.ENODEV)


@contextmanager
def routes() -> Iterator[Any]:
    """A connection to the calling thread's namespace."""
    with IPRoute() as found:
        yield found


def build(shapes: Iterable[Shape]) -> None:
    """Set up classes, and what they need. They stay unused until a rule sends packets there.

    Raises:
        EffectRefused: when somebody else has a qdisc there that ours would replace.
        KernelRefused: with what the kernel says.
    """
    with routes() as ip:
        for shape in shapes:
            with _named(f"class at {shape.shaper}"):
                if shape.direction is Direction.INGRESS:
                    _make_detour(ip, shape.device)
                index = _index(ip, shape.shaper)
                _own_root(ip, index, shape.shaper)
                ip.tc("replace-class", "htb", index, shape.class_id, parent=HANDLE, rate=_LINE_RATE, burst=1 << 20)
                _leaf(ip, index, shape)


def remove(shapes: Iterable[Shape]) -> None:
    """Remove classes, and what only they needed; what is gone already is fine."""
    with routes() as ip:
        for shape in shapes:
            found = ip.link_lookup(ifname=shape.shaper)
            if not found:
                continue
            with _named(f"class at {shape.shaper}"), _unless(_GONE):
                ip.tc("del-class", index=found[0], handle=shape.class_id, parent=HANDLE)
            if not [one for one in ip.get_classes(index=found[0]) if one["handle"] >> 16 == HANDLE >> 16]:
                _clear(ip, found[0], shape.shaper)


def slowed(shapes: Iterable[Shape]) -> dict[Direction, int]:
    """Packets that had to wait or were lost for want of bits, by direction, as the classes' own counters have them."""
    found: dict[Direction, int] = {}
    for shape, statistics in _statistics(shapes):
        found[shape.direction] = found.get(shape.direction, 0) + statistics["overlimits"]
    return found


def waiting(shapes: Iterable[Shape]) -> int:
    """Packets that wait in these classes now."""
    return sum(statistics["qlen"] for _, statistics in _statistics(shapes))


def leftovers() -> list[str]:
    """Every qdisc and device of ours, in words."""
    with routes() as ip:
        names = _names(ip)
        roots = [one["index"] for one in ip.get_qdiscs() if one["handle"] == HANDLE]
        return [f"qdisc at {names.get(index, index)}" for index in roots] + [
            f"device {names[index]}" for index in _detours(ip)
        ]


def sweep() -> None:
    """Remove every qdisc and device of ours, whoever made them."""
    with routes() as ip:
        names = _names(ip)
        roots = [qdisc["index"] for qdisc in ip.get_qdiscs() if qdisc["handle"] == HANDLE]
        for index in {*roots, *_detours(ip)}:
            _clear(ip, index, names[index])


def _names(ip: Any) -> dict[int, str]:
    return {link["index"]: link.get_attr("IFLA_IFNAME") for link in ip.get_links()}


def _detours(ip: Any) -> list[int]:
    """The numbers of our ifb devices: a name alone may be somebody else's."""
    return [link["index"] for link in ip.get_links(kind="ifb") if _is_detour(link.get_attr("IFLA_IFNAME"))]


def _is_detour(name: str) -> bool:
    return re.fullmatch(f"{DETOUR}[0-9a-f]{{4}}", name) is not None


def _leaf(ip: Any, index: int, shape: Shape) -> None:
    place = {"handle": _leaf_handle(shape), "parent": shape.class_id}
    rate = shape.manner.bits_per_second
    if rate is None:
        ip.tc("add", "netem", index, **place, **netem_options(shape.manner))
        return
    burst = max(2 * 1600, rate // 8 // 250)  # two packets, or what 4 ms carry
    limit = int(rate / 8 * shape.manner.backlog.total_seconds()) + burst
    ip.tc("add", "tbf", index, **place, rate=f"{rate}bit", burst=burst, limit=limit)


def netem_options(manner: Manner) -> dict[str, int]:
    """The delay as pyroute2 takes it for netem: microseconds."""
    microsecond = timedelta(microseconds=1)
    return {"delay": manner.delay // microsecond, "jitter": manner.jitter // microsecond, "limit": _LONGEST}


def _statistics(shapes: Iterable[Shape]) -> Iterator[tuple[Shape, Mapping[str, int]]]:
    """What the kernel counts of each class's qdisc; nothing of those whose device is gone."""
    with routes() as ip:
        for shape in shapes:
            for index in ip.link_lookup(ifname=shape.shaper):
                for leaf in ip.get_qdiscs(index):
                    if leaf["handle"] == _leaf_handle(shape):
                        yield shape, leaf.get_attr("TCA_STATS2").get_attr("TCA_STATS_QUEUE")


def _leaf_handle(shape: Shape) -> int:
    return (_LEAVES + (shape.class_id & 0xFFFF)) << 16


def _index(ip: Any, name: str) -> int:
    found = ip.link_lookup(ifname=name)
    if not found:
        raise KernelRefused(f"no device {name}: it vanished", code=errno.ENODEV)
    return int(found[0])


def _own_root(ip: Any, index: int, name: str) -> None:
    """Our htb at a device's root, unless it is there. Handle 0 is what a device has when nobody asked for anything."""
    for qdisc in ip.get_qdiscs(index):
        if qdisc["parent"] == _ROOT and qdisc["handle"] == HANDLE:
            return
        if qdisc["parent"] == _ROOT and qdisc["handle"]:
            kind = qdisc.get_attr("TCA_KIND")
            raise EffectRefused(f"{name} has a {kind} of somebody else, which this fault would replace: choose a delay")
    ip.tc("add", "htb", index, HANDLE, default=0)


def _make_detour(ip: Any, device: Device) -> None:
    """The ifb that rules send a device's ingress through; it gives packets back as if they had just come."""
    if not ip.link_lookup(ifname=detour(device)):
        ip.link("add", ifname=detour(device), kind="ifb")
        ip.link("set", index=_index(ip, detour(device)), state="up")


def _clear(ip: Any, index: int, name: str) -> None:
    """Take our qdisc off a device; an ifb of ours goes altogether."""
    with _named(f"qdisc at {name}"), _unless(_GONE):
        if _is_detour(name):
            ip.link("del", index=index)
        else:
            ip.tc("del", index=index, handle=HANDLE, parent=_ROOT)


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
