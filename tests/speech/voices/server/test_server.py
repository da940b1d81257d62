from __future__ import annotations

import itertools
import logging
import os
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app_core.cancel_scope import Stale, never
from app_core.config import Config, ConfigError
from app_core.errors import Cancelled, VoiceUnreachable
from app_core.media.ffmpeg import find_ffmpeg
from app_core.speech.text.piece import Piece
from app_core.speech.voices.server import client
from app_core.speech.voices.server.address import address
from app_core.speech.voices.server.last_words import last_words
from app_core.speech.voices.server.voices import ServerSynthesizer, server_voices
from app_core.types import PLAIN, Float32, Prosody
from tests.conftest import until
from tests.speech_server import (
    CHARACTER_S,
    RATE,
    Behaviour,
    Handler,
    Int16,
    SpeechServer,
    encoded,
    hum,
    wav,
)

TEXT = "Мама мыла раму, и рама стала чистой."
KEY = "sk-secret-0123456789"


@pytest.fixture
def server() -> Iterator[SpeechServer]:
    """Every connection to it must have ended after the test, and every thread."""
    before = set(threading.enumerate())
    server = SpeechServer()
    yield server
    assert until(lambda: server.open == 0), "a connection was left open"
    server.close()
    assert until(lambda: not set(threading.enumerate()) - before), threading.enumerate()


@pytest.fixture
def voices(server: SpeechServer) -> Iterator[Callable[..., list[ServerSynthesizer]]]:
    made: list[Any] = []

    def make(**settings: Any) -> list[ServerSynthesizer]:
        given = {"url": f"http://127.0.0.1:{server.port}", "timeout_s": "5"} | settings
        environ = {f"VOICE_SERVER_{name.upper()}": str(value) for name, value in given.items()}
        made.extend(found := server_voices(Config.from_env(environ), find_ffmpeg))
        return found  # type: ignore[return-value]

    yield make
    for voice in made:
        voice.close()


@pytest.fixture
def voice(voices: Callable[..., list[ServerSynthesizer]]) -> Callable[..., ServerSynthesizer]:
    return lambda **settings: voices(**settings)[0]


Make = Callable[..., ServerSynthesizer]


def piece(text: str = TEXT, language: str = "ru") -> Piece:
    return Piece(0, language, text, text, ())


def parts(
    voice: ServerSynthesizer, text: str = TEXT, speed: float = 1.0, stale: Stale = never
) -> list[Float32]:
    return list(voice.synthesize(piece(text), Prosody(speed), stale))


def said(voice: ServerSynthesizer, text: str = TEXT, **how: Any) -> Float32:
    return np.concatenate(parts(voice, text, **how))


def exact(samples: Int16) -> Float32:
    return samples.astype(np.float32) / 32768


def fails(voice: ServerSynthesizer, behaviour: Behaviour | None, server: SpeechServer) -> str:
    """What is said of it."""
    if behaviour is not None:
        server.behaviours.append(behaviour)
    with pytest.raises(VoiceUnreachable) as caught:
        said(voice)
    return str(caught.value)


def after(calls: int) -> Stale:
    """Stale from the so-manieth time that it is asked."""
    counter = itertools.count(1)
    return lambda: next(counter) > calls


# What is asked


def test_the_form_of_openai(voice: Make, server: SpeechServer) -> None:
    one = voice(model="tts-9", voices="ru=alloy", key=KEY, fields='{"stream": true}')
    assert (one.id, one.languages, one.sample_rate) == ("server:alloy", ("ru",), RATE)
    said(one)
    said(one, speed=1.5)
    first, second = server.asked
    assert first.path == "/v1/audio/speech"
    assert first.headers["Authorization"] == f"Bearer {KEY}"
    assert first.headers["Host"] == f"127.0.0.1:{server.port}"
    common = {"model": "tts-9", "input": TEXT, "voice": "alloy", "stream": True}
    assert first.body == common | {"response_format": "wav"}
    assert second.body == common | {"response_format": "wav", "speed": 1.5}


