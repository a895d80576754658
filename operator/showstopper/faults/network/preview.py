"""Previews of plans: what would be set up for an effect, line by line, for a person."""

from collections.abc import Iterator
from datetime import timedelta

from showstopper.api.faults.network import Direction, Distribution
from showstopper.faults.network import text
from showstopper.faults.network.plan import Plan, Queue, Slowdown, TrafficClass


def lines(plan: Plan) -> list[str]:
    """The plan's classes, queues and rules, in the order in which they are set up."""
    return [*map(_of_class, plan.traffic_classes), *map(_of_queue, plan.queues), *_of_bursts(plan), *_of_rules(plan)]


def _of_class(traffic_class: TrafficClass) -> str:
    goes = "goes out" if traffic_class.direction is Direction.EGRESS else "comes in"
    way = f" for what {goes} by {traffic_class.device.name}"
    name = f"{traffic_class.class_id >> 16:x}:{traffic_class.class_id & 0xFFFF:x}"
    return f"tc: class {name} at {traffic_class.shaper}{way}: {_slowdown(traffic_class.slowdown)}"


def _of_queue(queue: Queue) -> str:
    what = f"queue {queue.number} ({queue.direction.value})"
    return f"{what}: {_slowdown(queue.slowdown)}; packets pass it when nobody listens"


def _of_bursts(plan: Plan) -> Iterator[str]:
    if plan.bursts:
        yield f"bursts of {_ms(plan.bursts.length)}, {plan.bursts.share:.3%} of the time"


def _of_rules(plan: Plan) -> Iterator[str]:
    yield from (f"nft: {text.line(command)}" for command in plan.commands)
    for queue in plan.queues:
        yield from (f"nft: add rule {' '.join(rule)} NFQUEUE {queue.number}" for rule in queue.foreign_rules)


def _slowdown(slowdown: Slowdown) -> str:
    if slowdown.bits_per_second is not None:
        return f"{slowdown.bits_per_second} bit/s, backlog of {_ms(slowdown.backlog)}"
    kind = "" if slowdown.distribution is Distribution.UNIFORM else f" ({slowdown.distribution.value})"
    return f"delay {_ms(slowdown.delay)}" + (f" ± {_ms(slowdown.jitter)}{kind}" if slowdown.jitter else "")


def _ms(value: timedelta) -> str:
    return f"{value / timedelta(milliseconds=1):g} ms"
