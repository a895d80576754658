"""Base of all resources: metadata, strict specs, lenient statuses, and readable errors."""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from showstopper.api.schema.rules import CelRule, Matching, Rule
from showstopper.errors import InvalidResource

GROUP = "showstopper.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

# RFC 1123 label, as Kubernetes has it for most names and for the values of labels.
NAME_PATTERN = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
WRITE_A_NAME = "write a name of at most 63 lower-case letters, digits and hyphens, with no hyphen first or last"
Name = Annotated[str, StringConstraints(max_length=63), Matching(NAME_PATTERN, WRITE_A_NAME)]
NAME_RULE = CelRule(f"self.metadata.name.matches('^{NAME_PATTERN}$')", f"metadata.name: {WRITE_A_NAME}")
"""Names of our resources. A CRD can restrict them only at its root."""

Text = Annotated[str, StringConstraints(max_length=256)]
Message = Annotated[str, StringConstraints(max_length=1024)]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
# RFC 3339 with microseconds; the schema says date-time.
Timestamp = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]


class Spec(BaseModel):
    """Part of a spec: unknown fields are errors, never guesses."""

    # Parts are validated by the whole that they are in: a validator of their own would only cost memory.
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, defer_build=True
    )

    # For the CRD and, where a rule is not about a change, for the model itself.
    rules: ClassVar[tuple[CelRule, ...]] = ()

    @model_validator(mode="after")
    def _keeps_its_rules(self) -> Self:
        for rule in self.rules:
            if isinstance(rule, Rule):
                rule.check(self)
        return self


class Status(BaseModel):
    """Part of a status: read leniently, so that a newer operator's fields do not break an older one."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class Metadata(Status):
    """The parts of metadata that we read."""

    name: Name
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """Version of the object, which can be compared with other versions of the same object (KEP-5504)."""
        return int(self.resource_version or 0)


class Resource(BaseModel):
    """A namespaced object of our group. Subclasses add `spec` and `status`, and their names."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    kind: ClassVar[str]
    plural: ClassVar[str]
    short_names: ClassVar[tuple[str, ...]] = ()
    # For the CRD, on spec and status together.
    rules: ClassVar[tuple[CelRule, ...]] = ()
    # (name, type, JSON path, priority). AGE is added last.
    printer_columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = ()
    # Whether it is a record that the operator alone writes, except for an abort. Its spec is then a copy of objects
    # that were validated when they were applied.
    record: ClassVar[bool] = False
    # JSON paths for use in a fieldSelector (Kubernetes 1.32 or later).
    selectable_fields: ClassVar[tuple[str, ...]] = ()

    metadata: Metadata

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """The typed form of an API object.

        Raises:
            InvalidResource: naming the object, the field and what is wrong with it.
        """
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise InvalidResource(f"{cls.kind} {_place(body)}: {_problems(error)}") from error

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.metadata.namespace, self.metadata.name


def _place(body: object) -> str:
    """Namespace and name of an object of which nothing is known to be right."""
    metadata = body.get("metadata") if isinstance(body, Mapping) else None
    words = (metadata.get("namespace"), metadata.get("name", "?")) if isinstance(metadata, Mapping) else ("?",)
    return "/".join(word if isinstance(word, str) else "?" for word in words if word)


def _problems(error: ValidationError) -> str:
    """The first five problems, each with its field, without lists that are too short only for their wrong entries."""
    problems = error.errors()
    places = [problem["loc"] for problem in problems]
    texts = []
    for problem in problems:
        place = problem["loc"]
        inner = any(len(other) > len(place) and other[: len(place)] == place for other in places)
        if problem["type"] == "too_short" and inner:
            continue
        said = problem["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
        texts.append(f"{'.'.join(str(part) for part in place)}: {said}")
    return "; ".join(texts[:5])


def own_first(model: type[BaseModel]) -> list[str]:
    """The names of a model's fields, in the order in which people read them: its own before the inherited ones."""
    own = inspect.get_annotations(model)
    return sorted(model.model_fields, key=lambda name: name not in own)


def dump(model: BaseModel) -> dict[str, Any]:
    """The model as JSON data in the API's spelling, without the fields that are None."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)
