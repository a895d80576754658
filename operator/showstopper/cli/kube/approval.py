"""Approving: let a held act of a game day begin, in one's own name, and see that the operator has taken note."""

import asyncio
from collections.abc import Callable

from showstopper.api.game_day import APPROVE, GameDay, HoldRecord
from showstopper.api.reasons import Reason
from showstopper.cli.kube import lookup
from showstopper.cli.kube.run_request import NoOperator, Refused
from showstopper.clock import Clock
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import GAME_DAY, SELF_SUBJECT_REVIEW
from showstopper.errors import Conflict, NotFound

POLL_SECONDS = 0.2
# An operator that is there sees an annotation within a second.
OPERATOR_SECONDS = 30.0
_PATH = f"/metadata/annotations/{APPROVE.replace('/', '~1')}"


async def approve(client: Client, namespace: str, name: str, act: str) -> str:
    """Approve the act. Returns in whose name.

    Raises:
        Refused: it does not wait for approval (any more).
        Forbidden: the caller may not approve.
        NoOperator: nobody takes note.
    """
    approver = await _who_am_i(client)
    value = f"{act}/{approver}"
    day = await lookup.game_day(client, namespace, name)
    hold = waiting(day, act)
    if hold.standing is not None and day.metadata.annotations.get(APPROVE) == value:
        # It stood there before the hold began, and so says nothing: it has to go, and the operator to see that.
        await _patch(client, day, {"op": "remove", "path": _PATH})
        day = await _until(client, day, lambda found: waiting(found, act).standing is None)
    await _patch(client, day, {"op": "add", "path": _PATH, "value": value})
    await _until(client, day, lambda found: _approved_by(found, act) == approver)
    return approver


def waiting(day: GameDay, act: str) -> HoldRecord:
    """The hold of the act, which waits for approval.

    Raises:
        NotFound: there is no such act.
        Refused: it does not wait.
    """
    namespace, name = day.key
    acts = [one.name for one in day.spec.acts]
    if act not in acts:
        raise NotFound(f'game day {namespace}/{name} has no act "{act}"; it has: {", ".join(acts)}', status=404)
    ready = lookup.current(day)
    record = next((record for record in day.status.acts if record.name == act), None)
    waits = ready is not None and ready.reason == Reason.AWAITING_APPROVAL and day.status.act == act
    if not waits or record is None or record.hold is None:
        raise Refused(
            f"act {act} of game day {namespace}/{name} does not wait for approval (an approval before its hold begins "
            f"does not count): {lookup.standing(day)}"
        )
    return record.hold


async def _who_am_i(client: Client) -> str:
    """The caller's name, as the API server has it."""
    body = {"apiVersion": SELF_SUBJECT_REVIEW.group_version, "kind": SELF_SUBJECT_REVIEW.name, "metadata": {}}
    answer = await client.create(SELF_SUBJECT_REVIEW, body)
    return str(answer["status"]["userInfo"]["username"])


async def _patch(client: Client, day: GameDay, change: Object) -> None:
    start: list[Object] = []
    if not day.metadata.annotations:
        start = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": day.metadata.resource_version},
            {"op": "add", "path": "/metadata/annotations", "value": {}},
        ]
    try:
        await client.patch(GAME_DAY, *day.key, [*start, change])
    except Conflict as error:
        raise Conflict(f"game day {day.metadata.name} changed in this moment: try again", status=409) from error


async def _until(client: Client, day: GameDay, reached: Callable[[GameDay], bool]) -> GameDay:
    clock = Clock()
    began = clock.now()
    while clock.now() - began < OPERATOR_SECONDS:
        found = await lookup.game_day(client, *day.key)
        if reached(found):
            return found
        await asyncio.sleep(POLL_SECONDS)
    raise NoOperator(
        f"no operator has taken note of it for {OPERATOR_SECONDS:.0f} s: {lookup.standing(day)}; "
        "look at kubectl get pods -A -l app.kubernetes.io/name=showstopper"
    )


def _approved_by(day: GameDay, act: str) -> str | None:
    """Who approved it; the day may have ended meanwhile.

    Raises:
        Refused: the hold ended otherwise.
    """
    record = next((record for record in day.status.acts if record.name == act), None)
    if record is not None and record.hold is not None and record.hold.approver is not None:
        return record.hold.approver
    waiting(day, act)
    return None