def test_the_plain_form(voice: Make, server: SpeechServer) -> None:
    one = voice(form="plain", url=f"http://127.0.0.1:{server.port}/api/tts/")
    assert (one.id, one.languages) == ("server", ("ru", "kk", "en"))
    assert np.array_equal(said(one), exact(hum(TEXT)))
    assert server.asked[0].path == "/api/tts/"
    assert server.asked[0].body == {"text": TEXT, "lang": "ru"}
    assert "Authorization" not in server.asked[0].headers


def test_named_voices_share_a_server(
    voices: Callable[..., list[ServerSynthesizer]], server: SpeechServer
) -> None:
    both = voices(form="plain", voices="ru=aigul, kk=aigul ,en=nova")
    assert [(voice.id, voice.languages) for voice in both] == [
        ("server:aigul", ("ru", "kk")),
        ("server:nova", ("en",)),
    ]
    for voice in both:
        said(voice)
    assert [asked.body["voice"] for asked in server.asked] == ["aigul", "nova"]
    assert server.opened == 1


def test_no_server_no_voices() -> None:
    assert server_voices(Config(), find_ffmpeg) == []


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://h", "/v1/audio/speech"),
        ("http://h/", "/v1/audio/speech"),
        ("http://h/v1", "/v1/audio/speech"),
        ("http://h/v1/", "/v1/audio/speech"),
        ("http://h/v1/audio/speech", "/v1/audio/speech"),
        ("http://h/v1/audio/speech/", "/v1/audio/speech"),
        ("http://h/tts", "/tts/v1/audio/speech"),
        ("http://h/api/v3/", "/api/v3/audio/speech"),
        ("http://h/d/audio/speech?api-version=1", "/d/audio/speech?api-version=1"),
    ],
)
def test_the_path_of_openai(url: str, target: str) -> None:
    assert address(url, "openai").target == target


def test_addresses() -> None:
    assert address("https://h/x y/?q=1", "plain").target == "/x%20y/?q=1"
    assert address("http://h", "plain").target == "/"
    for url, port, authority in (
        ("http://h", 80, "h"),
        ("https://h", 443, "h"),
        ("https://h:80", 80, "h:80"),
        ("http://[::1]:8000/v1", 8000, "[::1]:8000"),
    ):
        found = address(url, "openai")
        assert (found.port, found.authority) == (port, authority)
    assert address("http://[::1]:8000/v1", "openai").host == "::1"
    assert address("http://пример.рф", "plain").authority == "xn--e1afmkfd.xn--p1ai"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "ftp://h"),
        ("URL", "h:8000"),
        ("URL", "http://"),
        ("URL", "http://h:port"),
        ("URL", "http://a b/"),
        ("URL", f"http://{'a' * 64}/"),
        ("URL", "http://me:pw@h/"),
        ("FORM", "xml"),
        ("KEY", "a b"),
        ("KEY", "a\r\nX: y"),
        ("VOICES", "alloy"),
        ("VOICES", "de=alloy"),
        ("VOICES", "ru=alloy,ru=alloy"),
        ("VOICES", "ru=alloy,"),
        ("FIELDS", "[1]"),
        ("FIELDS", "{"),
        ("FORMAT", "midi"),
        ("TIMEOUT_S", "0"),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^VOICE_SERVER_{name}=") as caught:
        Config.from_env({f"VOICE_SERVER_{name}": value})
    if name == "KEY" or "@" in value:
        assert value not in str(caught.value)


def test_the_key_is_never_shown(voice: Make, server: SpeechServer) -> None:
    one = voice(key=KEY)
    assert KEY not in repr(Config(voice_server_key=KEY))
    assert KEY not in repr(one) + repr(one._client)


