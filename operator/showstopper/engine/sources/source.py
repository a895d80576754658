"""Source: what answers the queries of expectations, beside the listeners."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from showstopper.api.expectations.sources import Query
from showstopper.cluster.client import Client

Q = TypeVar("Q", bound=Query)


class Source(ABC, Generic[Q]):
    """Answers one kind of query.

    Attributes:
        query: the model of what people write.
    """

    query: ClassVar[type[Query]]

    def __init__(self, client: Client) -> None:
        self._client = client

    @abstractmethod
    async def sample(self, query: Q, namespace: str) -> bool:
        """Whether what is asked holds now.

        Args:
            query: what is asked.
            namespace: of the run.

        Raises:
            QueryRefused: it cannot be asked, however often: the message says what to write.
            ShowstopperError: there was no answer this time. That is no data, and neither yes nor no.
        """
