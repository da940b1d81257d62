"""espeak-ng: the voice that is always there. It knows the exact time of every phoneme."""

from __future__ import annotations

import ctypes
import logging
from typing import TYPE_CHECKING, Any

import espeakng_loader
import numpy as np
import soxr

from app_core.audio import FULL_SCALE, SAMPLE_BYTES
from app_core.cancel_scope import never
from app_core.errors import Cancelled, VoiceFailed
from app_core.speech.level.limiter import limited
from app_core.speech.level.voice_level import MEASURED_DB
from app_core.speech.pauses import lead_s, pause_s
from app_core.speech.text.sentences import ends_sentence
from app_core.speech.timing.timeline import timeline
from app_core.speech.timing.words import words
from app_core.speech.voices.espeak_spelling import LETTERS, PHONEMES, spelling, stressed_vowel
from app_core.turns import Turns
from app_core.types import PLAIN, Prosody, Speech

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app_core.cancel_scope import Stale
    from app_core.speech.text.piece import Piece
    from app_core.types import Float32

logger = logging.getLogger(__name__)

SAMPLE_RATE = 22050

_VOICES = {
    "ru": ("ru+f3", 140, 1.36),
    "kk": ("kk+f3", 150, 1.08),
    "en": ("en-us+f3", 160, 1.07),
}
"""espeak-ng's name of the voice; words a minute that give 4.5 to 5.7 syllables a second; and the
power of ``speed`` by which these must grow for speech to be as much shorter (measured)."""
_RATES = (80, 450)
_MIDDLE = 50
"""The pitch, and the range of pitch, that leave a voice as it is: 100 is twice as high."""
_PITCHES = (-8.0, 9.0)
"""Semitones that espeak-ng can do itself, with the shape of the mouth left as it is."""
_RANGE_SHARE = 0.36
"""Of its base a voice loses as its range grows by the whole (SetPitch2 of wavegen.c)."""
_FADE_S = 0.01
_LOUDER_DB = 0.22
"""A semitone: a higher pitch is louder (measured, the same in each language)."""

# From espeak-ng's speak_lib.h.
_OUTPUT_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 0x0003
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_POSITION_CHARACTER = 1
_PARAMETER_RATE, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 3, 4
_EVENT_LIST_TERMINATED = 0
_EVENT_WORD = 1
_EVENT_PHONEME = 7


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("label", ctypes.c_char * 8),  # without a final zero when all eight bytes are used
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Library:
    """libespeak-ng. Its state is global to the process, so it is used by one thread at a time."""

    def __init__(self) -> None:
        self._turns = Turns("The voice", VoiceFailed)
        self._library: Any = None
        self._callback = _Callback(self._receive)
        self._blocks: list[bytes] = []
        self._events: list[tuple[int, str]] = []
        self._words: list[tuple[int, int]] = []

    def say(
        self,
        text: str,
        language: str,
        stresses: Iterable[int],
        rate: int,
        higher: float,
        stale: Stale,
    ) -> tuple[Float32, list[tuple[int, str]], list[tuple[int, int]]]:
        """The sound of ``text``, its phonemes as (sample, label), its words as (sample, index).

        ``stresses``: indices of vowels; ``rate`` is in words a minute; ``higher``: how many
        times the voice's own pitch. Raises VoiceFailed, or Cancelled when ``stale`` says so.
        """
        voice = _VOICES[language][0]
        with self._turns.turn(len(text), stale):
            library = self._library = self._library or self._load()
            self._blocks, self._events, self._words = [], [], []
            self._check(library.espeak_ng_SetVoiceByName(voice.encode()), voice)
            base = _MIDDLE + _MIDDLE * np.log2(max(higher + _RANGE_SHARE * (higher - 1), 0.5))
            for parameter, value in (
                (_PARAMETER_RATE, rate),
                (_PARAMETER_PITCH, min(base, 100)),
                (_PARAMETER_RANGE, _MIDDLE * higher),
            ):
                self._check(library.espeak_ng_SetParameter(parameter, round(value), 0), "prosody")
            spelled, froms = spelling(text, language, stresses, self._mnemonics)
            data = spelled.encode() + b"\0"
            self._check(
                library.espeak_ng_Synthesize(
                    data,
                    ctypes.c_size_t(len(data)),
                    0,
                    _POSITION_CHARACTER,
                    0,
                    _CHARS_UTF8 | (PHONEMES if "[[" in spelled else 0),
                    None,
                    None,
                ),
                "synthesis",
            )
            steps = np.frombuffer(b"".join(self._blocks), np.int16)
            pcm = steps.astype(np.float32) / np.float32(FULL_SCALE)
            last = len(froms) - 1
            words = [(sample, froms[min(at, last)]) for sample, at in self._words]
            return pcm, self._events, words

    def stresses(self, text: str, stale: Stale) -> list[int]:
        with self._turns.turn(len(text), stale):
            library = self._library = self._library or self._load()
            self._check(library.espeak_ng_SetVoiceByName(_VOICES["ru"][0].encode()), "ru")
            words = ((word, self._mnemonics(word.group())) for word in LETTERS.finditer(text))
            found = ((word, stressed_vowel(said, word.group())) for word, said in words)
            return [word.start() + at for word, at in found if at is not None]

    def _mnemonics(self, word: str) -> str:
        """Of the voice that is set."""
        data = ctypes.create_string_buffer(word.encode())
        rest = ctypes.c_void_p(ctypes.addressof(data))
        said = self._library.espeak_TextToPhonemes(ctypes.byref(rest), _CHARS_UTF8, 0)
        return (said or b"").decode(errors="ignore")

    def _load(self) -> Any:
        try:
            library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path()
        except (OSError, RuntimeError) as error:
            raise VoiceFailed(f"espeak-ng cannot be loaded: {error}") from error
        rate = library.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, 0, data.encode(), _PHONEME_EVENTS_IN_IPA | _DONT_EXIT
        )
        if rate != SAMPLE_RATE:
            raise VoiceFailed(f"espeak-ng does not start with the data in {data}: it said {rate}")
        library.espeak_SetSynthCallback(self._callback)
        library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        logger.debug("espeak-ng started with %s", data)
        return library

    def _check(self, status: int, what: str) -> None:
        if status:
            words = ctypes.create_string_buffer(256)
            library = self._library
            library.espeak_ng_GetStatusCodeMessage(status, words, ctypes.c_size_t(len(words)))
            raise VoiceFailed(f"espeak-ng failed ({what}): {words.value.decode(errors='replace')}")

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._blocks.append(ctypes.string_at(samples, count * SAMPLE_BYTES))
        index = 0
        while events[index].type != _EVENT_LIST_TERMINATED:
            if events[index].type == _EVENT_PHONEME:
                label = events[index].label.decode(errors="ignore")
                self._events.append((events[index].sample, label))
            elif events[index].type == _EVENT_WORD:
                self._words.append((events[index].sample, events[index].text_position - 1))
            index += 1
        return 0