def test_an_address_of_version_6() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        server = SpeechServer("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    found = server_voices(Config(voice_server_url=f"http://[::1]:{server.port}"), find_ffmpeg)
    try:
        assert np.array_equal(said(found[0]), exact(hum(TEXT)))  # type: ignore[arg-type]
        assert server.asked[0].headers["Host"] == f"[::1]:{server.port}"
    finally:
        found[0].close()  # type: ignore[attr-defined]
        server.close()


def test_a_name_is_looked_up(voice: Make, server: SpeechServer) -> None:
    """Also where the first of its addresses is not listened on, as ::1 of localhost."""
    one = voice(url=f"http://localhost:{server.port}")
    assert np.array_equal(said(one), exact(hum(TEXT)))


def test_over_tls(
    voice: Make, server: SpeechServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    new += ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", str(key)]
    new += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", str(certificate)]
    try:
        subprocess.run(new, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no openssl that makes a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://127.0.0.1:{server.port}"
    assert "cannot be trusted" in fails(voice(url=url), None, server)
    assert server.asked == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    one = voice(url=url)
    one.warm()
    for _ in range(2):
        assert np.array_equal(said(one), exact(hum(TEXT)))
    assert (len(server.asked), server.opened) == (2, 1)


# What comes


@pytest.mark.parametrize("sound_format", ["wav", "pcm", "flac"])
def test_what_is_lossless_comes_to_the_sample(voice: Make, sound_format: str) -> None:
    found = parts(voice(format=sound_format))
    assert np.array_equal(np.concatenate(found), exact(hum(TEXT)))
    assert all(part.dtype == np.float32 and part.ndim == 1 for part in found)
    assert all(RATE // 4 <= len(part) <= RATE // 2 for part in found[:-1])


@pytest.mark.parametrize("sound_format", ["mp3", "opus"])
def test_what_has_a_codec_sounds_the_same(voice: Make, sound_format: str) -> None:
    found, meant = said(voice(format=sound_format)), exact(hum(TEXT))
    assert abs(len(found) - len(meant)) < RATE // 10
    assert alike(found, meant) > 0.95


def alike(found: Float32, meant: Float32) -> float:
    """1 for the same sound, wherever it begins."""
    size = len(found) + len(meant)
    across = np.fft.irfft(np.fft.rfft(found, size) * np.conj(np.fft.rfft(meant, size)))
    return float(np.abs(across).max() / np.linalg.norm(found) / np.linalg.norm(meant))


def test_events_carry_sound(voice: Make, server: SpeechServer) -> None:
    one = voice(fields='{"stream_format": "sse"}')
    assert np.array_equal(said(one), exact(hum(TEXT)))
    assert server.asked[0].body["stream_format"] == "sse"


@pytest.mark.parametrize("kind", ["", "audio/pcm", "application/octet-stream", "audio/wav"])
@pytest.mark.parametrize("size", [None, 0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_is_known_by_itself(
    voice: Make, server: SpeechServer, size: int | None, kind: str
) -> None:
    """Whatever was asked for and whatever it is called."""
    data = wav(hum(TEXT), size=size)
    blocks = [data[at : at + 1777] for at in range(0, len(data), 1777)]
    server.behaviours.append(lambda handler: handler.chunked(blocks, kind))
    assert np.array_equal(said(voice(format="pcm")), exact(hum(TEXT)))


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_body_that_ends_with_the_connection(voice: Make, server: SpeechServer, size: int) -> None:
    def behaviour(handler: Handler) -> None:
        handler.head(Connection="close")
        handler.wfile.write(wav(hum(TEXT), size=size))

    server.behaviours.append(behaviour)
    assert np.array_equal(said(voice()), exact(hum(TEXT)))


@pytest.mark.parametrize(
    ("subtype", "step"),
    [("PCM_U8", 1 / 128), ("PCM_24", 0.0), ("PCM_32", 0.0), ("FLOAT", 0.0), ("DOUBLE", 0.0)],
)
@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
def test_samples_of_any_width(
    voice: Make, server: SpeechServer, form: str, subtype: str, step: float
) -> None:
    samples = exact(hum(TEXT))
    data = encoded(samples, form, subtype=subtype)
    server.behaviours.append(lambda handler: handler.chunked([data[:999], data[999:]]))
    assert np.abs(said(voice()) - samples).max() <= step


@pytest.mark.parametrize("subtype", ["ULAW", "IMA_ADPCM"])
def test_a_wav_with_a_codec(voice: Make, server: SpeechServer, subtype: str) -> None:
    data = encoded(hum(TEXT), "WAV", subtype=subtype)
    server.behaviours.append(lambda handler: handler.whole(data))
    assert alike(said(voice()), exact(hum(TEXT))) > 0.97


def test_notes_around_the_samples_are_not_heard(voice: Make, server: SpeechServer) -> None:
    data = wav(hum(TEXT))
    note = struct.pack("<4sI4s", b"LIST", 3, b"abc\0")
    server.behaviours += [
        lambda handler: handler.whole(data[:36] + note + data[36:] + note),
        lambda handler: handler.whole(data[:12] + note + data[12:]),
    ]
    one = voice()
    for _ in range(2):
        assert np.array_equal(said(one), exact(hum(TEXT)))
    assert server.opened == 1, "the answers were read whole"


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
def test_another_rate(voice: Make, server: SpeechServer, rate: int) -> None:
    data = wav(hum(TEXT, rate), rate, size=0xFFFFFFFF)
    blocks = [data[at : at + 3333] for at in range(0, len(data), 3333)]
    server.behaviours.append(lambda handler: handler.chunked(blocks))
    found = said(voice())
    meant = exact(hum(TEXT))
    assert abs(len(found) - len(meant)) <= len(TEXT) + 1
    length = min(len(found), len(meant), RATE)
    assert alike(found[:length], meant[:length]) > 0.98


@pytest.mark.parametrize(
    ("kind", "headers"),
    [("audio/pcm;rate=16000", {}), ("audio/pcm", {"X_Sample_Rate": 16000})],
)
def test_raw_samples_of_a_told_rate(
    voice: Make, server: SpeechServer, kind: str, headers: dict[str, Any]
) -> None:
    samples = hum(TEXT, 16000)
    server.behaviours.append(lambda handler: handler.whole(samples.tobytes(), kind, **headers))
    found = said(voice(format="pcm"))
    assert abs(len(found) - len(samples) * 3 // 2) <= 1
    assert alike(found, exact(hum(TEXT))[: len(found)]) > 0.9


def test_stereo_is_mixed(voice: Make, server: SpeechServer) -> None:
    left = hum(TEXT)
    both = np.stack([left, np.zeros_like(left)], axis=1).reshape(-1)
    server.behaviours.append(lambda handler: handler.whole(wav(both, channels=2)))
    assert np.array_equal(said(voice()), exact(left) / 2)


def test_the_first_part_comes_before_the_last_is_made(voice: Make, server: SpeechServer) -> None:
    samples, go_on = hum(TEXT), threading.Event()

    def behaviour(handler: Handler) -> None:
        handler.head(Transfer_Encoding="chunked")
        data = wav(samples, size=0xFFFFFFFF)
        handler.chunk(data[:20_001])
        assert go_on.wait(10)
        handler.chunk(data[20_001:])
        handler.chunk(b"")

    server.behaviours.append(behaviour)
    sound = iter(voice().synthesize(piece(), PLAIN, never))
    first = next(sound)
    assert np.array_equal(first, exact(samples)[: len(first)])
    go_on.set()
    assert np.array_equal(np.concatenate([first, *sound]), exact(samples))


@pytest.mark.parametrize("speed", [0.5, 2.0])
@pytest.mark.parametrize("form", ["openai", "plain"])
def test_speed(voice: Make, server: SpeechServer, form: str, speed: float) -> None:
    found = said(voice(form=form), speed=speed)
    assert len(found) == pytest.approx(len(TEXT) * CHARACTER_S * RATE / speed, rel=0.03)
    if form == "plain":
        assert server.asked[0].body == {"text": TEXT, "lang": "ru"}
        spectrum = np.abs(np.fft.rfft(found))
        meant = np.abs(np.fft.rfft(exact(hum(TEXT))))
        heights = [np.sum(s * np.linspace(0, 1, len(s))) / np.sum(s) for s in (spectrum, meant)]
        assert heights[0] == pytest.approx(heights[1], rel=0.25), "as high as before"


# Connections


def test_a_connection_carries_many_sentences(voice: Make, server: SpeechServer) -> None:
    one = voice(format="pcm")
    one.warm()
    assert until(lambda: server.opened == 1)
    for _ in range(3):
        said(one)
    assert server.opened == 1


def test_connections_end_with_their_voices(server: SpeechServer) -> None:
    config = Config(voice_server_url=f"http://127.0.0.1:{server.port}")
    made = server_voices(config, find_ffmpeg)
    made[0].warm()
    assert until(lambda: server.open == 1)
    made.clear()
    assert until(lambda: server.open == 0)


def test_a_connection_that_the_server_ended_is_made_anew(voice: Make, server: SpeechServer) -> None:
    def once(handler: Handler) -> None:
        handler.whole(wav(hum(TEXT)))
        handler.close_connection = True  # without having said so

    server.behaviours.append(once)
    one = voice()
    for _ in range(2):
        assert np.array_equal(said(one), exact(hum(TEXT)))
    assert server.opened == 2


def test_one_that_ends_as_it_is_asked_is_made_anew(voice: Make, server: SpeechServer) -> None:
    one = voice()
    said(one)
    server.behaviours.append(Handler.break_off)
    assert np.array_equal(said(one), exact(hum(TEXT)))
    assert (len(server.asked), server.opened) == (3, 2)


def test_many_at_once(voice: Make, server: SpeechServer) -> None:
    one = voice()
    found: dict[int, Float32] = {}

    def work(number: int) -> None:
        found[number] = said(one, TEXT[number:])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    for number in range(8):
        assert np.array_equal(found[number], exact(hum(TEXT[number:])))
    assert until(lambda: server.open <= 4)


def test_a_reader_that_rests_loses_nothing(voice: Make, server: SpeechServer) -> None:
    """What the listener takes between two parts is none of the server's time."""
    one = voice(timeout_s=0.3)
    samples = hum(TEXT * 20)

    def behaviour(handler: Handler) -> None:
        handler.chunked([wav(samples)])

    server.behaviours.append(behaviour)
    sound = iter(one.synthesize(piece(), PLAIN, never))
    found = [next(sound)]
    threading.Event().wait(0.5)
    assert np.array_equal(np.concatenate([*found, *sound]), exact(samples))


# What goes wrong


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, b'{"error": {"message": "No such key"}}', "application/json", "No such key"),
        (404, b'{"detail": "Not Found"}', "application/json", "Not Found"),
        (422, b'{"detail": [{"msg": "voice missing"}]}', "application/json", "voice missing"),
        (400, b'{"error": "bad voice"}', "application/json", "bad voice"),
        (500, b"Internal\n failure\x07", "text/plain", "Internal failure"),
        (500, b"<html><title>Oops &amp; sorry</title>x", "text/html", "Oops & sorry"),
        (500, b"\x00\xff", "audio/wav", "Internal Server Error"),
        (500, b"", "", "Internal Server Error"),
    ],
)
def test_a_refusal_in_the_servers_words(
    voice: Make, server: SpeechServer, status: int, body: bytes, kind: str, words: str
) -> None:
    told = fails(voice(), lambda handler: handler.whole(body, kind, status), server)
    assert told == f"The speech server answered {status}: {words}"
    assert len(server.asked) == 1, "it is not asked again"


def test_last_words_are_short_and_hold_no_secret() -> None:
    echo = f'{{"error": "Key {KEY} (sk-s***6789) for \\"{TEXT}\\" {"x " * 200}"}}'.encode()
    found = last_words(echo, "application/json", KEY, TEXT)
    assert found.startswith('Key … … for "…" x x') and len(found) == 200
    assert last_words(b"[]", "application/json", "", "") == ""
    assert last_words(b"{", "application/json", "", "") == "{"


@pytest.mark.parametrize("headers", [{}, {"Retry_After": "0"}, {"Retry_After": "1"}])
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_once_more(
    voice: Make, server: SpeechServer, status: int, headers: dict[str, str]
) -> None:
    server.behaviours.append(lambda handler: handler.whole(b"", "", status, **headers))
    assert np.array_equal(said(voice()), exact(hum(TEXT)))
    assert len(server.asked) == 2


def test_one_that_stays_busy_is_left(voice: Make, server: SpeechServer) -> None:
    def busy(handler: Handler) -> None:
        handler.whole(b"later", "text/plain", 503)

    server.behaviours += [busy, busy]
    assert fails(voice(), None, server) == "The speech server answered 503: later"
    assert len(server.asked) == 2


@pytest.mark.parametrize("wait", ["60", "nan", "Wed, 21 Oct 2065 07:28:00 GMT"])
def test_one_that_asks_for_too_much_patience_is_left(
    voice: Make, server: SpeechServer, wait: str
) -> None:
    told = fails(voice(), lambda h: h.whole(b"", "", 429, Retry_After=wait), server)
    assert told == "The speech server answered 429: Too Many Requests"
    assert len(server.asked) == 1


def test_nothing_is_redirected(voice: Make, server: SpeechServer) -> None:
    other = f"http://localhost:{server.port}/v1/audio/speech"
    told = fails(
        voice(key=KEY), lambda handler: handler.whole(b"", "", 307, Location=other), server
    )
    assert "redirects" in told and "VOICE_SERVER_URL" in told
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", "audio/wav", "no sound"),
        (b"", "", "no sound"),
        (b"<html>Welcome</html>", "text/html", "text/html, which is no sound"),
        (b'{"status": "ok"}', "application/json", "application/json, which is no sound"),
        (bytes(range(1, 200)) * 20, "audio/wav", "no sound that is known"),
        (bytes(range(1, 200)) * 20, "", "no sound that is known"),
        (b"RIFF", "audio/wav", "no sound that is known"),
        (wav(hum(TEXT))[:40], "audio/wav", "cut in its header"),
        (wav(hum("a"))[:44], "audio/wav", "too short"),
        (wav(np.zeros(0, np.int16)), "audio/wav", "no sound"),
        (wav(hum("a"), rate=7), "audio/wav", "7 samples a second"),
        (wav(hum("a"), channels=9), "audio/wav", "9 channels"),
        (encoded(hum(TEXT), "FLAC")[:-5000], "audio/flac", "cut"),
    ],
)
def test_what_is_no_sound(
    voice: Make, server: SpeechServer, body: bytes, kind: str, words: str
) -> None:
    assert words in fails(voice(), lambda handler: handler.whole(body, kind), server)


def test_an_event_of_an_error(voice: Make, server: SpeechServer) -> None:
    def answer(*events: str) -> Behaviour:
        data = [f"data: {event}\r\n\r\n".encode() for event in events]
        return lambda handler: handler.chunked(data, "text/event-stream")

    one = voice(key=KEY)
    error = f'{{"type": "error", "error": {{"message": "no {KEY}"}}}}'
    assert fails(one, answer(error), server) == "The speech server failed: no …"
    assert "cannot be read" in fails(one, answer("{"), server)
    assert "cannot be read" in fails(one, answer('{"audio": "*"}'), server)
    assert "no sound" in fails(one, answer('{"type": "ping"}', "[DONE]"), server)

    def cut(handler: Handler) -> None:
        handler.head("text/event-stream", Connection="close")
        handler.wfile.write(b'data: {"audio": "UklGRg=="}\n\n')
        handler.break_off()

    assert "before its last event" in fails(one, cut, server)


def head_then(data: bytes, **headers: Any) -> Behaviour:
    def behaviour(handler: Handler) -> None:
        handler.head(**headers)
        handler.wfile.write(data)
        handler.break_off()

    return behaviour


WHOLE = wav(hum(TEXT))
UNKNOWN = wav(hum(TEXT), size=0xFFFFFFFF)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (head_then(WHOLE[:30_001], Content_Length=len(WHOLE)), "too early"),
        (head_then(UNKNOWN[:30_001], Content_Length=len(WHOLE)), "too early"),
        (head_then(b"%x\r\n" % 50_000 + UNKNOWN[:30_001], Transfer_Encoding="chunked"), "cut"),
        (head_then(b"7531\r\n" + UNKNOWN[:30_001], Transfer_Encoding="chunked"), "cut"),
        (head_then(b"zz\r\n" + UNKNOWN, Transfer_Encoding="chunked"), "cut"),
        (head_then(WHOLE[:30_001], Connection="close"), "bytes too short"),
        (lambda handler: handler.whole(WHOLE[:30_001]), "bytes too short"),
        (lambda handler: handler.chunked([WHOLE[:30_001]]), "bytes too short"),
    ],
)
def test_an_answer_that_is_cut_is_no_end(
    voice: Make, server: SpeechServer, behaviour: Behaviour, words: str
) -> None:
    """What came before is heard; it is not asked for again."""
    server.behaviours.append(behaviour)
    heard: list[Float32] = []
    with pytest.raises(VoiceUnreachable, match=words):
        heard.extend(voice().synthesize(piece(), PLAIN, never))
    assert len(server.asked) == 1


