"""The errors that several packages raise or catch. One that a package keeps to itself stands beside what raises it.

    ShowstopperError
    ├── InvalidQuantity          a duration or a share that cannot be read
    ├── InvalidResource          an object that does not fit its model
    ├── SettingsError            an environment variable or flag that cannot be used
    ├── QueryRefused             what an expectation asks of a source, and can never get
    ├── ArchiveError             the archive is not there, does not answer, or cannot use its database
    ├── AgentError               what an agent could not do on its node
    │   ├── EffectRefused        an effect that is out of bounds, or that this node has no means for
    │   │   └── TrafficClassTaken    netem has its packets in a traffic class, and there is no other way for this one
    │   ├── NamespaceGone        the target's network namespace cannot be entered (any more)
    │   ├── ContainerGone        no process of the target's container runs on this node (any more)
    │   ├── KernelRefused        the kernel said no to a rule, a queue, a qdisc, a signal or a cgroup
    │   └── LeaseLost            the fault has lifted itself: its lease was not renewed in time
    └── ClusterError             the Kubernetes API said no, or nothing
        ├── NotFound             404
        │   ├── NotRunYet        the experiment is there, and no run of it
        │   └── RunDeleted       the experiment is there, and its newest run was deleted
        ├── Forbidden            401, 403
        │   └── AgentsDisabled   the operator may not use agents any more, though a run has used them
        ├── Conflict             409, or a JSON patch whose test failed
        ├── Invalid              400, 422: the object was refused
        ├── BudgetRefused        429 of an eviction: a PodDisruptionBudget does not allow it
        └── Unavailable          no connection, 429, 5xx: worth another try

A message says what happened, to which object, and what to do.
"""


class ShowstopperError(Exception):
    """Base class of every error that this package raises on purpose."""


class InvalidQuantity(ShowstopperError, ValueError):
    """A duration or a share that cannot be read. Also a ValueError, so that pydantic reports it with its field."""


class InvalidResource(ShowstopperError):
    """An object from the API or from a file that does not fit its model."""


class SettingsError(ShowstopperError):
    """An environment variable or flag that cannot be used."""


class QueryRefused(ShowstopperError):
    """What an expectation asks of a source, and cannot get however often it asks."""


class ArchiveError(ShowstopperError):
    """The archive is not there, does not answer, or cannot use its database."""


class AgentError(ShowstopperError):
    """What an agent could not do on its node."""


class EffectRefused(AgentError):
    """An effect that is out of bounds, or that this node has no means for."""


class TrafficClassTaken(EffectRefused):
    """An effect that needs a traffic class where another one has the packets in one of its own already."""


class NamespaceGone(AgentError):
    """The target's network namespace cannot be entered, or not any more."""


class ContainerGone(AgentError):
    """No process of the target's container runs on this node, or not any more."""


class KernelRefused(AgentError):
    """The kernel said no to a rule, a queue, a qdisc, a signal or a cgroup. Carries the errno (0: none)."""

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class LeaseLost(AgentError):
    """The fault has lifted itself: its lease was not renewed in time."""


class ClusterError(ShowstopperError):
    """The Kubernetes API said no, or nothing. Carries the HTTP status (0: no answer) and the API's reason."""

    def __init__(self, message: str, *, status: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class NotFound(ClusterError):
    """The object does not exist (404)."""


class NotRunYet(NotFound):
    """The experiment is there, and no run of it: there is no verdict on it."""


class RunDeleted(NotFound):
    """The experiment is there, and its newest run was deleted. Carries the name of that run."""

    def __init__(self, message: str, *, run: str) -> None:
        super().__init__(message, status=404)
        self.run = run


class Forbidden(ClusterError):
    """The caller may not do this (401, 403)."""


class AgentsDisabled(Forbidden):
    """The operator may not use agents any more, though a run has used them: the chart was changed meanwhile."""


class Conflict(ClusterError):
    """The object changed meanwhile, exists already, or a precondition failed (409)."""


class Invalid(ClusterError):
    """The API refused the object (400, 422)."""


class BudgetRefused(ClusterError):
    """A PodDisruptionBudget, which the message names, does not allow an eviction now (429)."""


class Unavailable(ClusterError):
    """No connection, too many requests, or a server error: worth another try."""
