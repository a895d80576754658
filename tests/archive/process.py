"""An archive as a process of its own: `python -m tests.archive.process URL PORT FEED_PORT`, cluster by $KUBECONFIG."""

import asyncio
import sys
from datetime import timedelta

from showstopper.archive.database import connect
from showstopper.archive.operation import Retention, operate
from showstopper.cluster.client import Client
from showstopper.runtime import configure_logs

FOREVER = Retention(timedelta(days=36500), timedelta(days=36500))


async def main(url: str, port: int, feed_port: int) -> None:
    async with await Client.connect() as client:
        await operate(client, connect(url), asyncio.Event(), retention=FOREVER, port=port, feed_port=feed_port)


if __name__ == "__main__":
    configure_logs("INFO")
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
