"""Sources of expectations beside the listeners: what people write to ask one. `engine/sources/` asks it.

A new source is a `Query` with its fields here, a line in `Queries`, and a module in `engine/sources/`.
"""

from typing import ClassVar

from showstopper.api.base import Spec
from showstopper.availability.units import SHARE, Unit


class Query(Spec):
    """What an expectation asks of a source: whether something holds, sampled through the whole run.

    It is `Measured`: its figure is the share of the sampled time in which it held.
    """

    unit: ClassVar[Unit] = SHARE

    @property
    def name(self) -> str:
        """What it is called in statuses and sentences."""
        raise NotImplementedError


class Queries(Spec):
    """The sources that an expectation can ask instead of an indicator, a field each."""

    @property
    def query(self) -> Query | None:
        """What is asked of a source. None where an indicator is bounded."""
        asked = (getattr(self, name) for name in Queries.model_fields)
        return next((query for query in asked if query is not None), None)


SOURCES: tuple[str, ...] = tuple(field.alias or name for name, field in Queries.model_fields.items())
"""The names of all sources beside the indicators, as they are written in YAML."""
