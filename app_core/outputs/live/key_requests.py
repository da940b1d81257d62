"""When the next key frame of a film is due, however many ask for one."""

from __future__ import annotations

from app_core.media.x264 import KEY_FRAME_S

KEY_PAUSE_S = 0.4
"""Between a key frame and the next that somebody asked for."""


class KeyRequests:
    """``ask`` may come from any thread. The first picture is a key frame."""

    def __init__(self, fps: int) -> None:
        self._fps = fps
        self._wanted = True
        self._last: int | None = None

    def ask(self) -> None:
        """At the next picture, or KEY_PAUSE_S after the last key frame."""
        self._wanted = True

    def due(self, index: int) -> bool:
        """Whether picture ``index`` is to be one."""
        if self._last is None:
            return True
        pause_s = KEY_PAUSE_S if self._wanted else KEY_FRAME_S
        return index - self._last >= pause_s * self._fps

    def made(self, index: int) -> None:
        """Picture ``index`` is one."""
        self._last, self._wanted = index, False
