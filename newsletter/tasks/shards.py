"""
The task of shards: a job grants its shard to this worker's dispatcher, and ends when nothing of it is left to claim.

Takes the shards of a run as planning cuts them, yields a job each. A job that is lost costs nothing: what nobody has
been granted is claimed all the same, see `dispatch.granted`. One that is run twice claims nothing twice.
"""

import asyncio
from typing import Final

from procrastinate import Blueprint, RetryDecision
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy
from sqlmodel import Session

from newsletter.dispatch.granted import Granted
from newsletter.planning.shards import Shard, shards_of
from newsletter.tasks.app import SHARDS, defer

NAMESPACE: Final = "shards"
SEND: Final = f"{NAMESPACE}:send_shard"


class GivenBack(Exception):  # noqa: N818  reads as what happened
    """The worker stops before the shard is spent: another one takes it."""


class AtOnce(BaseRetryStrategy):
    """Gives a job back that was not ended, to be taken up by somebody else at once; what has failed stays failed."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002  Procrastinate's signature
        """See `BaseRetryStrategy`."""
        return RetryDecision() if isinstance(exception, (GivenBack, asyncio.CancelledError)) else None


def shard_tasks(granted: Granted) -> Blueprint:
    """The tasks over what is granted to a dispatcher; to be added to an app under `NAMESPACE`."""
    tasks = Blueprint()

    @tasks.task(name="send_shard", queue=SHARDS, retry=AtOnce())
    async def send_shard(*, run_id: int, first: int, last: int) -> None:
        if not await granted.grant(Shard(run_id, first, last)):
            raise GivenBack

    return tasks


def hand_out(session: Session, run_id: int) -> int:
    """Defer a job for each shard of a run, in the session's transaction; returns how many."""
    return defer(session, SEND, *(shard._asdict() for shard in shards_of(session, run_id)), queue=SHARDS)