def test_what_came_before_the_cut_is_given(voice: Make, server: SpeechServer) -> None:
    server.behaviours.append(lambda handler: handler.whole(WHOLE[:60_001]))
    sound = iter(voice().synthesize(piece(), PLAIN, never))
    first = next(sound)
    assert np.array_equal(first, exact(hum(TEXT))[: len(first)])
    with pytest.raises(VoiceUnreachable):
        list(sound)


def raw(data: bytes) -> Behaviour:
    def behaviour(handler: Handler) -> None:
        handler.wfile.write(data)
        handler.break_off()

    return behaviour


def reset(handler: Handler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


@pytest.mark.parametrize(
    "behaviour", [raw(b""), raw(b"SSH-2.0-x\r\n\r\n"), raw(b"HTTP/9 200 OK\r\n\r\n"), reset]
)
def test_what_is_no_http(voice: Make, server: SpeechServer, behaviour: Behaviour) -> None:
    assert "gave no answer" in fails(voice(), behaviour, server)
    assert len(server.asked) == 1


def test_a_server_that_is_not_there(voice: Make, server: SpeechServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, so that nobody else listens there
        one = voice(url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        told = fails(one, None, server)
        assert told == "The speech server cannot be reached: Connection refused"
        with pytest.raises(VoiceUnreachable):
            one.warm()


def test_a_name_that_nobody_has(voice: Make, server: SpeechServer) -> None:
    assert "cannot be reached" in fails(voice(url="http://nobody.invalid"), None, server)


def test_a_server_that_comes_back(
    voice: Make, server: SpeechServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, and there at the second try."""
    one = voice()
    connect, calls = client.connect, itertools.count()

    def flaky(*given: Any) -> Any:
        if not next(calls):
            raise ConnectionRefusedError(111, "Connection refused")
        return connect(*given)

    monkeypatch.setattr(client, "connect", flaky)
    assert np.array_equal(said(one), exact(hum(TEXT)))


def silent(handler: Handler) -> None:
    handler.until_closed()


def silent_body(handler: Handler) -> None:
    handler.head(Transfer_Encoding="chunked")
    handler.until_closed()


def stalling(handler: Handler) -> None:
    handler.head(Transfer_Encoding="chunked")
    handler.chunk(UNKNOWN[:20_000])
    handler.until_closed()


DROPS = 200
"""More than fit into the patience of the test that counts them."""


def dripping(handler: Handler) -> None:
    handler.head(Transfer_Encoding="chunked")
    handler.chunk(UNKNOWN[:20_000])
    drip(handler)


def dripping_head(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    drip(handler, framed=False)


def drip(handler: Handler, framed: bool = True) -> None:
    try:
        for _ in range(DROPS):
            if framed:
                handler.chunk(b"\0")
            else:
                handler.wfile.write(b"x")
            threading.Event().wait(0.02)
        handler.break_off()
    except OSError:
        handler.server.left.set()
        raise


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (silent, "did not answer within"),
        (dripping_head, "did not answer within"),
        (silent_body, "stalled"),
        (stalling, "stalled"),
        (dripping, "stalled"),
    ],
)
def test_a_server_that_hangs_is_left(
    voice: Make, server: SpeechServer, behaviour: Behaviour, words: str
) -> None:
    assert words in fails(voice(timeout_s=0.6), behaviour, server)
    assert server.left.wait(5), "the server sees it"


def test_a_slow_server_that_goes_on_is_not_left(voice: Make, server: SpeechServer) -> None:
    """The time-out is of one wait, not of all."""

    def slow(handler: Handler) -> None:
        handler.head(Transfer_Encoding="chunked")
        for at in range(0, len(UNKNOWN), 10_000):
            handler.chunk(UNKNOWN[at : at + 10_000])
            threading.Event().wait(0.15)
        handler.chunk(b"")

    server.behaviours.append(slow)
    assert np.array_equal(said(voice(timeout_s=0.8)), exact(hum(TEXT)))


def test_an_answer_without_an_end(voice: Make, server: SpeechServer) -> None:
    def endless(handler: Handler) -> None:
        handler.head("audio/pcm", Connection="close")
        try:
            while True:
                handler.wfile.write(bytes(1 << 18))
        except OSError:
            handler.server.left.set()
            raise

    server.behaviours.append(endless)
    heard = 0
    with pytest.raises(VoiceUnreachable, match="does not end"):
        for part in voice(format="pcm").synthesize(piece("Да."), PLAIN, never):
            heard += len(part)
    assert heard <= (30 + 0.5 * 3) * RATE
    assert server.left.wait(5)


def test_an_endless_answer_in_a_codec(voice: Make, server: SpeechServer) -> None:
    def endless(handler: Handler) -> None:
        handler.head("audio/mpeg", Connection="close")
        while True:
            handler.wfile.write(b"\xff\xfb" + bytes(1 << 18))

    assert "does not end" in fails(voice(format="mp3"), endless, server)


# Nobody wants it any more


def test_what_is_stale_is_not_asked(voice: Make, server: SpeechServer) -> None:
    with pytest.raises(Cancelled):
        said(voice(), stale=lambda: True)
    assert server.asked == []


@pytest.mark.parametrize("behaviour", [silent, silent_body, stalling, dripping, dripping_head])
def test_stale_ends_every_wait(voice: Make, server: SpeechServer, behaviour: Behaviour) -> None:
    """The patience of an hour is not used: what ends the wait is ``stale`` alone."""
    server.behaviours.append(behaviour)
    with pytest.raises(Cancelled):
        said(voice(timeout_s=600), stale=after(12))
    assert server.left.wait(5), "the server sees it"


def test_stale_ends_the_wait_for_a_second_try(voice: Make, server: SpeechServer) -> None:
    server.behaviours.append(lambda handler: handler.whole(b"", "", 503, Retry_After="2"))
    with pytest.raises(Cancelled):
        said(voice(), stale=after(9))
    assert len(server.asked) == 1


def test_stale_ends_the_wait_for_a_connection(voice: Make) -> None:
    """A listener whose queue is full answers nobody."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            asked: list[int] = []

            def stale() -> bool:
                asked.append(1)
                return len(asked) > 5

            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            one = voice(url=url)
            with pytest.raises(Cancelled):
                said(one, stale=stale)
            with pytest.raises(VoiceUnreachable, match="it is silent"):
                said(voice(url=url, timeout_s=0.3))
        finally:
            for filler in fillers:
                filler.close()


def test_stale_between_two_parts(voice: Make, server: SpeechServer) -> None:
    wanted = threading.Event()
    server.behaviours.append(stalling)
    sound = iter(voice(timeout_s=600).synthesize(piece(), PLAIN, wanted.is_set))
    next(sound)
    wanted.set()
    with pytest.raises(Cancelled):
        next(sound)
    assert server.left.wait(5)


def test_leaving_in_the_middle_closes_the_connection(voice: Make, server: SpeechServer) -> None:
    server.behaviours.append(stalling)
    sound = voice(timeout_s=600).synthesize(piece(), PLAIN, never)
    next(sound)
    sound.close()  # type: ignore[attr-defined]
    assert server.left.wait(5)


def test_nothing_said_is_logged(
    voice: Make, server: SpeechServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    one = voice(key=KEY)
    said(one)
    fails(one, lambda handler: handler.whole(TEXT.encode(), "text/plain", 400), server)
    assert TEXT not in caplog.text and KEY not in caplog.text


def test_no_file_is_left(voice: Make, server: SpeechServer, tmp_path: Path) -> None:
    before = set(os.listdir(tempfile.gettempdir()))
    said(voice(format="mp3"))
    left = set(os.listdir(tempfile.gettempdir())) - before
    assert not [name for name in left if name.startswith("speech-")]
