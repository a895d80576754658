"""A review of oneself: whom the API server takes the caller for, and its own time."""

from showstopper.clock import from_timestamp
from showstopper.cluster.client import Client, Object
from showstopper.cluster.kinds import SELF_SUBJECT_REVIEW


async def user_name(client: Client) -> str:
    """The caller's name, as the API server knows it."""
    return str((await _review(client))["status"]["userInfo"]["username"])


async def server_time(client: Client) -> float:
    """The API server's time, in unix seconds: this machine's own may be wrong."""
    return from_timestamp((await _review(client))["metadata"]["creationTimestamp"])


async def _review(client: Client) -> Object:
    body = {"apiVersion": SELF_SUBJECT_REVIEW.group_version, "kind": SELF_SUBJECT_REVIEW.name, "metadata": {}}
    return await client.create(SELF_SUBJECT_REVIEW, body)
