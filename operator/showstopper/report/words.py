"""Words: how the record's names, bounds and proofs are written for people, on a terminal and in reports. Pure."""

from showstopper.api.process import ProcessFigures
from showstopper.api.run import ExperimentRun, TargetRecord
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.faults import figures


def short_name(listener: str) -> str:
    """`main-stage-listeners-0/1` as `0/1`: the room is said above."""
    return listener.rpartition("-listeners-")[2]


def asked(least: str | None, most: str | None) -> str:
    """A bound as a person writes it."""
    return f"≥ {least}" if least is not None else f"≤ {most}"


def proof(run: ExperimentRun, target: TargetRecord) -> str:
    """What shows that this pod was hit, in seconds after the call."""
    if target.processes is not None:
        return _of_processes(target, target.processes)
    if target.matched is not None or target.armed_at is not None:
        flooded = any(fault.by_crowd for fault in run.spec.faults if fault.name == target.fault)
        return _of_packets(target, flooded=flooded)
    if target.requested_at is None or target.answered_at is None:
        return target.message or "not hit"
    start = from_timestamp(target.requested_at)
    answered = (from_timestamp(target.answered_at) - start) * 1000
    found = [f"deletion answered after {answered:.0f} ms"]
    if target.media_stopped_at is not None:
        found.append(f"its media stopped after {from_timestamp(target.media_stopped_at) - start:.2f} s")
    if target.gone_at is not None:
        found.append(f"gone after {from_timestamp(target.gone_at) - start:.2f} s")
    return _or_not(", ".join(found), target)


def _of_processes(target: TargetRecord, found: ProcessFigures) -> str:
    """What became of the container's processes, and when its media stopped."""
    words = figures.of_processes([found])
    if target.armed_at and target.media_stopped_at:
        seconds = from_timestamp(target.media_stopped_at) - from_timestamp(target.armed_at)
        words += f", its media stopped after {seconds:.2f} s"
    return _or_not(words, target)


def _of_packets(target: TargetRecord, *, flooded: bool) -> str:
    """What the agent's rules counted, and how long they stood."""
    words = f"matched {target.matched or 0} packets, {target.affected or 0} of them affected"
    if flooded:
        words = f"{target.affected or 0} packets of the flood arrived"
    if target.armed_at and target.lifted_at:
        words += f", lifted after {from_timestamp(target.lifted_at) - from_timestamp(target.armed_at):.2f} s"
    return _or_not(words, target)


def _or_not(words: str, target: TargetRecord) -> str:
    return words if target.proven else f"not proven: {words}{'; ' + target.message if target.message else ''}"


def bounds(least: str | None, most: str | None) -> str:
    """Between what the truth lies, behind a figure that is not exact; empty behind one that is."""
    if least is None and most is None:
        return ""
    if most is None:
        return f" (at least {least})"
    return f" (at most {most})" if least is None else f" ({least} to {most})"


def moment(timestamp: str | None) -> str:
    """A time to the tenth of a second, in UTC: `2026-01-01 10:00:05.1`."""
    if not timestamp:
        return ""
    return to_timestamp(from_timestamp(timestamp)).replace("T", " ")[:21]
