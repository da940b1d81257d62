"""The server, with a voice that speaks when the test lets it."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from soyle_coqui.errors import NotReady
from soyle_coqui.text import cut

from tests.conftest import Client, served, until

RATE = 8000


class GatedVoice:
    """A quarter of a second for each piece and each pass through ``gate``."""

    name, languages, speakers = "gated", ("ru", "en"), ("anna", "boris")
    sample_rate, streams, licence = RATE, True, None

    def __init__(self, parts: int = 1, open_: bool = True) -> None:
        self.parts, self.gate = parts, threading.Semaphore(1000 if open_ else 0)
        self.said: list[tuple[str, str, str, float]] = []
        self.closed = 0

    def cut(self, text: str, language: str) -> list[str]:
        return cut(text, 40)

    def speak(self, piece: str, language: str, speaker: str, speed: float) -> Iterator[Any]:
        self.said.append((piece, language, speaker, speed))
        try:
            for _ in range(self.parts):
                assert self.gate.acquire(timeout=20)
                if "сломан" in piece:
                    raise RuntimeError("secret words of the text")
                yield np.full(RATE // 4, 0.5, np.float32)
        finally:
            self.closed += 1


def ready(voice: GatedVoice, **settings: Any) -> Any:
    return served(lambda: voice, **settings)


@pytest.fixture
def voice() -> GatedVoice:
    return GatedVoice()


@pytest.fixture
def client(voice: GatedVoice) -> Iterator[Client]:
    with ready(voice) as client:
        assert until(lambda: client.server.model.status == "ready")
        yield client


def test_health_and_models(client: Client) -> None:
    answer = client.send("/health")
    assert answer.status == 200
    assert json.loads(answer.read()) == {
        "status": "ready",
        "reason": None,
        "model": "gated",
        "languages": ["ru", "en"],
        "voices": ["anna", "boris"],
        "sample_rate": RATE,
        "streams": True,
        "weights_licence": None,
    }
    listed = json.loads(client.send("/v1/models").read())
    assert [model["id"] for model in listed["data"]] == ["gated"]


def test_the_fields_reach_the_voice(client: Client, voice: GatedVoice) -> None:
    client.pcm("Раз. Два.", language="ru-RU", voice="boris", speed=1.5)
    assert voice.said == [("Раз.", "ru", "boris", 1.5), ("Два.", "ru", "boris", 1.5)]
    client.pcm("Hello", voice="alloy")
    assert voice.said[-1] == ("Hello", "en", "", 1.0), "the language of its letters"
    client.pcm("Привет", voice="default")
    assert voice.said[-1] == ("Привет", "ru", "", 1.0)


def test_pcm_and_wav(client: Client) -> None:
    pcm = client.pcm("Раз.")
    assert pcm == b"\x00\x40" * (RATE // 4)
    answer = client.speak("Раз.")
    assert answer.headers["Content-Type"] == "audio/wav"
    wav = answer.read()
    assert wav[44:] == pcm
    assert struct.unpack_from("<IHHI", wav, 16) == (16, 1, 1, RATE)
    assert struct.unpack_from("<I", wav, 40)[0] == 0xFFFFFFFF


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"input": ""}, "'input' must be a text"),
        ({"input": 5}, "'input' must be a text"),
        ({"input": "я" * 4097}, "'input' has 4097 characters of 4096"),
        ({"input": "?!"}, "'input' has nothing that can be said"),
        ({"response_format": "mp3"}, "'response_format' must be wav or pcm"),
        ({"stream_format": "ws"}, "'stream_format' must be audio or sse"),
        ({"speed": 5}, "'speed' must be 0.25 to 4.0"),
        ({"speed": True}, "'speed' must be 0.25 to 4.0"),
        ({"speed": float("nan")}, "'speed' must be 0.25 to 4.0"),
        ({"speed": 10**400}, "'speed' must be 0.25 to 4.0"),
        ({"voice": "clara"}, "'voice' must be one of: default, anna, boris"),
        ({"voice": {"id": "anna"}}, "'voice' must be one of: default, anna, boris"),
        ({"language": "kk"}, "gated does not speak 'kk'; it speaks: ru, en"),
        ({"language": ["ru"]}, "'language' must be a code such as ru"),
        ({"input": "Сәлем"}, "gated does not speak 'kk'; it speaks: ru, en"),
    ],
)
def test_what_cannot_be_said(client: Client, fields: dict[str, Any], words: str) -> None:
    told = client.refusal("/v1/audio/speech", {"input": "Раз.", **fields})
    assert told == (400, words)
    assert client.pcm("Раз.")


def test_bodies_that_are_none(client: Client) -> None:
    assert client.refusal("/v1/audio/speech", [1]) == (400, "The body must be a JSON object")
    for body, kind, status in (
        (b"{", "application/json", 400),
        (b'{"input": "\xff"}', "application/json", 400),
        (b'{"input": "x"}', "text/plain", 415),
        (b" " * (1 << 17), "application/json", 413),
    ):
        connection = client.connect()
        connection.request("POST", "/v1/audio/speech", body, {"Content-Type": kind})
        assert connection.getresponse().status == status
        connection.close()
    assert client.send("/nothing").status == 404


def test_a_key_is_asked_for(voice: GatedVoice) -> None:
    with ready(voice, key="secret") as client:
        assert until(lambda: client.server.model.status == "ready")
        assert client.pcm("Раз.")
        for wrong in ("", "other"):
            client.key = wrong
            for path, body in (("/health", None), ("/", {"text": "Раз."})):
                assert client.send(path, body).status == 401
    assert len(voice.said) == 1


def test_the_first_part_comes_before_the_last_is_made() -> None:
    voice = GatedVoice(parts=3, open_=False)
    with ready(voice) as client:
        assert until(lambda: client.server.model.status == "ready")
        voice.gate.release()
        answer = client.speak("Раз.", response_format="pcm")
        assert len(answer.read(RATE // 2)) == RATE // 2
        assert voice.closed == 0
        voice.gate.release(2)
        assert len(answer.read()) == RATE


def test_one_that_waits_longer_than_its_turn_is_refused() -> None:
    voice = GatedVoice(open_=False)
    with ready(voice, waiting=2) as client:
        assert until(lambda: client.server.model.status == "ready")
        sounds: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: sounds.append(client.pcm("Раз."))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        assert until(lambda: client.server.model._unfinished == 3)
        answer = client.speak("Два.")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert client.health()["status"] == "ready"
        voice.gate.release(3)
        for thread in threads:
            thread.join(20)
        assert [len(sound) for sound in sounds] == [RATE // 2] * 3
        voice.gate.release()
        assert client.pcm("Три.")


@pytest.mark.parametrize("path", ["/", "/v1/audio/speech"])
def test_a_client_that_leaves_cancels(path: str) -> None:
    voice = GatedVoice(open_=False)
    with ready(voice) as client:
        assert until(lambda: client.server.model.status == "ready")
        asked: list[Any] = []
        submit = client.server.model.submit
        client.server.model.submit = lambda speaking: [submit(speaking), asked.append(speaking)]
        body = json.dumps({"text": "Раз. Два. Три.", "input": "Раз. Два. Три."}).encode()
        left = client.connect()
        left.request("POST", path, body, {"Content-Type": "application/json"})
        assert until(lambda: len(voice.said) == 1)
        left.close()
        assert until(lambda: asked[0].cancelled.is_set())
        voice.gate.release()
        assert until(lambda: client.server.model._unfinished == 0)
        assert (len(voice.said), voice.closed) == (1, 1), "the others are not begun"


def test_a_voice_that_fails(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.speak("Всё сломано.").status == 500
    connection = client.speak("Раз. Всё сломано.", response_format="pcm")
    assert connection.status == 200
    with pytest.raises(Exception, match="IncompleteRead"):
        connection.read()
    assert client.pcm("Раз.")
    assert "secret" not in caplog.text and "сломан" not in caplog.text


def test_a_voice_that_says_nothing_in_time() -> None:
    voice = GatedVoice(open_=False)
    with ready(voice, patience_s=0.3) as client:
        assert until(lambda: client.server.model.status == "ready")
        assert client.speak("Раз.").status == 504
        voice.gate.release()


def test_a_model_that_comes_later() -> None:
    voice: list[GatedVoice] = []

    def load() -> GatedVoice:
        if not voice:
            raise NotReady("model.pth is missing: bring it")
        return voice[0]

    with served(load) as client:
        assert until(lambda: client.server.model.status == "failed")
        answer = client.send("/health")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert json.loads(answer.read())["reason"] == "model.pth is missing: bring it"
        assert client.refusal("/", {"text": "Раз."}) == (503, "model.pth is missing: bring it")
        voice.append(GatedVoice())
        assert until(lambda: client.server.model.status == "ready")
        assert client.pcm("Раз.")


def test_more_connections_than_there_is_room_for(client: Client) -> None:
    from soyle_coqui.server import MOST_CONNECTIONS

    address = ("127.0.0.1", client.server.server_port)
    idle = [socket.create_connection(address, 5) for _ in range(MOST_CONNECTIONS)]
    try:
        assert until(lambda: client.server._room._value == 0)
        assert client.send("/health").status == 503
    finally:
        for connection in idle:
            connection.close()
    assert until(lambda: client.server._room._value == MOST_CONNECTIONS)
    assert client.health()["status"] == "ready"


def test_an_old_client_gets_no_chunks(client: Client) -> None:
    body = b'{"input": "\xd0\x94\xd0\xb0", "response_format": "pcm"}'
    head = b"POST /v1/audio/speech HTTP/1.0\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", client.server.server_port), 5) as connection:
        connection.sendall(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        told = b""
        while part := connection.recv(1 << 16):
            told += part
    head, _, sound = told.partition(b"\r\n\r\n")
    assert b"chunked" not in head and len(sound) == RATE // 2
