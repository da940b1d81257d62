"""The whole line for real: text to MP4 to decoded pictures, and the lips in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from app_core.avatars.library import AvatarLibrary
from app_core.cancel_scope import Stale, never
from app_core.config import ROOT, Config
from app_core.landmarks import POINTS
from app_core.lipsync.viseme.model import VisemeModel
from app_core.request import GenerateRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.speech.registry import Voices
from app_core.speech.text.piece import Piece
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import PLAIN, Phoneme, Prosody, Speech, frame_count
from tests.begun import begun

FPS = 25
SHUT, OPEN = 75, 65
"""Darkest luma between the lips: a closed seam is lighter than SHUT, a mouth darker than OPEN."""

SENTENCES = {
    "ru": [
        "Мама мыла раму, а папа пил кофе.",
        "Большой белый пароход медленно подплыл к берегу.",
        "Мой брат любит пить тёплое молоко по утрам.",
    ],
    "kk": [
        "Бүгін ауа райы жақсы, біз саябаққа барамыз.",
        "Менің апам базардан алма мен мейіз әкелді.",
        "Балалар мектепте математика пәнін оқып жатыр.",
    ],
    "en": [
        "My mother baked a big apple pie.",
        "Bob and Pam made plans to meet by the lamp.",
        "The small boat moved past the empty beach.",
    ],
}


class RememberingVoice(EspeakVoice):
    """Keeps what it said, with the times on the clock of the whole text."""

    def __init__(self) -> None:
        super().__init__()
        self.phonemes: list[Phoneme] = []
        self.samples = 0

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        for speech in super().speak(piece, prosody, stale):
            at = self.samples / speech.sample_rate
            self.phonemes += [
                Phoneme(p.ipa, at + p.start_s, at + p.end_s) for p in speech.phonemes or []
            ]
            self.samples += len(speech.pcm)
            yield speech


def decoded(path: Path) -> np.ndarray:
    """Luma of every picture, (frames, height, width)."""
    video = cv2.VideoCapture(str(path))
    found = []
    while (read := video.read())[0]:
        found.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2GRAY))
    video.release()
    return np.stack(found)


@pytest.mark.parametrize("language", SENTENCES)
def test_lips_close_on_every_m_b_p_and_open_on_vowels(
    make_service: Callable[..., LipsyncService], config: Config, tmp_path: Path, language: str
) -> None:
    library = AvatarLibrary(ROOT / "avatar")
    voice = RememberingVoice()
    still = config.model_copy(update={"avatar": "aigul", "sway": False})
    service = make_service(
        config=still, model=VisemeModel(), voices=Voices([voice]), library=library
    )
    landmarks = library.plate(library.get("aigul"), (512, 512), sway=False).track.landmarks[0]
    top = landmarks[POINTS["lip_upper_outer"]]
    bottom = landmarks[POINTS["lip_lower_outer"]]
    middle, width = top[8, 0], top[-1, 0] - top[0, 0]
    closures = openings = 0
    for number, text in enumerate(SENTENCES[language]):
        voice.phonemes, voice.samples = [], 0
        job = begun(service, GenerateRequest(text=text, language=language, size="512x512"))
        film = tmp_path / f"{number}.mp4"
        service.render(job.id, film)
        pictures = decoded(film)
        film.unlink()
        assert len(pictures) == frame_count(voice.samples, voice.sample_rate, FPS)
        between = pictures[
            :,
            int(top[8, 1]) : int(bottom[8, 1] + 0.12 * width),
            int(middle - 0.2 * width) : int(middle + 0.2 * width),
        ]
        darkest = between.min(axis=(1, 2))
        for phoneme in voice.phonemes:
            centre = (phoneme.start_s + phoneme.end_s) / 2
            near = [n for n in range(len(darkest)) if abs((n + 0.5) / FPS - centre) <= 0.041]
            if phoneme.ipa[:1] in ("m", "b", "p"):
                closures += 1
                seen = darkest[near].max()
                assert seen >= SHUT, f"{text}: {phoneme} is open, luma {seen}"
            if phoneme.ipa[:1] in ("a", "ɑ", "æ") and phoneme.end_s - phoneme.start_s > 0.08:
                openings += 1
                seen = darkest[near].min()
                assert seen <= OPEN, f"{text}: {phoneme} is shut, luma {seen}"
    assert closures >= 9
    assert openings >= 2
