"""Figures that prove a fault, in words: what was counted on its targets, packets or processes. Pure."""

from collections.abc import Sequence

from showstopper.api.injection import InjectedTarget
from showstopper.api.process import ProcessFigures


def tally(targets: Sequence[InjectedTarget]) -> str:
    """What was counted on all of them together."""
    processes = [target.processes for target in targets if target.processes]
    if not processes:
        matched = sum(target.last.matched for target in targets if target.last)
        affected = sum(target.last.affected for target in targets if target.last)
        return f"{matched} packets matched, {affected} affected"
    return of_processes(processes)


def of_processes(found: Sequence[ProcessFigures]) -> str:
    """The same of processes: those that ended, or those that stood still."""
    count = sum(one.processes for one in found)
    if any(one.ended is not None for one in found):
        return f"{sum(one.ended or 0 for one in found)} of {count} processes ended"
    least = min(one.frozen_milliseconds or 0 for one in found)
    cpu = sum(one.cpu_microseconds or 0 for one in found)
    return f"{count} processes frozen for {least / 1000:.1f} s, {cpu / 1000:g} ms of CPU time passed meanwhile"
