"""Parsing: objects from the API in their typed form, and what is done about those that have none."""

from collections.abc import Mapping
from typing import Any, TypeVar

import structlog

from showstopper.api.schema.base import Resource
from showstopper.errors import InvalidResource

log = structlog.get_logger()
R = TypeVar("R", bound=Resource)


def parse_or_log(model: type[R], body: Mapping[str, Any]) -> R | None:
    """The typed object. None, with a log line, for one that an older CRD let through."""
    try:
        return model.parse(body)
    except InvalidResource as error:
        log.warning("invalid_resource", error=str(error))
        return None
