"""One ffmpeg child process, and the pipes that feed it.

A process is used by one thread, and each pipe is written by one thread; ``stop`` and ``close``
may be called from any other. Arguments are a list, so no shell ever sees them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import threading
import time
from collections import deque
from typing import IO, TYPE_CHECKING

from app_core.cores import niceness
from app_core.errors import FfmpegFailed, SoyleError, kind_or_words
from app_core.media.ffmpeg import failure, limit_memory, starved
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_LAST_LINES = 100
_LONGEST_LINE = 4096  # bytes
_PIPE_BYTES = 1 << 20  # the most that Linux grants without asking; a picture is larger
_POLL_MS = 50  # how soon a blocked write sees that its pipe is being closed
_TERMINATE_S = 2.0
_LAST_WORDS_S = 5.0
_GENTLY = 10  # more niceness than ours: about a tenth of our weight

# From FFmpeg 7 on, one that cannot write its output says this, and then waits for its inputs to
# end while it reads none of them.
_DOOMED = "Terminating thread with return code"


def _widen(pipe: int) -> None:
    """Fewer switches between the processes at its two ends, where the system lets us."""
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


class InputPipe:
    """One input of a child, written without ever waiting for good."""

    def __init__(self) -> None:
        """Raises FfmpegFailed when no descriptor is left."""
        try:
            self.reader, self._writer = os.pipe()
        except OSError as error:
            raise FfmpegFailed(f"There is no pipe for ffmpeg: {error}") from error
        os.set_blocking(self._writer, False)
        _widen(self._writer)
        self._room = select.poll()
        self._room.register(self._writer, select.POLLOUT)
        self._writing = threading.Lock()
        self._closing = False

    @property
    def url(self) -> str:
        """What the child's argument list calls it."""
        return f"pipe:{self.reader}"

    def write(
        self, data: bytes | memoryview, patience_s: float, ended: Callable[[], bool] = bool
    ) -> None:
        """All of ``data``, which must be contiguous (an array has a view of itself in ``data``).

        Raises BrokenPipeError when the child or this end is closed, or ``ended`` says so while
        there is no room; TimeoutError when the child took nothing for ``patience_s`` seconds.
        """
        left = memoryview(data).cast("B")
        with self._writing:
            deadline = time.monotonic() + patience_s
            while left:
                if self._closing:
                    raise BrokenPipeError
                try:
                    left = left[os.write(self._writer, left) :]
                    deadline = time.monotonic() + patience_s
                except BlockingIOError:
                    if ended():
                        raise BrokenPipeError from None
                    if time.monotonic() > deadline:
                        raise TimeoutError from None
                    self._room.poll(_POLL_MS)

    def hand_over(self) -> None:
        """Close the child's end here, so that only the child holds it."""
        if self.reader >= 0:
            os.close(self.reader)
            self.reader = -1

    def close(self) -> None:
        """The child sees the end of the input. A write in another thread gives up first."""
        self._closing = True
        self.hand_over()
        with self._writing:
            if self._writer >= 0:
                os.close(self._writer)
                self._writer = -1


@contextlib.contextmanager
def input_pipes(count: int) -> Iterator[list[InputPipe]]:
    """New pipes for a child that is started in the ``with`` block: closed when that fails."""
    pipes: list[InputPipe] = []
    try:
        while len(pipes) < count:
            pipes.append(InputPipe())
        yield pipes
    except BaseException:
        for pipe in pipes:
            pipe.close()
        raise


