"""The next voice speaks where the first fails, and only where nobody named a voice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from app_core import turns
from app_core.cancel_scope import Stale, never
from app_core.config import Config
from app_core.errors import Cancelled, NotFound, Unsayable, VoiceFailed, VoiceUnreachable
from app_core.job import JobStatus
from app_core.request import ChunksRequest, GenerateRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.speech.registry import Voices
from app_core.speech.speaker import Speaker
from app_core.speech.standing import REST_S, Standing
from app_core.speech.text.piece import Piece
from app_core.speech.text.reading import TextReader
from app_core.types import PLAIN, Frame, Prosody, Speech, VoiceFallback
from tests.begun import begun
from tests.conftest import until
from tests.fakes import RATE, ToneVoice

Make = Callable[..., LipsyncService]


class Broken(ToneVoice):
    """Fails, when it is asked for the piece ``fail_after``, in words that hold the text."""

    id = engine = "broken"

    def __init__(self, fail_after: int = 0, error: type[Exception] = VoiceFailed) -> None:
        super().__init__()
        self.fail_after, self.error, self.asked = fail_after, error, 0

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        self.asked += 1
        for index, speech in enumerate(super().speak(piece, prosody, stale)):
            if index == self.fail_after:
                raise self.error(f"cannot say {piece.said!r}")
            yield speech


class Double(ToneVoice):
    """A tone of 440 Hz at twice the rate."""

    id = "double"
    sample_rate = 2 * RATE

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        for speech in super().speak(piece, prosody, stale):
            at = np.arange(2 * len(speech.pcm)) / self.sample_rate
            pcm = 0.5 * np.sin(2 * np.pi * 440 * at).astype(np.float32)
            yield Speech(
                speech.index, speech.text, pcm, self.sample_rate, speech.phonemes, speech.words
            )


def speaker(*chain: Any, language: str = "en") -> Speaker:
    return Speaker(TextReader(), lambda _: chain, language)


def said(speaker: Speaker, text: str = "one two") -> list[str]:
    return [speech.text for speech in speaker.speak(text)]


def test_the_first_voice_speaks_while_it_works() -> None:
    last = Broken()
    voice = speaker(ToneVoice(), last)
    assert voice.sample_rate == RATE
    assert said(voice) == ["one", "two"]
    assert last.asked == 0


@pytest.mark.parametrize("error", [VoiceFailed, VoiceUnreachable])
def test_the_next_voice_speaks_where_the_first_fails(
    error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken(error=error)
    voice = speaker(broken, ToneVoice())
    assert said(voice, "secret words") == ["secret", "words"]
    assert f"the voice broken failed ({error.code}): tone speaks" in caplog.text
    assert "secret" not in caplog.text
    assert said(voice) == ["one", "two"]
    assert broken.asked == 1, "one that failed is not asked again"


def test_a_voice_that_fails_in_the_middle_is_followed_from_the_next_word_on() -> None:
    told: list[VoiceFallback] = []
    voice = speaker(Broken(fail_after=2), ToneVoice())
    found = list(voice.say(voice.read("one two three, four. Five."), on_fallback=told.append))
    assert [(s.text, s.voice) for s in found] == [
        ("one", "broken"),
        ("two", "broken"),
        ("three,", "tone"),
        ("four.", "tone"),
        ("Five.", "tone"),
    ]
    assert [speech.index for speech in found] == [0, 1, 2, 3, 4]
    assert told == [VoiceFallback("broken", "tone", "voice_failed", pytest.approx(0.4))]


def test_a_voice_that_fails_behind_its_last_word_has_said_the_piece() -> None:
    voice = speaker(AtTheEnd(), ToneVoice())
    found = [(speech.text, speech.voice) for speech in voice.speak("one two. Three.")]
    assert found == [("one", "end"), ("two.", "end"), ("Three.", "tone")]


class AtTheEnd(ToneVoice):
    id = "end"

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        yield from super().speak(piece, prosody, stale)
        raise VoiceUnreachable("gone")


@pytest.fixture
def live() -> Iterator[None]:
    token = turns.live.set(True)
    yield
    turns.live.reset(token)


def test_a_late_voice_is_left_and_the_listener_hears_of_it(live: None) -> None:
    slow, told = ToneVoice(delay_s=30.0), list[VoiceFallback]()
    slow.id = "slow"
    standing = Standing()
    voice = Speaker(TextReader(), lambda _: [slow, ToneVoice()], "en", standing, patience_s=0.1)
    pieces = voice.read("one two. Three.")
    assert [s.voice for s in voice.say(pieces, on_fallback=told.append)] == ["tone"] * 3
    assert [(fallback.voice, fallback.reason) for fallback in told] == [("slow", "voice_late")]
    assert standing.resting("slow") and not standing.resting("tone")


def test_the_last_voice_may_take_its_time(live: None) -> None:
    voice = Speaker(TextReader(), lambda _: [ToneVoice(delay_s=0.3)], "en", patience_s=0.1)
    assert said(voice, "one") == ["one"]


def test_a_voice_that_rests_is_left_out_until_it_has_rested() -> None:
    now = [100.0]
    standing = Standing(lambda: now[0])
    broken = Broken(fail_after=0)

    def asked() -> int:
        list(Speaker(TextReader(), lambda _: [broken, ToneVoice()], "en", standing).speak("one"))
        return broken.asked

    assert (asked(), asked()) == (1, 1)
    now[0] += REST_S + 1
    assert (asked(), asked()) == (2, 2), "it is tried again"
    now[0] += REST_S + 1
    assert asked() == 2, "and rests longer"
    now[0] += REST_S
    broken.fail_after = 9
    assert asked() == 3
    assert not standing.resting("broken")
    standing.failed("broken")
    now[0] += REST_S + 1
    assert not standing.resting("broken"), "what worked counts anew"


def test_a_piece_that_a_voice_cannot_say_is_said_by_the_next_and_the_rest_by_it() -> None:
    class Choosy(ToneVoice):
        id = "choosy"

        def speak(
            self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
        ) -> Iterator[Speech]:
            if "Two" in piece.said:
                raise Unsayable("choosy: not this")
            yield from super().speak(piece, prosody, stale)

    standing = Standing()
    voice = Speaker(TextReader(), lambda _: [Choosy(), ToneVoice()], "en", standing)
    assert [s.voice for s in voice.speak("One. Two. Three.")] == ["choosy", "tone", "choosy"]
    assert not standing.resting("choosy")


def test_where_every_voice_rests_all_are_asked() -> None:
    standing = Standing()
    standing.failed("tone")
    assert said(Speaker(TextReader(), lambda _: [ToneVoice()], "en", standing)) == ["one", "two"]


def test_the_last_voice_s_error_is_told() -> None:
    voice = speaker(Broken(), Broken(error=VoiceUnreachable))
    for _ in range(2):
        with pytest.raises(VoiceUnreachable):
            said(voice)


def test_nothing_to_say_is_no_failure() -> None:
    assert said(speaker(ToneVoice(), Broken()), "") == []


def test_what_is_cancelled_does_not_fall_back() -> None:
    last = Broken()
    with pytest.raises(Cancelled):
        list(speaker(ToneVoice(), last).speak("one", stale=lambda: True))
    assert last.asked == 0


def _none() -> list[Any]:
    raise NotFound("none")


class _Listening(ToneVoice):
    """Keeps what it is asked to say."""

    def __init__(self, *languages: str) -> None:
        super().__init__()
        self.languages, self.heard = languages, list[tuple[str, str]]()

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        self.heard.append((piece.language, piece.said))
        return super().speak(piece, prosody, stale)


def test_what_is_in_another_language_is_said_by_its_voice_where_there_is_one() -> None:
    russian, english = _Listening("ru"), _Listening("en")
    text = "Он сказал: «This is my house», и ушёл."

    def chain(language: str) -> list[Any]:
        return [voice for voice in (russian, english) if language in voice.languages] or _none()

    list(Speaker(TextReader(), chain, "ru").speak(text))
    assert [name for name, _ in russian.heard] == ["ru", "ru"]
    assert english.heard == [("en", "«This is my house»,")]
    russian.heard.clear()
    list(Speaker(TextReader(), Voices([russian]).chain, "ru").speak(text))
    assert {name for name, _ in russian.heard} == {"ru"}
    assert not any("a" <= char <= "z" for _, said in russian.heard for char in said)


def test_auto_needs_a_voice_of_any_language() -> None:
    kazakh = _Listening("kk")
    list(Speaker(TextReader(), Voices([kazakh]).chain, "auto").speak("Привет! Сәлем!"))
    assert [name for name, _ in kazakh.heard] == ["kk", "kk"]
    for language in ("auto", "ru"):
        with pytest.raises(NotFound):
            Speaker(TextReader(), Voices([_Listening("de")]).chain, language)


def test_every_voice_sounds_at_the_rate_of_the_first() -> None:
    (speech,) = speaker(Broken(), Double()).speak("one")
    at = np.arange(len(speech.pcm)) / RATE
    assert (speech.sample_rate, len(speech.pcm)) == (RATE, RATE // 5)
    assert speech.pcm.dtype == np.float32
    assert np.abs(speech.pcm - 0.5 * np.sin(2 * np.pi * 440 * at)).max() < 0.02
    (up,) = speaker(_Fast(), ToneVoice()).speak("one")
    assert (up.sample_rate, len(up.pcm)) == (22050, -(-RATE // 5 * 22050 // RATE))
    assert 0.4 < np.abs(up.pcm).max() < 0.6


class _Fast(Broken):
    sample_rate = 22050


def test_a_render_falls_back_unless_it_names_the_voice(make_service: Make, config: Config) -> None:
    voices = Voices([Broken(), ToneVoice()])
    service = make_service(voices=voices, config=config.model_copy(update={"voice": "broken"}))

    def rendered(**fields: Any) -> int:
        job = begun(service, GenerateRequest(text="one two", size="128x128", **fields))
        with service.frames(job.id, whole) as frames:
            return len(list(frames))

    assert rendered() == 10
    service.voices.standing.worked("broken")
    assert rendered(voice="broken") == 10
    assert rendered(voice="tone") == 10


def test_chunks_fall_back_too(make_service: Make) -> None:
    broken = Broken()
    service = make_service(voices=Voices([broken, ToneVoice()]))
    job = service.chunks.start(ChunksRequest(text="one two three", chunk_size=1, size="128x128"))
    assert until(lambda: job.ended, 20)
    assert job.status is JobStatus.DONE
    assert [chunk.frames for chunk in job.chunks] == [5, 5, 5]
    assert broken.asked == 1


@pytest.mark.parametrize("chunks", [False, True])
def test_a_voice_that_waits_for_its_server_stops_with_its_job(
    make_service: Make, chunks: bool
) -> None:
    """Its generator stands in a wait of its own, so nothing but ``stale`` can end it."""
    waiting, stopped = threading.Event(), threading.Event()

    class Distant(ToneVoice):
        def speak(
            self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
        ) -> Iterator[Speech]:
            waiting.set()
            while not stale():
                time.sleep(0.01)
            stopped.set()
            raise Cancelled("nobody listens")
            yield

    service = make_service(voices=Voices([Distant()]))
    text = {"text": "one", "size": "128x128"}
    if chunks:
        job = service.chunks.start(ChunksRequest(**text))
    else:
        job = begun(service, GenerateRequest(**text))
    assert waiting.wait(5)
    assert not stopped.is_set()
    service.cancel(job.id)
    assert stopped.wait(5)
    assert job.status is JobStatus.CANCELLED


def whole(frame: Frame) -> Frame:
    return frame
