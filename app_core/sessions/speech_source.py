"""Where the speech of an utterance comes from: a text that is said, or a sound from outside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from app_core.audio import SAMPLE_BYTES
from app_core.errors import Cancelled
from app_core.types import Phoneme, Speech

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.cancel_scope import Stale
    from app_core.sessions.pcm_feed import PcmFeed
    from app_core.sessions.text_feed import TextFeed
    from app_core.speech.speaker import Speaker
    from app_core.types import Float32, Prosody, VoiceFallback

    Ahead = Callable[[], float]
    """Seconds of sound that are there and not played."""

LOOK_S = 0.05
PAUSE_S = 0.5
"""Silence after which a model has given all mouths of the sound before it. It is added where more
text or sound is late, so that the end of what was there is not held back until then."""
HUNGRY_S = 1.5
"""A text that comes in pieces is cut in smaller ones while no more than this is left to play."""
NEARLY_OVER_S = 0.5
"""It is added when no more than this is left to play: what a model holds back, and a frame."""
LATE_S = 1.0
"""A sound that is sent as it is made may come in blocks and over a line that stops: only when
nothing came for so long is it taken for a pause."""
LIVE_AHEAD_S, MOST_AHEAD_S = 0.7, 1.1
"""Of a microphone's sound, silence that would be played later than the first is left out, and
anything later than the second: its line had stopped, or its clock runs ahead of ours."""
SILENT = 0.01
"""Of full scale: a block that never is louder is silence."""


class SpeechSource(Protocol):
    sample_rate: int

    @property
    def text(self) -> str:
        """What is said as far as it is known; empty for a sound without words."""

    @property
    def taken(self) -> str:
        """The part of it that has begun to be said."""

    @property
    def pending(self) -> int:
        """Characters of it that nobody has begun to say."""

    @property
    def waiting_s(self) -> float | None:
        """Seconds of sound that have come and nobody has taken; None while nobody knows how much
        there will be."""

    def speeches(
        self, stale: Stale, ahead_s: Ahead, on_fallback: Callable[[VoiceFallback], None]
    ) -> Iterator[Speech]:
        """Each when it is asked for. Raises what the voices raise, or Cancelled."""

    def end(self) -> None:
        """Nothing more comes."""


class TextSource:
    """A text in a voice of this server. Words keep their places in the whole text."""

    def __init__(self, feed: TextFeed, speaker: Speaker, prosody: Prosody) -> None:
        self.feed, self._speaker, self._prosody = feed, speaker, prosody
        self.sample_rate = speaker.sample_rate

    @property
    def text(self) -> str:
        return self.feed.text

    @property
    def taken(self) -> str:
        return self.feed.taken

    @property
    def pending(self) -> int:
        return self.feed.pending

    @property
    def waiting_s(self) -> float | None:
        return None

    def end(self) -> None:
        self.feed.end()

    def speeches(
        self, stale: Stale, ahead_s: Ahead, on_fallback: Callable[[VoiceFallback], None]
    ) -> Iterator[Speech]:
        index, held = 0, False
        while not self.feed.over:
            clause = self.feed.take(LOOK_S, hungry=ahead_s() < HUNGRY_S)
            if stale():
                raise Cancelled("The utterance was interrupted")
            if clause is None:
                if held and ahead_s() < NEARLY_OVER_S:
                    yield silence(index, self.sample_rate)
                    index, held = index + 1, False
                continue
            for speech in self._speaker.speak(clause.text, self._prosody, stale, on_fallback):
                words = (
                    replace(word, start=word.start + clause.start, end=word.end + clause.start)
                    if word.end
                    else word
                    for word in speech.words
                )
                yield replace(speech, index=index, words=tuple(words))
                index, held = index + 1, True


class SoundSource:
    """A sound from outside, with or without a text of it. One that is ``live`` is a microphone's:
    what is too late is left out."""

    def __init__(self, feed: PcmFeed, text: str = "", *, live: bool = False) -> None:
        self._feed, self.text, self._live = feed, text, live
        self.sample_rate = feed.sample_rate
        self.taken, self.pending = text, 0

    @property
    def waiting_s(self) -> float | None:
        feed = self._feed
        return feed.waiting / SAMPLE_BYTES / feed.sample_rate if feed.ended else None

    def end(self) -> None:
        self._feed.end()

    def speeches(
        self, stale: Stale, ahead_s: Ahead, on_fallback: Callable[[VoiceFallback], None]
    ) -> Iterator[Speech]:
        index, held = 0, False
        while not self._feed.over:
            pcm = self._feed.take(LOOK_S)
            if stale():
                raise Cancelled("The utterance was interrupted")
            if pcm is None:
                if held and self._feed.quiet_s > LATE_S and ahead_s() < NEARLY_OVER_S:
                    yield silence(index, self.sample_rate)
                    index, held = index + 1, False
                continue
            if self._live and self._too_late(pcm, ahead_s()):
                continue
            yield Speech(index, "", pcm, self.sample_rate, None)
            index, held = index + 1, True

    def _too_late(self, pcm: Float32, ahead_s: float) -> bool:
        silent = bool(np.abs(pcm).max(initial=0.0) < SILENT)
        return ahead_s > (LIVE_AHEAD_S if silent else MOST_AHEAD_S)


def silence(index: int, sample_rate: int) -> Speech:
    """PAUSE_S of it."""
    samples = round(PAUSE_S * sample_rate)
    pause = [Phoneme("", 0.0, samples / sample_rate)]
    return Speech(index, "", np.zeros(samples, np.float32), sample_rate, pause)
