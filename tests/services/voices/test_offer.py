"""What clients are told of the voices while one comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app_core.services.voices.offer import VoiceOffer
from app_core.speech.registry import Voices
from app_core.speech.text.reading import TextReader
from tests.conftest import until
from tests.fakes import ToneVoice
from tests.file_server import serving
from tests.voice_files import CARD, WEIGHTS, voice_of


class Anna(ToneVoice):
    id, name, languages = "tube:anna", "Anna", ("ru", "kk")


def test_a_voice_that_comes_meanwhile_is_here_or_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaking: list[ToneVoice] = []
    voices = Voices(finders=[lambda: list(speaking)])

    def pulled(_voice_id: str) -> None:
        speaking.append(Anna())
        voices.look()

    with serving({"card": CARD, "weights": WEIGHTS}) as files:
        offer = VoiceOffer(tmp_path, voices, TextReader())
        offer.pulls.catalogue, offer.pulls.pulled = (voice_of(files, "anna"),), pulled
        describe = voices.describe

        def described() -> list[dict[str, Any]]:
            found = describe()
            offer.pulls.start("tube:anna", accepted=False)
            assert until(lambda: offer.pulls.describe("tube:anna")["status"] == "ready")
            return found

        monkeypatch.setattr(voices, "describe", described)
        told = offer.describe()
        offer.close()
    (anna,) = told["available"]
    assert not [record for record in told["voices"] if record["id"] == "tube:anna"]
    assert anna["pull"]["status"] != "ready", "whoever looks on until it is here would stop"