_LIBRARY = _Library()


def russian_stresses(text: str, stale: Stale = never) -> list[int]:
    """Indices of the vowels that espeak-ng stresses, a word at a time: of the words in running text
    92 % are right. Raises VoiceFailed, or Cancelled when ``stale`` says so."""
    return _LIBRARY.stresses(text, stale)


class EspeakVoice:
    """espeak-ng's formant synthesizer with a woman's voice, in this process, without a network."""

    id = "espeak"
    languages: tuple[str, ...] = tuple(_VOICES)
    sample_rate = SAMPLE_RATE
    name = "eSpeak NG"
    engine = "espeak-ng"
    licence = weights_licence = "GPL-3.0-or-later"
    pitched = True

    def warm(self) -> None:
        """The limiter alone: the first text takes as long as any other."""
        limited(np.full(SAMPLE_RATE // 10, 2.0, np.float32), SAMPLE_RATE)

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        """One part, with its phonemes and the pause after it.

        espeak-ng's own slowest is 80 words a minute, so Russian at a speed of 0.5 is 0.6.
        Raises VoiceFailed, or Cancelled when ``stale`` says so.
        """
        language = piece.language
        if language not in _VOICES:
            raise VoiceFailed(f"espeak-ng has no voice here for the language {language!r}.")
        _, words_a_minute, power = _VOICES[language]
        speed = prosody.speed
        own = min(max(prosody.pitch, _PITCHES[0]), _PITCHES[1])
        higher, shifted = 2 ** (own / 12), 2 ** ((prosody.pitch - own) / 12)
        slower = speed / shifted
        faster = slower**power if slower > 1 else slower
        rate = round(min(max(words_a_minute * faster, _RATES[0]), _RATES[1]))
        clause = not ends_sentence(piece.said)
        said = piece.said.rstrip(" ,;:—–-") + "," if clause else piece.said
        if stale():
            raise Cancelled("Nobody waits for the speech any more")
        pcm, events, marks = _LIBRARY.say(said, language, piece.stresses, rate, higher, stale)
        if shifted != 1:
            pcm = soxr.resample(pcm, SAMPLE_RATE * shifted, SAMPLE_RATE)
            events = [(int(sample / shifted), label) for sample, label in events]
            marks = [(int(sample / shifted), at) for sample, at in marks]
        pcm = _levelled(pcm, language, prosody.pitch)
        lead = lead_s(piece)
        pcm, events = _framed(pcm, events, lead, pause_s(piece, prosody))
        phonemes = timeline(events, pcm, SAMPLE_RATE, language)
        starts = ((sample / SAMPLE_RATE + lead, at) for sample, at in marks)
        heard = words(piece, starts, phonemes)
        yield Speech(piece.index, piece.written, pcm, SAMPLE_RATE, phonemes, heard)


def _levelled(pcm: Float32, language: str, semitones: float) -> Float32:
    """The same gain for every piece, so that the dynamics stay."""
    gain_db = MEASURED_DB[EspeakVoice.id, language] - _LOUDER_DB * semitones
    return limited(pcm * np.float32(10 ** (gain_db / 20)), SAMPLE_RATE)


def _framed(
    pcm: Float32, events: list[tuple[int, str]], lead_s: float, pause_s: float
) -> tuple[Float32, list[tuple[int, str]]]:
    """The sound with ``lead_s`` of silence before it and exactly ``pause_s`` after it."""
    end = len(pcm)
    for sample, label in reversed(events):
        if label:
            break
        end = min(end, sample)
    tail = pcm[end : end + int(pause_s * SAMPLE_RATE)]
    fade = min(int(_FADE_S * SAMPLE_RATE), len(tail))
    tail[len(tail) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    lead = int(lead_s * SAMPLE_RATE)
    whole = np.zeros(lead + end + int(pause_s * SAMPLE_RATE), np.float32)
    whole[lead : lead + end] = pcm[:end]
    whole[lead + end : lead + end + len(tail)] = tail
    kept = [(sample + lead, label) for sample, label in events if sample < end]
    return whole, [*kept, (lead + end, "")]
