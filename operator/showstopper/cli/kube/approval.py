"""Approval: approve an act of a game day in the caller's name, and wait until the operator has recorded it."""

import asyncio
from collections.abc import Callable

from showstopper.api.game_day import APPROVE, GameDay, HoldRecord
from showstopper.api.reasons import Reason
from showstopper.cli.kube import lookup, self_review
from showstopper.cli.kube.run_request import NoOperator, RunRefused
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import GAME_DAY
from showstopper.errors import Conflict, NotFound

POLL_SECONDS = 0.2
# A running operator sees an annotation within a second.
OPERATOR_SECONDS = 30.0
_PATH = f"/metadata/annotations/{APPROVE.replace('/', '~1')}"


async def approve(client: Client, namespace: str, name: str, act: str, *, form: str | None = None) -> str:
    """Approve the act. Returns the approver's name.

    Args:
        client: of the cluster.
        namespace: of the game day.
        name: of the game day.
        act: the act that awaits approval.
        form: the hash of the experiment that is approved, as the game day tells it. None: as it is now.

    Raises:
        NotFound: there is no such game day or act.
        RunRefused: the act does not await approval, or not any more, its experiment has another hash, or somebody else
            has approved it meanwhile.
        Forbidden: the caller may not approve.
        NoOperator: no operator records the approval.
    """
    approver = await self_review.user_name(client)
    value = f"{act}/{approver}"
    day = await lookup.game_day(client, namespace, name)
    hold = hold_of(day, act)
    if form is not None and form != hold.hash:
        raise RunRefused(
            f"the experiment of act {act} was changed: its hash is {hold.hash}, and not {form}; look at it, then "
            f"approve it with --hash {hold.hash}"
        )
    if hold.standing is not None and day.metadata.annotations.get(APPROVE) == value:
        # The annotation is older than the hold, so it does not count. The operator has to see it removed first.
        await _patch(client, day, {"op": "remove", "path": _PATH})
        day = await _poll(client, day, lambda newer: hold_of(newer, act).standing is None)
    await _patch(client, day, *_unchanged(day, act), {"op": "add", "path": _PATH, "value": value})
    newer = await _poll(client, day, lambda newer: _approved_by(newer, act) is not None)
    if (recorded := _approved_by(newer, act)) != approver[:256]:  # the status keeps no more of a name
        raise RunRefused(f"act {act} of game day {namespace}/{name} was approved by {recorded} at the same time")
    return approver


def hold_of(day: GameDay, act: str) -> HoldRecord:
    """The hold of an act that awaits approval.

    Raises:
        NotFound: there is no such act.
        RunRefused: it does not await approval.
    """
    namespace, name = day.key
    acts = [declared.name for declared in day.spec.acts]
    if act not in acts:
        raise NotFound(f'game day {namespace}/{name} has no act "{act}"; it has: {", ".join(acts)}', status=404)
    ready = lookup.ready_condition(day)
    record = next((record for record in day.status.acts if record.name == act), None)
    awaits = ready is not None and ready.reason == Reason.AWAITING_APPROVAL and day.status.act == act
    if not awaits or record is None or record.hold is None:
        raise RunRefused(
            f"act {act} of game day {namespace}/{name} does not await approval (an approval before its hold begins "
            f"does not count): {lookup.summary(day)}"
        )
    return record.hold


def _unchanged(day: GameDay, act: str) -> list[Object]:
    """A test that the API server makes: the hold is still about the experiment that was looked at."""
    form = hold_of(day, act).hash
    place = [record.name for record in day.status.acts].index(act)
    return [{"op": "test", "path": f"/status/acts/{place}/hold/hash", "value": form}] if form else []


async def _patch(client: Client, day: GameDay, *changes: Object) -> None:
    start: list[Object] = []
    if not day.metadata.annotations:
        start = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": day.metadata.resource_version},
            {"op": "add", "path": "/metadata/annotations", "value": {}},
        ]
    try:
        await client.patch(GAME_DAY, *day.key, [*start, *changes])
    except Conflict as error:
        raise Conflict(f"game day {day.metadata.name} was changed at the same time: try again", status=409) from error


async def _poll(client: Client, day: GameDay, reached: Callable[[GameDay], bool]) -> GameDay:
    """Read the game day again and again until the condition is reached."""
    clock = Clock()
    began = clock.now()
    while clock.now() - began < OPERATOR_SECONDS:
        day = await lookup.game_day(client, *day.key)
        if reached(day):
            return day
        await asyncio.sleep(POLL_SECONDS)
    raise NoOperator(
        f"no operator recorded the approval within {OPERATOR_SECONDS:.0f} s: {lookup.summary(day)}; "
        "check kubectl get pods -A -l app.kubernetes.io/name=showstopper"
    )


def _approved_by(day: GameDay, act: str) -> str | None:
    """Who approved the act, or None yet.

    Raises:
        RunRefused: the hold has ended without approval.
    """
    record = next((record for record in day.status.acts if record.name == act), None)
    if record is not None and record.hold is not None and record.hold.approver is not None:
        return record.hold.approver
    hold_of(day, act)
    return None
