"""The API server as a hand: the operator itself deletes pods, and looks whether they are gone."""

from dataclasses import dataclass
from enum import StrEnum

from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.errors import Conflict, NotFound
from showstopper.faults.effects import DeletePod, Pod


class Answer(StrEnum):
    """What came of a deletion."""

    ACCEPTED = "Accepted"
    ALREADY_GONE = "AlreadyGone"  # somebody else, or our own call before a restart


class Presence(StrEnum):
    """Whether a pod is there, by UID."""

    PRESENT = "Present"
    TERMINATING = "Terminating"
    GONE = "Gone"


@dataclass(frozen=True, slots=True)
class ApiServerHand:
    """Deletes pods. There is nothing to revert and nothing to sweep: owners replace what they own."""

    client: Client

    async def start(self, effect: DeletePod) -> Answer:
        """Delete the pod, if it is still that very one.

        Raises:
            Forbidden: the operator may not delete pods there.
            ClusterError: the call failed; whether it had an effect is not known.
        """
        pod = effect.pod
        grace = round(effect.grace_period.total_seconds())
        try:
            await self.client.delete(POD, pod.namespace, pod.name, uid=pod.uid, grace_seconds=grace)
        except (NotFound, Conflict):
            return Answer.ALREADY_GONE
        return Answer.ACCEPTED

    async def presence(self, pod: Pod) -> Presence:
        """Whether that very pod is still there."""
        try:
            body = await self.client.get(POD, pod.namespace, pod.name)
        except NotFound:
            return Presence.GONE
        if body["metadata"]["uid"] != pod.uid:
            return Presence.GONE
        return Presence.TERMINATING if "deletionTimestamp" in body["metadata"] else Presence.PRESENT
