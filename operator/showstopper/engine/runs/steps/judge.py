"""Judge: the verdict, from what was recorded and what listeners heard, and from what forbids one."""

from typing import ClassVar

from showstopper.api.reasons import Reason
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.engine.rooms import releases
from showstopper.engine.runs import interference, judging, sampling, windows
from showstopper.engine.runs.context import RunContext
from showstopper.engine.runs.judging import Judgement
from showstopper.engine.runs.waiting import RunEnded
from showstopper.errors import ClusterError, InvalidResource, Unavailable


class Judge:
    """The last step."""

    closing: ClassVar[bool] = True
    failed: ClassVar[Reason] = Reason.API_SERVER_FAILED

    async def run(self, context: RunContext) -> Finding | None:
        """Returns nothing: what was found is in the verdict."""
        findings = list(context.findings)
        if context.resumed and not findings:
            findings += await _read_again(context)
        await context.note_host()
        doubts = (context.clock_skew(), context.room_changed(), context.crowd_failed())
        findings += [finding for finding in doubts if finding is not None]
        if not findings and (other := await _other_release(context)) is not None:
            findings.append(other)
        room = context.room()
        judgement = judging.judge(
            context.run,
            room.timeline if room else None,
            context.residents,
            crowd=room.crowd.timeline if room else None,
            others=sampling.measured(context.run),
            host_clocks=room.hosts.clocks if room else (),
            counts=room.door.log if room else None,
            aborted=_first(findings, Verdict.ABORTED),
            error=_first(findings, Verdict.ERROR),
            other_cause=interference.other_cause(context.run),
            doubts=tuple(each for each in findings if each.verdict not in {Verdict.ABORTED, Verdict.ERROR}),
        )
        await _end(context, judgement)
        return None

    async def give_up(self, context: RunContext, failure: Finding) -> None:
        """Judging itself broke. The verdict rests on nothing that was heard then, for it may have broken on that."""
        await _end(context, judging.judge(context.run, None, (), error=failure))


async def _end(context: RunContext, judgement: Judgement) -> None:
    decision = judgement.decision
    await context.record.judge(judgement)
    context.tell(str(decision.verdict), decision.message, "Judge", warning=decision.verdict is not Verdict.PASSED)


async def _read_again(context: RunContext) -> list[Finding]:
    """Wait for what listeners heard before this operator began. Returns why that is not known, or not judged."""
    window = windows.judged_window(context.run)
    try:
        if window is not None:
            await context.until_known(window.end)
    except RunEnded as ended:
        return [ended.finding]
    lost = context.hearing_lost()
    return [lost] if lost is not None else []


def _first(findings: list[Finding], verdict: Verdict) -> Finding | None:
    return next((finding for finding in findings if finding.verdict is verdict), None)


async def _other_release(context: RunContext) -> Finding | None:
    """Why the verdict would be on no release: the room ran other images in between."""
    run, room = context.run, context.room()
    before, begun = run.release, run.status.started_at
    if not before:
        return None
    try:
        deployed = await context.services.snapshots.deployed(run)
    except Unavailable:
        raise
    except (ClusterError, InvalidResource) as error:
        return Finding(Reason.RELEASE_UNKNOWN, f"{error}: it is not known which images this is about")
    meanwhile = room.images_since(from_timestamp(begun)) if room is not None and begun else ()
    changed = releases.change(before, (*meanwhile, *deployed.images))
    if changed is None:
        return None
    message = f"images changed during the run ({changed}), so the result counts for neither release: run it again"
    return Finding(Reason.RELEASE_CHANGED, message)
