"""Sources of expectations beside the listeners, each asked in its own way.

Each module of this package declares a `Source`. It is found here, so that a new one is one module.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from showstopper.api.expectations.sources import Query
from showstopper.cluster.client import Client
from showstopper.engine.sources.source import Source

__all__ = ["Source", "Sources"]


def _declared() -> Iterator[type[Source[Any]]]:
    """The sources that the modules of this package declare."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Source) and value is not Source:
                yield value


_SOURCES: dict[type[Query], type[Source[Any]]] = {source.query: source for source in _declared()}


class Sources:
    """All sources, with the operator's rights."""

    def __init__(self, client: Client) -> None:
        self._by_query = {query: source(client) for query, source in _SOURCES.items()}

    async def sample(self, query: Query, namespace: str) -> bool:
        """Whether what is asked holds now, for a run in that namespace.

        Raises:
            QueryRefused: it cannot be asked, however often.
            ShowstopperError: there was no answer this time.
        """
        return await self._by_query[type(query)].sample(query, namespace)
