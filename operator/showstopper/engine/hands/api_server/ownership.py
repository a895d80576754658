"""Ownership: whose value a field holds. Pure.

The same value may be there twice over: somebody may cordon a node, or scale to the same number, between a run's note
and its change. So a value alone does not say that the run has written it. The API server does: it notes in an object's
managedFields who wrote each field, in the same request that writes it, and forgets it when somebody else writes another
value. A run changes what it will put back under a name of its own, and puts it back under another: the run's name is on
a field for exactly as long as its value is. Nothing is copied to other objects, as annotations of a Deployment are.

What was put back is nobody's afterwards: the name under which it was is taken from it. Whoever applies another value
by server-side apply (Helm 4, Argo CD, Flux) would be in conflict with it otherwise, at the next release.
"""

from showstopper.api.run import ChangeRecord, ExperimentRun
from showstopper.cluster.client import Object
from showstopper.faults.workloads import fields

OPERATOR = "showstopper"
"""Whose name is on what stays: a restart."""
RESTORER = "showstopper-undo"
"""Whose name is on a value that was put back, for a moment."""
_RUN = "showstopper-run-"
_UNKNOWN = {"ancient-changes"}
"""The API server keeps ten names at the most, and lumps the oldest together (apimachinery: managedfields,
capmanagers.go). A node may well have more."""


def manager(run: ExperimentRun, change: ChangeRecord) -> str:
    """The name under which a run makes a change."""
    return f"{_RUN}{run.metadata.uid}" if change.lasts else OPERATOR


def other_run(run: ExperimentRun, change: ChangeRecord, body: Object) -> str | None:
    """The UID of another run whose value the field holds, and who has yet to put it back."""
    uids = (name.removeprefix(_RUN) for name in fields.writers(body, change.field) if name.startswith(_RUN))
    return next((uid for uid in uids if uid != run.metadata.uid), None)


def is_free(run: ExperimentRun, change: ChangeRecord, body: Object) -> bool:
    """Whether the field still holds what was noted, and that is not what another run will put back."""
    return fields.read(body, change.field) == change.before and other_run(run, change, body) is None


def is_ours(run: ExperimentRun, change: ChangeRecord, body: Object) -> bool:
    """Whether the field holds what the fault writes, by this run.

    An object may not tell who wrote the field: somebody has emptied its managedFields, or too many have written since.
    Then the run's record alone does.
    """
    if fields.read(body, change.field) != change.after:
        return False
    known = fields.writers(body, change.field) - _UNKNOWN
    return manager(run, change) in known if known else change.changed_at is not None
