"""The asyncio tasks of one peer: none fails unseen, none outlives it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Executor

logger = logging.getLogger(__name__)


class Tasks:
    """In the loop's thread alone."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._running: set[asyncio.Task[Any]] = set()
        self._ended_with: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], *, ends: bool = False) -> asyncio.Task[Any]:
        """``ends``: ``cancel`` ends it; else it comes to its end by itself."""
        task = self._loop.create_task(work)
        self._running.add(task)
        if ends:
            self._ended_with.add(task)
        task.add_done_callback(self._done)
        return task

    def cancel(self) -> None:
        for task in list(self._ended_with):
            task.cancel()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._ended_with.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("what ran for a peer failed", exc_info=error)


class Jobs:
    """What is done for one peer in threads that may wait, one after the other."""

    def __init__(self, most: int, workers: Executor) -> None:
        """``most``: that wait. ``workers``: threads, shared by all peers."""
        self._most, self._workers = most, workers
        self._waiting: asyncio.Queue[Callable[[], None] | None] = asyncio.Queue()

    @property
    def full(self) -> bool:
        return self._waiting.qsize() >= self._most

    def put(self, job: Callable[[], None]) -> None:
        self._waiting.put_nowait(job)

    def end(self) -> None:
        """After those that wait."""
        self._waiting.put_nowait(None)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while (job := await self._waiting.get()) is not None:
            try:
                done = loop.run_in_executor(self._workers, job)
            except RuntimeError:  # the server is stopping: nothing is begun any more
                logger.debug("what a peer asked for was left")
                continue
            try:
                await done
            except Exception:
                logger.exception("what a peer asked for failed")
