"""Sources of expectations beside the listeners: what people write to ask one. `engine/sources/` asks it.

A new source is a `Query` with its fields here, a line in `Queries`, and a module in `engine/sources/`.
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from showstopper.api.schema.base import Spec
from showstopper.api.schema.rules import Matching, Rule
from showstopper.availability.units import SHARE, Unit


class Query(Spec):
    """What an expectation asks of a source: whether something holds, sampled through the whole run.

    It is `Measurable`: its figure is the share of the sampled time in which it held.
    """

    unit: ClassVar[Unit] = SHARE

    @property
    def name(self) -> str:
        """What it is called in statuses and sentences."""
        raise NotImplementedError


class ConditionStatus(StrEnum):
    """Statuses of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


_NO_SECRETS = "no expectation reads a Secret: write a kind that has conditions, like Deployment or Pod"


class KubernetesCondition(Query):
    """Condition of an object in the namespace of the run, as the Kubernetes API has it.

    The measured figure is the share of the sampled time in which the condition had the status. An object that does not
    exist, or does not have the condition, does not have it in that status.
    """

    api_version: Annotated[
        str,
        StringConstraints(max_length=120),
        Matching("([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?v[0-9a-z]+", 'write the apiVersion of a manifest, like "apps/v1"'),
    ]
    """API version of the object, as in a manifest."""
    kind: Annotated[
        str, StringConstraints(max_length=63), Matching("[A-Z][A-Za-z0-9]*", 'write a kind, like "Deployment"')
    ]
    """Kind of the object, as in a manifest. The operator must be allowed to get it: Pod, Deployment, StatefulSet,
    DaemonSet, ReplicaSet, Job, Service and the kinds of Showstopper are by default. Never Secret."""
    object_name: Annotated[
        str,
        StringConstraints(max_length=253),
        Matching("[a-z0-9]([-.a-z0-9]*[a-z0-9])?", "write the name of an object, in lower case"),
        Field(alias="name"),
    ]
    """Name of the object."""
    condition: Annotated[
        str,
        StringConstraints(max_length=128),
        Matching("[A-Za-z0-9]([-._/A-Za-z0-9]*[A-Za-z0-9])?", 'write the type of a condition, like "Available"'),
    ]
    """Type of the condition."""
    status: ConditionStatus = ConditionStatus.TRUE
    """Status that the condition should have."""

    rules = (Rule("self.kind != 'Secret'", _NO_SECRETS, holds=lambda asked: asked.kind != "Secret"),)

    @property
    def name(self) -> str:
        """Such as "Deployment relay Available=True"."""
        return f"{self.kind} {self.object_name} {self.condition}={self.status}"


class Queries(Spec):
    """The sources that an expectation can ask instead of an indicator, a field each."""

    kubernetes: KubernetesCondition | None = None
    """Condition of a Kubernetes object. Bounded by a share: the part of the sampled time in which it holds."""

    @property
    def query(self) -> Query | None:
        """What is asked of a source. None where an indicator is bounded."""
        asked = (getattr(self, name) for name in Queries.model_fields)
        return next((query for query in asked if query is not None), None)


SOURCES: tuple[str, ...] = tuple(field.alias or name for name, field in Queries.model_fields.items())
"""The names of all sources beside the indicators, as they are written in YAML."""
