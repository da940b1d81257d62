"""A speech server of ours: a child process that is started, watched, and ended with this one."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
import subprocess
import threading
import time
from collections import deque
from http.client import HTTPConnection, HTTPException
from typing import IO, TYPE_CHECKING, Any

from app_core.config import ROOT
from app_core.services.watchdog import Duty, Watchdog
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from app_core.config import Config

logger = logging.getLogger(__name__)

COQUI = ROOT / "integrations" / "coqui"
KEY_VARIABLE = "SPEECH_SERVER_KEY"
"""In the child's environment: the bearer token that it asks for."""
_ADDRESS = re.compile(r"listening on http://127\.0\.0\.1:(\d{1,5})")
_LOOK_S = 1.0
_ASK_S = 2.0
_SILENCE_S = 60.0  # a child that has not answered for this long is ended
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_STEADY_S = 60.0  # after this long in health the pauses begin at the first again
_TERMINATE_S = 2.0
_LAST_LINES = 20
_LONGEST_LINE = 4096  # bytes
_LONGEST_ANSWER = 1 << 16  # bytes
_STATES = ("loading", "ready", "failed")


class SpeechServer:
    """The child says ``listening on http://127.0.0.1:PORT``, answers ``GET /health`` there with a
    ``status`` (loading, ready or failed), a ``reason``, its ``model``, ``languages`` and
    ``sample_rate``, and asks for ``key``. It ends when its standard input does, so that it
    outlives this process in no case. One that dies or falls silent is started again, later each
    time.

    ``status`` is loading, ready or failed; ``url`` is empty when there is nothing to ask. Those,
    ``languages`` and ``sample_rate`` (0: not known yet) change while it runs, and may be read by
    any thread.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        folder: Path | None = None,
        missing: str = "",
        clock: Callable[[], float] = time.monotonic,
        look_s: float = _LOOK_S,
    ) -> None:
        """``folder`` is where the child runs; ``missing`` says how to bring its program."""
        self.key = secrets.token_urlsafe(32)
        self.url = ""
        self.status, self.reason = "loading", "the speech server is starting"
        self.model = ""
        self.languages: tuple[str, ...] = ()
        self.sample_rate = 0
        self._argv, self._folder, self._missing = list(argv), folder, missing
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None
        self._port: int | None = None
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._failures = 0
        self._next_start_s = self._heard_s = clock()
        self._ready_s: float | None = None
        self._using, self._closed = threading.Lock(), False
        self._watchdog = Watchdog([Duty(self.look, look_s)], name="speech-server")

    @property
    def ready(self) -> bool:
        return self.status == "ready"

    @property
    def pid(self) -> int | None:
        child = self._child
        return child.pid if child else None

    def start(self) -> None:
        """Raises Busy when no thread is left."""
        self._watchdog.start()

    def close(self) -> None:
        """Ends the child, and reaps it. No other is started."""
        self._watchdog.close()
        with self._using:
            self._closed = True
            self._stop()
            self.status, self.reason = "failed", "the server is stopping"

    def describe(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "reason": self.reason or None,
            "model": self.model or None,
            "languages": list(self.languages),
            "sample_rate": self.sample_rate or None,
        }

    def look(self) -> None:
        """Starts the child when it is time, and asks it how it is."""
        with self._using:
            child = self._child
            if self._closed:
                return
            if child is None:
                if self._clock() >= self._next_start_s:
                    self._begin()
            elif (code := child.poll()) is not None:
                self._stop()
                self._again(f"ended with status {code}")
            elif not self._ask() and self._clock() - self._heard_s > _SILENCE_S:
                self._stop()
                self._again(f"did not answer for {_SILENCE_S:.0f} s")

    def _begin(self) -> None:
        self._lines.clear()
        self._port = None
        environment = {**os.environ, KEY_VARIABLE: self.key, "PYTHONUNBUFFERED": "1"}
        environment.pop("API_TOKEN", None)
        try:
            child = subprocess.Popen(
                self._argv,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.PIPE,  # nothing is written: its end is what the child waits for
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in a terminal reaches only this process
                bufsize=0,
            )
        except OSError as error:
            hint = f"; {self._missing}" if isinstance(error, FileNotFoundError) else ""
            self._again(f"could not be started: {error}{hint}")
            return
        self._child, self._heard_s = child, self._clock()
        assert child.stdout is not None
        self._listener = threading.Thread(
            target=self._listen, args=(child.stdout,), name=f"speech-{child.pid}", daemon=True
        )
        try:
            start_thread(self._listener)
        except BaseException:
            self._listener = None
            self._stop()
            self._again("could not be listened to: no thread is left")
            raise
        self._become("loading", "the speech server is starting")

    def _ask(self) -> bool:
        """Whether it answered."""
        port = self._port
        if port is None:
            return False
        connection = HTTPConnection("127.0.0.1", port, timeout=_ASK_S)
        try:
            connection.request("GET", "/health", headers={"Authorization": f"Bearer {self.key}"})
            state = json.loads(connection.getresponse().read(_LONGEST_ANSWER))
            status, reason = state["status"], str(state["reason"] or "")
            languages = tuple(str(language) for language in state["languages"])
            model, rate = str(state["model"] or ""), int(state["sample_rate"] or 0)
            if status not in _STATES:
                raise ValueError(status)
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            logger.debug("the speech server does not answer: %s", error)
            return False
        finally:
            connection.close()
        self.url = f"http://127.0.0.1:{port}"
        if status == "ready":  # while it is loaded once more it is still the same model
            self.model, self.languages, self.sample_rate = model, languages, rate
        self._heard_s = self._clock()
        self._become(status, reason)
        if status != "ready":
            self._ready_s = None
        elif self._ready_s is None:
            self._ready_s = self._heard_s
        return True

    def _become(self, status: str, reason: str) -> None:
        """Tells the log of what is new."""
        if (status, reason) != (self.status, self.reason):
            level = logging.ERROR if status == "failed" else logging.INFO
            sentence = f"is ready: {self.model}" if status == "ready" else reason
            logger.log(level, "speech server: %s", sentence)
        self.reason, self.status = reason, status

    def _again(self, why: str) -> None:
        """The child is gone: another comes after a pause, twice as long each time."""
        now = self._clock()
        if self._ready_s is not None and now - self._ready_s >= _STEADY_S:
            self._failures = 0
        pause_s = min(_FIRST_PAUSE_S * 2**self._failures, _LONGEST_PAUSE_S)
        self._failures = min(self._failures + 1, 16)
        self._next_start_s, self._ready_s, self.url = now + pause_s, None, ""
        reason = ": ".join([f"the speech server {why}", *list(self._lines)[-1:]])
        logger.error("%s; next try in %.0f s", reason, pause_s)
        self.status, self.reason = "failed", reason

    def _stop(self) -> None:
        """Ask, wait, kill, reap. Safe to call again."""
        child, listener = self._child, self._listener
        self.url = ""
        if child is None:
            return
        assert child.stdin is not None and child.stdout is not None
        with contextlib.suppress(OSError):
            child.stdin.close()
        child.terminate()
        try:
            child.wait(_TERMINATE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):  # it is in the kernel's hands
                child.wait(_TERMINATE_S)
        if listener is None:
            child.stdout.close()
        else:
            listener.join(_TERMINATE_S)
        self._child = self._listener = None

    def _listen(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(_LONGEST_LINE):
                words = line.decode("utf-8", "replace").rstrip()
                found = _ADDRESS.fullmatch(words)
                if found and self._port is None:
                    self._port = int(found[1])
                elif words:
                    self._lines.append(words)
                    logger.info("speech server: %s", words)


def open_speech_server(config: Config) -> SpeechServer | None:
    """Of the settings; None when they name none."""
    if config.coqui_model is None:
        return None
    python = COQUI / ".venv" / "bin" / "python"
    argv = [str(python), "-m", "soyle_coqui", "serve", "--model-dir", str(config.coqui_model)]
    argv += ["--listen", "127.0.0.1:0", "--until-input-ends"]
    if config.coqui_speaker is not None:
        argv += ["--speaker", str(config.coqui_speaker)]
    return SpeechServer(argv, folder=COQUI, missing="run `make coqui`")
