from __future__ import annotations

import io
import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.config import Config
from app_core.services.voices.samples import KEPT, SENTENCES
from app_core.speech.registry import Voices
from app_core.speech.voices.espeak import EspeakVoice
from app_core.weights.voice_catalogue import VOICES
from tests.conftest import checked_client, until
from tests.fakes import ToneVoice, ToneVoices
from tests.file_server import FileServer, serving
from tests.voice_files import CARD, WEIGHTS, voice_of

MakeService = Callable[..., Any]


@pytest.fixture
def files() -> Iterator[FileServer]:
    with serving({"card": CARD, "weights": WEIGHTS}) as made:
        yield made
        if made.hold is not None:
            made.hold.set()


@pytest.fixture
def client(
    make_service: MakeService, config: Config, files: FileServer, tmp_path: Path
) -> FlaskClient:
    """Of a server with a small catalogue."""
    service = make_service(config=config.model_copy(update={"models_dir": tmp_path / "models"}))
    service.voice_offer.pulls.catalogue = (
        voice_of(files, "anna"),
        voice_of(
            files,
            "oleg",
            commercial=False,
            weights_licence="CC-BY-NC-4.0",
            notes=("no_licence_stated",),
            module="no_such_module",
            mend="make tube",
        ),
        voice_of(files, "xtts", files=(), how="make coqui", elsewhere_size=7),
    )
    return checked_client(service)


def available(client: FlaskClient) -> dict[str, Any]:
    return {voice["id"]: voice for voice in client.get("/api/voices").json["available"]}


def pull(client: FlaskClient, name: str, **fields: Any) -> Any:
    return client.post(f"/api/voices/tube:{name}/pull", json=fields)


def test_voices(client: FlaskClient) -> None:
    told = client.get("/api/voices").json
    assert told["voices"] == [
        {
            "id": "tone",
            "name": "Tone",
            "languages": ["ru", "kk", "en"],
            "sample_rate": 8000,
            "engine": "sine",
            "licence": "MIT",
            "weights_licence": "MIT",
            "commercial": True,
            "pitched": False,
            "ready": True,
            "mend": None,
        }
    ]
    anna, oleg, xtts = told["available"]
    assert anna["mend"] == "python app.py models pull tube:anna"
    assert anna["pull"] == {
        "id": "tube:anna",
        "status": "missing",
        "stage": "waiting",
        "progress": 0.0,
        "size": len(WEIGHTS),
        "error": None,
    }
    assert (oleg["commercial"], oleg["ready"], anna["notes"]) == (False, False, [])
    (note,) = oleg["notes"]
    assert note["code"] == "no_licence_stated" and "nobody has stated" in note["sentence"]
    assert (xtts["mend"], xtts["pull"], xtts["size"]) == ("make coqui", None, 7)


def test_the_whole_catalogue_fits_the_contract(make_client: Callable[..., FlaskClient]) -> None:
    told = make_client().get("/api/voices").json["available"]
    assert [voice["id"] for voice in told] == [voice.id for voice in VOICES]


def test_who_speaks_is_not_offered(make_client: Callable[..., FlaskClient]) -> None:
    voice = ToneVoice()
    voice.id = "silero:ru_aigul"
    told = make_client(voices=ToneVoices(voice)).get("/api/voices").json
    assert told["voices"][0]["commercial"] is True
    assert "silero" not in {voice["id"] for voice in told["available"]}


def test_the_embedded_voice_says_its_licence() -> None:
    (voice,) = Voices([EspeakVoice()]).describe()
    assert (voice["engine"], voice["licence"]) == ("espeak-ng", "GPL-3.0-or-later")


@pytest.mark.parametrize(
    ("licence", "commercial"),
    [("CC-BY-NC-SA-4.0", False), ("CC-BY-4.0", True), ("ask us", None), ("SYNC-1.0", None)],
)
def test_a_licence_tells_whether_it_allows_commercial_use(
    make_client: Callable[..., FlaskClient], licence: str, commercial: bool | None
) -> None:
    voice = ToneVoice()
    voice.weights_licence = licence
    (told,) = make_client(voices=ToneVoices(voice)).get("/api/voices").json["voices"]
    assert told["commercial"] is commercial


