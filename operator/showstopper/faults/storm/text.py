"""What came of a storm, for a person."""

from showstopper.api.faults.storm import JoinTimes, StormFigures


def words(storm: StormFigures, noun: str, taken: str) -> str:
    """All of it in one sentence. `noun`: what a try is, `taken`: what came of one that did not fail."""
    parts = [f"{storm.attempts} {noun}s tried, {storm.let_in} {taken}"]
    if storm.refused:
        parts.append(f"{storm.refusals} refused ({reasons(storm)})")
    if storm.unknown:
        parts.append(f"{storm.unknown} not known")
    if storm.lost:
        parts.append(f"{storm.lost} lost again")
    if storm.dropped is not None:
        back = f" after {times(storm.came_back)}" if storm.came_back is not None else ""
        before = f", {storm.gone} gone before that" if storm.gone else ""
        parts.append(f"{storm.dropped} dropped{before}, {storm.back or 0} back{back}")
    steps = {"answered": storm.upgraded, "connected": storm.connected, "heard a packet": storm.first_packet}
    parts += [f"{step} after {times(spent)}" for step, spent in steps.items() if spent is not None]
    return ", ".join(parts)


def reasons(storm: StormFigures) -> str:
    """Why joins were refused, and how many. Empty: none was."""
    return ", ".join(f"{each.count} {each.reason}" for each in storm.refused)


def times(spent: JoinTimes) -> str:
    """Median and 95th percentile of how long joins took to a step."""
    return f"{spent.p50} (p95 {spent.p95})"
