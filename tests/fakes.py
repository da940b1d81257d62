"""Stand-ins with behaviour: a voice that hums, a model whose mouths show their order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app_core.avatars.library import Avatar
from app_core.cancel_scope import Stale, never
from app_core.errors import Cancelled, NotFound, VoiceFailed
from app_core.landmarks import POINT_COUNT, POINTS
from app_core.speech.registry import Voices
from app_core.speech.speaker import Speaker
from app_core.speech.text.piece import Piece
from app_core.speech.voice import Voice
from app_core.types import (
    PLAIN,
    FaceTrack,
    Mouth,
    MouthTask,
    Phoneme,
    Picture,
    Prosody,
    Speech,
    Word,
    frame_count,
)

RATE = 8000


def spoken_by(
    voice: Voice, text: str, language: str, prosody: Prosody = PLAIN, stale: Stale = never
) -> Iterator[Speech]:
    """A whole text by one voice."""
    return Speaker.alone(voice, language).speak(text, prosody, stale)


class ToneVoice:
    """Each written word is a fifth of a second of tone. Can fail at a word, and can be slow."""

    id = "tone"
    languages = ("ru", "kk", "en")
    sample_rate = RATE
    name, engine, licence, weights_licence = "Tone", "sine", "MIT", "MIT"
    pitched = False

    def __init__(self, word_s: float = 0.2, fail_at: str = "", delay_s: float = 0.0) -> None:
        self.word_s, self.fail_at, self.delay_s = word_s, fail_at, delay_s
        self.spoken = 0

    def warm(self) -> None:
        pass

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        for index, word in enumerate(piece.written.split()):
            if word == self.fail_at:
                raise VoiceFailed(f"tone: cannot say '{word}'")
            self._wait(stale)
            self.spoken += 1
            length = int(self.word_s / prosody.speed * RATE)
            pcm = np.sin(np.arange(length) * 0.3).astype(np.float32) * 0.5
            seconds = length / RATE
            phonemes, words = [Phoneme("a", 0.0, seconds)], (Word(word, 0.0, seconds),)
            yield Speech(index, word, pcm, RATE, phonemes, words)

    def _wait(self, stale: Stale) -> None:
        until_s = time.monotonic() + self.delay_s
        while True:
            if stale():
                raise Cancelled("tone: nobody listens")
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return
            time.sleep(min(left_s, 0.02))


class ToneVoices(Voices):
    """One voice."""

    def __init__(self, voice: ToneVoice | None = None) -> None:
        super().__init__([voice or ToneVoice()])


class GreyPlate:
    """``count`` pictures, each of one grey: 40 plus its number."""

    jaw_gain = open_gain = 1.0

    def __init__(self, width: int = 64, height: int = 48, count: int = 10) -> None:
        self.width, self.height, self.count = width, height, count
        self.track = FaceTrack(
            boxes=np.tile(np.float32([16, 12, 48, 36]), (count, 1)),
            landmarks=np.zeros((count, 1, 2), np.float32),
            fps=25.0,
            strength=np.ones(count, np.float32),
        )

    def frame_source(self, use_nvdec: bool = False, gently: bool = False) -> GreyPlate:
        return self

    def close(self) -> None:
        pass

    def picture(self, index: int) -> Picture:
        half = np.full((self.height // 2, self.width // 2), 128, np.uint8)
        return Picture(np.full((self.height, self.width), 40 + index, np.uint8), half, half)


class GreyLibrary:
    """One avatar, ``grey``, at any size."""

    def __init__(self) -> None:
        self._plates: dict[tuple[int, int] | None, GreyPlate] = {}

    def ids(self) -> list[str]:
        return ["grey"]

    def get(self, avatar_id: str) -> Avatar:
        if avatar_id not in ("grey", "aigul"):
            raise NotFound("There is no such avatar; there is: grey", field="avatar")
        return Avatar(avatar_id, avatar_id.title(), Path("nowhere"), 1.0, 1.0, 64, 48)

    def at(self, path: Any) -> Avatar:
        return self.get("grey")

    def charge(self, plate: Any, nbytes: int) -> None:
        pass

    def forget(self, folder: Path) -> None:
        pass

    def forget_gone(self) -> None:
        pass

    def close(self) -> None:
        pass

    def plate(
        self, avatar: Avatar, size: tuple[int, int] | None = None, *, static: bool, sway: bool
    ) -> GreyPlate:
        return self._plates.setdefault(size, GreyPlate(*(size or (64, 48))))


class FacePlate(GreyPlate):
    """A GreyPlate whose face has all its points, so that a network can be framed on it."""

    def __init__(self, width: int = 64, height: int = 48, count: int = 10) -> None:
        super().__init__(width, height, count)
        left, top, right, bottom = box = np.float32([0.2, 0.1, 0.8, 0.9]) * [
            width,
            height,
            width,
            height,
        ]
        points = np.full((count, POINT_COUNT, 2), (left + right) / 2, np.float32)
        points[..., 1] = 0.7 * height
        for name, y in (("forehead", top), ("chin", bottom)):
            points[:, POINTS[name], 1] = y
        for name in ("brow_left", "brow_right"):
            points[:, POINTS[name], 1] = top + 0.2 * (bottom - top)
        points[:, POINTS["lip_lower_inner"], 1] += 5  # an open mouth is drawn in silence too
        boxes = np.tile(box, (count, 1)).astype(np.float32)
        self.track = FaceTrack(boxes, points, 25.0, np.ones(count, np.float32))


class FaceLibrary(GreyLibrary):
    def plate(
        self, avatar: Avatar, size: tuple[int, int] | None = None, *, static: bool, sway: bool
    ) -> GreyPlate:
        return self._plates.setdefault(size, FacePlate(*(size or (64, 48))))


class CountingFeatures:
    """One row a frame, settled as soon as its sound is there."""

    def __init__(self, fps: int) -> None:
        self.fps, self.samples, self.rows, self.rate = fps, 0, 0, RATE

    def push(self, speech: Speech) -> np.ndarray:
        self.samples += len(speech.pcm)
        self.rate = speech.sample_rate
        return self._until(self.samples * self.fps // self.rate)

    def finish(self) -> np.ndarray:
        return self._until(frame_count(self.samples, self.rate, self.fps))

    def _until(self, end: int) -> np.ndarray:
        rows = np.arange(self.rows, end, dtype=np.float32)[:, None]
        self.rows = max(end, self.rows)
        return rows


RESTING = (1 << 32) - 1
"""The number of a mouth that says nothing."""


class EchoModel:
    """A mouth is its feature; ``apply`` writes the frame's number into the first pixels.

    ``bad`` frames make their whole batch fail; ``gate`` holds the model still while it is clear.
    """

    name, device, frames_per_s = "echo", "cpu", 1e5

    def __init__(self, max_batch: int = 16, bad: Sequence[tuple[str, int]] = ()) -> None:
        self.max_batch, self.bad = max_batch, set(bad)
        self.batches: list[list[tuple[str, int]]] = []
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()

    def open(self, plate: Any) -> str:
        return "face"

    def features(self, fps: int) -> CountingFeatures:
        return CountingFeatures(fps)

    def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        assert self.gate.wait(10)
        self.threads.add(threading.current_thread().name)
        batch = [(task.job_id, task.index) for task in tasks]
        if task := next((t for t in batch if t in self.bad), None):
            raise RuntimeError(f"frame {task[1]} is cursed")
        self.batches.append(batch)
        return [Mouth(task.index, task.picture, task.features) for task in tasks]

    def apply(self, face: Any, picture: Picture, mouth: Mouth) -> Picture:
        y = picture.y.copy()
        y[0, :8] = [int(b) for b in int(mouth.drawing[0]).to_bytes(8, "big")]
        return Picture(y, picture.u, picture.v)

    def rest(self, index: int, picture: int) -> Mouth:
        return Mouth(index, picture, np.full(1, RESTING, np.int64))

    def eased(self, mouth: Mouth, weight: float) -> Mouth:
        """One that is half at rest is at rest."""
        return mouth if weight > 0.5 else self.rest(mouth.index, mouth.picture)

    def ready(self, task: MouthTask) -> bool:
        return True

    def close(self) -> None:
        pass

    def warm_up(self) -> None:
        pass


def frame_number(picture: Picture) -> int:
    """What EchoModel wrote."""
    return int.from_bytes(bytes(picture.y[0, :8].tolist()), "big")