def test_a_voice_is_pulled_with_progress(client: FlaskClient, files: FileServer) -> None:
    files.hold = threading.Event()
    answer = pull(client, "anna")
    assert (answer.status_code, answer.json["status"]) == (202, "pulling")
    assert pull(client, "anna", accept_licence=True).status_code == 202
    where = answer.headers["Location"]
    assert available(client)["tube:anna"]["pull"]["status"] == "pulling"
    files.hold.set()
    assert until(lambda: client.get(where).json["status"] == "ready")
    again = pull(client, "anna")
    assert (again.status_code, again.json["progress"]) == (200, 1.0)
    # Nobody has told the registry of it.
    assert available(client)["tube:anna"]["mend"] == "start the server again"
    assert [path for path, _, _ in files.asked] == ["card", "weights"]


def test_a_pull_is_cancelled(client: FlaskClient, files: FileServer) -> None:
    files.hold = threading.Event()
    where = pull(client, "anna").headers["Location"]
    assert client.delete(where).json == {"id": "tube:anna", "removed": True}
    assert client.get(where).json["status"] == "missing"
    assert client.delete(where).status_code == 409


def test_a_licence_must_be_accepted(client: FlaskClient) -> None:
    for fields in ({}, {"accept_licence": False}):
        answer = pull(client, "oleg", **fields)
        assert (answer.status_code, answer.json["field"]) == (400, "accept_licence")
        assert "CC-BY-NC-4.0" in answer.json["error"]
    assert pull(client, "oleg", accept_licence="yes").status_code == 400
    assert pull(client, "oleg", accept_licence=True).status_code == 202
    assert until(lambda: available(client)["tube:oleg"]["pull"]["status"] == "ready")
    assert available(client)["tube:oleg"]["mend"] == "make tube"


def test_what_cannot_be_pulled(client: FlaskClient) -> None:
    assert pull(client, "nobody").status_code == 404
    assert client.get("/api/voices/tube:nobody/pull").status_code == 404
    assert client.delete("/api/voices/tube:nobody/pull").status_code == 404
    answer = pull(client, "xtts", accept_licence=True)
    assert answer.status_code == 409 and "make coqui" in answer.json["error"]
    assert pull(client, "anna", licence=True).json["field"] == "licence"
    assert client.post("/api/voices/tube:anna/pull").status_code == 415


def sample(client: FlaskClient, language: str = "") -> Any:
    return client.get("/api/voices/tone/sample" + (f"?language={language}" if language else ""))


@pytest.mark.parametrize("language", ["", "ru", "kk", "en"])
def test_a_sample_is_a_sentence_in_the_language(client: FlaskClient, language: str) -> None:
    answer = sample(client, language)
    assert (answer.status_code, answer.mimetype) == (200, "audio/wav")
    with wave.open(io.BytesIO(answer.data)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (8000, 1)
        words = len(SENTENCES[language or "ru"].split())
        assert sound.getnframes() == words * 1600  # a word is a fifth of a second


def test_a_sample_is_made_once(make_service: MakeService) -> None:
    voice = ToneVoice()
    service = make_service(voices=ToneVoices(voice))
    client = checked_client(service)
    first = sample(client, "en").data
    spoken = voice.spoken
    assert sample(client, "en").data == first and voice.spoken == spoken > 0
    service.voice_offer.samples.forget()
    assert sample(client, "en").data == first and voice.spoken == 2 * spoken


def test_few_samples_are_kept(make_service: MakeService) -> None:
    samples = make_service().voice_offer.samples
    voices = [ToneVoice() for _ in range(KEPT + 1)]
    for number, voice in enumerate(voices):
        voice.id = f"tone:{number}"
        samples.wav(voice, "en", lambda: False)
        samples.wav(voices[0], "en", lambda: False)
    samples.wav(voices[1], "en", lambda: False)
    assert voices[1].spoken == 2 * voices[0].spoken  # asked for longest ago
    samples.wav(voices[-1], "en", lambda: False)
    assert voices[-1].spoken == voices[0].spoken


def test_samples_that_cannot_be(
    client: FlaskClient, make_client: Callable[..., FlaskClient]
) -> None:
    assert client.get("/api/voices/tube:anna/sample").status_code == 404
    assert sample(client, "de").json["field"] == "language"
    voice = ToneVoice(fail_at="Hello!")
    voice.languages = ("en",)
    broken = make_client(voices=ToneVoices(voice))
    assert sample(broken, "ru").status_code == 404
    answer = sample(broken)
    assert (answer.status_code, answer.json["code"]) == (500, "voice_failed")


def test_a_slow_sample_is_given_up(
    make_client: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_core.services.voices.samples.PATIENCE_S", 0.2)
    answer = sample(make_client(voices=ToneVoices(ToneVoice(delay_s=5.0))), "en")
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
