"""What a render will take, before it begins: seconds of speech, and of a core for its frames.

The characters alone say enough of a usual request; only a text that may be too much is read to its
end first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app_core.errors import TooCostly
from app_core.media.ingest.probe import RATES
from app_core.request import ChunksRequest, Encoding, MjpegRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app_core.avatars.library import Avatar
    from app_core.config import Config
    from app_core.engine.capacity import Capacity
    from app_core.request import RenderRequest
    from app_core.speech.text.piece import Piece

CHARACTERS_A_SECOND = 14.0
"""Of speech at its usual speed: 12 to 16 in the three languages (measured)."""
DIGIT = 10
"""Characters that are said for a digit of a long number: 7 in Russian and Kazakh, 10 in English
(measured)."""
DOUBT = 3.0
"""A text may be that many times as long as its characters let expect: signs and abbreviations."""
SPARE = 1.2
"""Voices differ: speech that is so much longer than the longest is refused before it is made."""
CHUNK_S = 0.3
"""Of a core: what each film of a render in chunks takes beside its frames."""
ENCODE_MS = {
    "libx264": (13, 20, 22, 35, 60, 65, 140, 220, 250),
    "libx265": (35, 50, 65, 70, 75, 75, 120, 400, 870),
}
"""Core milliseconds for a million pixels by preset, the fastest first, where ``Capacity`` predicts
with a factor of one: the middle of what ffmpeg 9 took for a swaying face with the grain of a camera
and without it, of which the first is twice to four times the second."""
PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"),
    "veryslow",
)
WAYS = {
    "size": "a smaller",
    "fps": "a lower",
    "preset": "a faster",
    "encoder": "another",
    "text": "a shorter",
    "audio": "a shorter",
}
"""By field, how it makes less work."""
ON_A_GPU_MS = 5
"""The same of NVENC: the copy alone."""
_DIGIT = re.compile(r"\d")


def encode_ms(encoding: Encoding) -> float:
    """Core milliseconds for a million pixels."""
    by_preset = ENCODE_MS.get(encoding.encoder)
    return by_preset[PRESETS.index(encoding.preset)] if by_preset else ON_A_GPU_MS


@dataclass(frozen=True, slots=True)
class Work:
    """One frame after the other."""

    width: int
    height: int
    fps: int
    encoding: Encoding | None
    """None: no film is made."""
    capacity: Capacity
    """Of the model that draws them, on any of its devices."""

    @property
    def core_s(self) -> float:
        """Seconds of a core for a second of it."""
        encoded = 0.0 if self.encoding is None else encode_ms(self.encoding)
        frame_ms = self.capacity.frame_ms(self.width, self.height, encoded)
        return self.fps * frame_ms / 1000.0

    def lighter(self) -> list[str]:
        """The fields that make it cost more than an ordinary one, those that matter most first."""
        ways = {
            "size": replace(self, width=min(self.width, 512), height=min(self.height, 512)),
            "fps": replace(self, fps=min(self.fps, 25)),
        }
        if self.encoding is not None:
            fast = self.encoding._replace(preset="veryfast")
            ways["preset"] = replace(self, encoding=fast)
            ways["encoder"] = replace(self, encoding=fast._replace(encoder="libx264"))
        gains = {field: self.core_s / max(work.core_s, 1e-9) for field, work in ways.items()}
        if gains.get("encoder", 0.0) < 1.5 * gains.get("preset", 0.0):
            gains.pop("encoder", None)
        return sorted((name for name in gains if gains[name] > 1.5), key=lambda n: -gains[n])


def work_of(request: RenderRequest, avatar: Avatar, capacity: Capacity) -> Work:
    """A clip keeps its own rate unless the client asks for one."""
    width, height = request.pixels(None) or (avatar.width, avatar.height)
    own = "fps" not in request.model_fields_set and avatar.clip is not None and not request.still
    fps = max(request.fps, *RATES) if own else request.fps
    encoding = None if isinstance(request, MjpegRequest) else request.encoding
    return Work(width, height, fps, encoding, capacity)


def likely_s(text: str, speed: float, readings: Mapping[str, str]) -> float:
    """Seconds of speech, by the characters of a text alone, and of the ``readings`` of its
    words."""
    said = _characters(text)
    if readings:
        lower = text.lower()
        for word, read in readings.items():
            said += lower.count(word.lower()) * _characters(read)
    return said / CHARACTERS_A_SECOND / speed


def _characters(text: str) -> int:
    """That are said, about."""
    return len(text) + (DIGIT - 1) * _DIGIT.subn("", text)[1]


class Costs:
    """Refuses what is more than one render may be."""

    def __init__(self, config: Config, longest_s: float) -> None:
        """``longest_s``: of speech."""
        self._most_core_s, self._most_s = config.max_render_core_s, config.max_render_s
        self._longest_s = longest_s

    def of_sound(self, work: Work, seconds: float) -> float:
        """Core seconds. Raises TooCostly."""
        return self._checked(work, seconds * work.core_s, "audio")

    def of_text(
        self, work: Work, request: RenderRequest, pieces: Iterator[Piece]
    ) -> tuple[float, Iterator[Piece]]:
        """Core seconds, and the ``pieces`` that the text is read as. Raises TooCostly."""
        text, speed = request.text, request.speed
        films_s = 0.0
        if isinstance(request, ChunksRequest):
            films_s = CHUNK_S * len(text.split()) / request.chunk_size
        likely = likely_s(text, speed, request.dictionary)
        limit, _ = self._limit(work)
        fits = min(DOUBT * likely, self._longest_s) * work.core_s + films_s <= limit
        if (fits and likely <= self._longest_s) or request.live:
            seconds = min(likely, self._longest_s)
            return self._checked(work, seconds * work.core_s + films_s, "text"), pieces
        read, seconds = [], 0.0
        for piece in pieces:
            read.append(piece)
            seconds += len(piece.said) / CHARACTERS_A_SECOND / speed
            self._checked(work, seconds * work.core_s + films_s, "text")
            if seconds > SPARE * self._longest_s:
                most_minutes = self._longest_s / 60
                raise TooCostly(
                    f"The text takes more than {most_minutes:.0f} minutes to say", field="text"
                )
        return seconds * work.core_s + films_s, iter(read)

    def _limit(self, work: Work) -> tuple[float, str]:
        """Core seconds, and the setting that says so."""
        in_time_s = self._most_s * max(work.capacity.cores, 1.0)
        if in_time_s < self._most_core_s:
            return in_time_s, "MAX_RENDER_S"
        return self._most_core_s, "MAX_RENDER_CORE_S"

    def _checked(self, work: Work, core_s: float, said: str) -> float:
        limit, setting = self._limit(work)
        if core_s <= limit:
            return core_s
        fields = [*work.lighter(), said]
        ways = ", ".join(f"{WAYS[field]} '{field}'" for field in fields)
        raise TooCostly(
            f"This is over {_span(limit)} of work for one core, more than one render may be"
            f" ({setting}): ask for {ways}",
            field=fields[0],
        )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
