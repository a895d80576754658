"""A step of a run: idempotent, for after a restart it is simply run again."""

from typing import ClassVar, Protocol

from showstopper.api.reasons import Reason
from showstopper.availability.verdict import Finding
from showstopper.engine.runs.context import RunContext


class Step(Protocol):
    """One step. It begins and completes its own entry in the record.

    Attributes:
        closing: it is taken also after a finding: whatever ends a run early goes on at the first closing step.
        failed: the reason of an error of the cluster in this step.
    """

    closing: ClassVar[bool]
    failed: ClassVar[Reason]

    async def run(self, context: RunContext) -> Finding | None:
        """Take the step, or what is left of it. Returns what forbids a verdict, if something does.

        Raises:
            RunEnded: the run ends here.
            NotFound: the run was deleted, or an object that it needs.
            Unavailable: the run cannot be recorded now.
            ClusterError: something else failed in the cluster.
        """