class FfmpegProcess:
    """One running child. Leaving the ``with`` block ends it, reaps it and closes every pipe."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        inputs: Sequence[InputPipe] = (),
        output: bool = False,
        patience_s: float = 60.0,
        memory: int | None = None,
        gently: bool = False,
    ) -> None:
        """``output`` opens its standard output for ``read``. ``patience_s`` bounds one wait,
        ``memory`` the bytes that the child may take (None: no bound). ``gently``: it gives way to
        live work, which does not count its processor time as taken.

        Raises FfmpegFailed, or Busy when no thread is left; the ``inputs`` are closed then.
        """
        self._inputs = inputs
        self._patience_s = patience_s
        self._reading = threading.Lock()
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        try:
            self._child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if output else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[pipe.reader for pipe in inputs],
                # Ctrl-C in a terminal reaches only the server. Not a session of its own: Linux
                # weighs whole sessions (autogroup), and "nice" counts within one alone.
                process_group=0,
                bufsize=0,
            )
        except BaseException as error:
            for pipe in inputs:
                pipe.close()
            if isinstance(error, OSError):
                raise FfmpegFailed(
                    f"ffmpeg could not be started: {kind_or_words(error)}"
                ) from error
            raise
        limit_memory(self._child.pid, memory)
        if gently:  # its one thread, and those that it starts
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._child.pid, min(niceness() + _GENTLY, 19))
        for pipe in inputs:
            pipe.hand_over()
        assert self._child.stderr is not None
        if self._child.stdout is not None:
            _widen(self._child.stdout.fileno())
        self._listener = threading.Thread(
            target=self._listen,
            args=(self._child.stderr,),
            name=f"ffmpeg-{self._child.pid}",
            daemon=True,
        )
        try:
            start_thread(self._listener)
        except BaseException:
            self._child.kill()
            for stream in (*inputs, self._child.stdout, self._child.stderr):
                if stream is not None:
                    stream.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_LAST_WORDS_S)
            raise

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def starved(self) -> bool:
        """It said, by its end, that it got too little memory."""
        self._listener.join(_LAST_WORDS_S)
        return starved(list(self._lines))

    def write(self, pipe: InputPipe, data: bytes | memoryview) -> None:
        """Raises FfmpegFailed or DiskFull when the child has died or takes nothing."""
        try:
            pipe.write(data, self._patience_s, self._doomed)
        except BrokenPipeError:
            raise self.failure() from None
        except TimeoutError:
            raise FfmpegFailed(f"ffmpeg took no data for {self._patience_s:.0f} s") from None

    def read(self, into: memoryview) -> int:
        """Fill ``into`` from the child's output. Bytes read: fewer only at its end.

        Raises FfmpegFailed or DiskFull when the output ended because the child failed.
        """
        assert self._child.stdout is not None, "the process was started without output"
        left = into.cast("B")
        wanted = len(left)
        with self._reading:
            ready = select.poll()
            ready.register(self._child.stdout, select.POLLIN)
            while left:
                if not ready.poll(self._patience_s * 1000):
                    raise FfmpegFailed(f"ffmpeg gave no data for {self._patience_s:.0f} s")
                count = os.readv(self._child.stdout.fileno(), [left])
                if count == 0:
                    self._check(_LAST_WORDS_S)
                    break
                left = left[count:]
        return wanted - len(left)

    def receive(self, most: int, timeout_s: float) -> bytes:
        """What the child has put out, up to ``most`` bytes; b"" at its good end.

        Raises TimeoutError when nothing came in time, FfmpegFailed or DiskFull like ``read``.
        """
        assert self._child.stdout is not None, "the process was started without output"
        with self._reading:
            ready = select.poll()
            ready.register(self._child.stdout, select.POLLIN)
            if not ready.poll(timeout_s * 1000):
                raise TimeoutError
            data = os.read(self._child.stdout.fileno(), most)
        if not data:
            self._check(_LAST_WORDS_S)
        return data

    def finish(self, timeout_s: float = 120.0) -> None:
        """Close the inputs and wait for a good end, else raise FfmpegFailed or DiskFull."""
        for pipe in self._inputs:
            pipe.close()
        self._check(timeout_s)
        self.stop()

    def failure(self) -> SoyleError:
        """Why the child ended, in its own last words. Closes what it may still wait for."""
        for pipe in self._inputs:
            pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_LAST_WORDS_S)
        self._listener.join(_LAST_WORDS_S)
        return failure(self._child.returncode, self._lines)

    def stop(self) -> None:
        """End the child: ask, wait, kill, reap. Safe to call again."""
        if self._child.stdout is None:
            self._child.terminate()
        else:
            self._child.kill()  # it may be blocked on a full pipe, where it hears no SIGTERM
        for pipe in self._inputs:
            pipe.close()
        try:
            self._child.wait(_TERMINATE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(_LAST_WORDS_S)
        self._listener.join(_LAST_WORDS_S)
        if self._child.stdout is not None:
            with self._reading:
                self._child.stdout.close()

    def _doomed(self) -> bool:
        return any(_DOOMED in line for line in list(self._lines))

    def _check(self, timeout_s: float) -> None:
        try:
            code = self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise FfmpegFailed(f"ffmpeg did not end within {timeout_s:.0f} s") from None
        if code != 0:
            raise self.failure()

    def _listen(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(_LONGEST_LINE):
                self._lines.append(line.decode("utf-8", "replace").rstrip())

    def __enter__(self) -> FfmpegProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
