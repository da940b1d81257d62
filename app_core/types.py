"""The data that crosses threads. Nothing here acts; every field has its unit.

Pictures are planar YUV 4:2:0, uint8, BT.601, tv range (Y 16..235, U and V 16..240) everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One speech sound. An empty ``ipa`` is silence."""

    ipa: str
    start_s: float
    """Seconds from the start of its own Speech."""
    end_s: float
    start: int = 0
    """Index into the text as it was sent, as is ``end``; both 0 when nobody knows."""
    end: int = 0

    def moved(self, seconds: float) -> Phoneme:
        """As much later."""
        return replace(self, start_s=self.start_s + seconds, end_s=self.end_s + seconds)


class Placement(NamedTuple):
    """Where the mouths of a job are drawn."""

    model: str
    """Its name, never ``auto``."""
    device: str
    """As the settings name it; empty where the model is on one alone."""


@dataclass(frozen=True, slots=True)
class Prosody:
    """How something is said, apart from its words and its voice."""

    speed: float = 1.0
    """0.5..2, of the voice's own."""
    pitch: float = 0.0
    """-12..12 semitones from the voice's own; 0 where the voice is not ``pitched``."""


PLAIN = Prosody()


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text as it is written, with the marks beside it."""

    text: str
    start_s: float
    """Seconds from the start of its own Speech."""
    end_s: float
    start: int = 0
    """Index into the text as it was sent, as is ``end``; both 0 when nobody knows."""
    end: int = 0

    def moved(self, seconds: float) -> Word:
        """As much later."""
        return replace(self, start_s=self.start_s + seconds, end_s=self.end_s + seconds)


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """One spoken piece of a text, in order."""

    index: int
    text: str
    pcm: Float32
    """Mono samples, -1..1, shape (samples,)."""
    sample_rate: int
    """Samples a second."""
    phonemes: Sequence[Phoneme] | None
    """In time order over the whole of ``pcm``, or None when the voice does not know them."""
    words: tuple[Word, ...] = ()
    """In time order; empty when the voice does not know them."""
    voice: str = ""
    """The id of whose voice it is; empty for a recording."""


@dataclass(frozen=True, slots=True)
class VoiceFallback:
    """One voice took over from another, within a sentence or before it."""

    voice: str
    """The id of the one that failed or was late."""
    instead: str
    reason: str
    """A code of ``errors``, or ``voice_late``."""
    start_s: float
    """Seconds from the start of the job's sound, where the other one begins."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """When a piece of a text is said, with the pause after it."""

    index: int
    text: str
    start_s: float
    """Seconds from the start of the job's sound, as are those of its words."""
    end_s: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a session, told when its frame leaves."""

    type: str
    """speech_started, word, speech_finished, interrupted, voice_fallback, error, end and others."""
    utterance_id: str | None
    session_s: float
    """Seconds on the session's clock."""
    detail: Mapping[str, Any]
    """What else there is to say, ready for JSON."""

    def payload(self) -> dict[str, Any]:
        """As it is sent."""
        return {
            "type": self.type,
            "utterance_id": self.utterance_id,
            "session_s": round(self.session_s, 3),
            **self.detail,
        }


@dataclass(frozen=True, slots=True, eq=False)
class FaceTrack:
    """Where the face is in each picture of an avatar. Built once, shared, read-only."""

    boxes: Float32
    """(pictures, 4): left, top, right, bottom in pixels; a row of NaN where no face was found."""
    landmarks: Float32
    """(pictures, points, 2): x, y in pixels, in the order of ``landmarks.POINTS``."""
    fps: float
    """Pictures a second of the avatar's own source."""
    strength: Float32
    """(pictures,), 0..1: how much of the mouth's movement is drawn. A row without a face has 0."""


@dataclass(frozen=True, slots=True)
class ClipShape:
    """What a video file holds."""

    width: int
    """Pixels, upright, as is the height."""
    height: int
    fps: float
    pictures: int

    @property
    def whole(self) -> Cut:
        return Cut(0, 0, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a picture, pixels, and the margins that it leaves where it is shown."""

    left: int
    top: int
    width: int
    height: int
    margin_x: int = 0
    """At both sides of the picture that is made of it; even, pixels of that one."""
    margin_y: int = 0
    """Above and below."""

    def inner(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) that the part has in a picture of an even ``size``."""
        return size[0] - 2 * self.margin_x, size[1] - 2 * self.margin_y

    def blurred(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height), even, through which a picture passes to be blurred for margins."""
        return max(size[0] // 120 * 2, 4), max(size[1] // 120 * 2, 4)


@dataclass(frozen=True, slots=True, eq=False)
class MouthTask:
    """One frame's work for the model: the unit of batching."""

    job_id: str
    index: int
    """Frame number in the job, from 0."""
    picture: int
    """Which picture of the plate the mouth is drawn for, from 0."""
    face: Any
    """What the model's ``open`` returned for the job's plate."""
    features: NDArray[Any]
    """What the model's ``features`` made of the sound for this frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Mouth:
    """What the model drew for one frame: a patch or, for ``viseme``, eight numbers."""

    index: int
    picture: int
    drawing: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Planar YUV 4:2:0. Width and height are even. Planes are C-contiguous."""

    y: UInt8
    """(height, width)"""
    u: UInt8
    """(height / 2, width / 2)"""
    v: UInt8
    """(height / 2, width / 2)"""

    @property
    def planes(self) -> tuple[UInt8, UInt8, UInt8]:
        """Y, U, V."""
        return self.y, self.u, self.v

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A finished picture with its own sound."""

    index: int
    seconds: float
    """Time of this frame on the clock of the sound."""
    picture: Picture
    pcm: Float32
    """The sound of this frame, mono, -1..1. The last frame of a job may hold less."""


def frame_count(samples: int, sample_rate: int, fps: int) -> int:
    """Frames that ``samples`` of sound last: the integer ceiling, so no sound is cut."""
    return -(-samples * fps // sample_rate)


def first_sample(frame: int, sample_rate: int, fps: int) -> int:
    """The first sample of a frame, so that frames tile the sound without drift."""
    return frame * sample_rate // fps
