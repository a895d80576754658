"""Previews of plans: what would be set up for an effect, line by line, for a person."""

from collections.abc import Iterator
from datetime import timedelta

from showstopper.api.faults.network import Direction, Distribution
from showstopper.faults.network import text
from showstopper.faults.network.plan import Plan, Queue, Slowdown, TrafficClass


def lines(plan: Plan) -> list[str]:
    """The plan's classes, queues and rules, in the order in which they are set up."""
    return [*map(_of_shape, plan.shapes), *map(_of_queue, plan.queues), *_of_bursts(plan), *_of_rules(plan)]


def _of_shape(shape: TrafficClass) -> str:
    way = f" for what {'goes out' if shape.direction is Direction.EGRESS else 'comes in'} by {shape.device.name}"
    name = f"{shape.class_id >> 16:x}:{shape.class_id & 0xFFFF:x}"
    return f"tc: class {name} at {shape.shaper}{way}: {_manner(shape.manner)}"


def _of_queue(queue: Queue) -> str:
    return (
        f"queue {queue.number} ({queue.direction.value}): {_manner(queue.manner)}; packets pass it when nobody listens"
    )


def _of_bursts(plan: Plan) -> Iterator[str]:
    if plan.bursts:
        yield f"bursts of {_ms(plan.bursts.length)}, {plan.bursts.share:.3%} of the time"


def _of_rules(plan: Plan) -> Iterator[str]:
    yield from (f"nft: {text.line(command)}" for command in plan.commands)
    for queue in plan.queues:
        yield from (f"nft: add rule {' '.join(rule)} NFQUEUE {queue.number}" for rule in queue.foreign_rules)


def _manner(manner: Slowdown) -> str:
    if manner.bits_per_second is not None:
        return f"{manner.bits_per_second} bit/s, backlog of {_ms(manner.backlog)}"
    kind = "" if manner.distribution is Distribution.UNIFORM else f" ({manner.distribution.value})"
    return f"delay {_ms(manner.delay)}" + (f" ± {_ms(manner.jitter)}{kind}" if manner.jitter else "")


def _ms(value: timedelta) -> str:
    return f"{value / timedelta(milliseconds=1):g} ms"
