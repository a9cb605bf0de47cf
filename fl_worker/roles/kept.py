"""What is started once for a job and kept for its rounds: an app that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

from app.sdk.protocol import Job


class Closable(Protocol):
    """What has to be ended."""

    async def close(self) -> None:
        """End it."""
        ...


Started = TypeVar("Started", bound=Closable)


class Kept(Generic[Started]):
    """One for each job; whoever asks first starts it, and all wait for the same."""

    def __init__(self, start: Callable[[Job], Coroutine[Any, Any, Started]]) -> None:
        self._start = start
        self._tasks: dict[int, asyncio.Task[Started]] = {}

    def prepare(self, job: Job) -> asyncio.Task[Started]:
        """Start a job's once; a failed start is tried again when asked again."""
        task = self._tasks.get(job.job_id)
        if task is None or (task.done() and not is_ready(task)):
            task = asyncio.create_task(self._start(job))
            self._tasks[job.job_id] = task
        return task

    def is_ready(self, job_id: int) -> bool:
        """Whether a job's was started."""
        task = self._tasks.get(job_id)
        return task is not None and is_ready(task)

    def is_kept(self, job_id: int) -> bool:
        """Whether a job's was started, or is being started."""
        return job_id in self._tasks

    def __len__(self) -> int:
        return len(self._tasks)

    async def end(self, job_id: int) -> None:
        """Close a job's, or give up starting it."""
        task = self._tasks.pop(job_id, None)
        if task is not None and is_ready(task):
            await task.result().close()
        elif task is not None:
            task.cancel()

    async def close(self) -> None:
        """Close all."""
        for job_id in list(self._tasks):
            await self.end(job_id)


def is_ready(task: asyncio.Task[Any]) -> bool:
    """Whether something was started."""
    return task.done() and not task.cancelled() and task.exception() is None
