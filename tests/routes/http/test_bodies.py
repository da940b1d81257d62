"""Requests that are written oddly: encodings, JSON at its edges, forms, ranges. Never a 500."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from app_core.config import Config, ConfigError
from app_core.services.lipsync_service import LipsyncService
from tests.routes.test_film import ASYNC, BODY, ended

STREAM = "/api/stream_mjpeg"
FIELDS = {"pace": "asap", "size": "128x128"}
RUSSIAN = "Привет"


def post(client: FlaskClient, data: bytes, **headers: str) -> Any:
    return client.post(STREAM, data=data, content_type="application/json", headers=headers)


def body(text: str, **fields: Any) -> dict[str, Any]:
    return {"text": text, **FIELDS} | fields


def test_a_query_in_another_encoding_is_refused(client: FlaskClient) -> None:
    for text in (quote(RUSSIAN, encoding="cp1251"), "%CF%F0%E8", "%D0"):
        answer = client.get(f"{STREAM}?text={text}&pace=asap")
        assert (answer.status_code, answer.json["field"]) == (400, "text")
        assert "UTF-8" in answer.json["error"]
    answer = client.get(f"{STREAM}?text={quote(RUSSIAN)}&pace=asap&size=128x128")
    assert answer.status_code == 200
    answer = client.get(f"{STREAM}?text=100%25+%EF%BF%BD&pace=asap&size=128x128")
    assert answer.status_code == 200


@pytest.mark.parametrize("query", ["text=\xff\xfe", "token=\xff", "\xff=\xff", "token=%FF", "%FF"])
def test_bytes_in_an_address_are_no_failure(
    make_client: Callable[..., FlaskClient], config: Any, query: str
) -> None:
    for settings in ({"api_token": "secret"}, {}):
        client = make_client(config=config.model_copy(update=settings))
        for path in (STREAM, "/api/jobs/nope"):
            answer = client.get(path, environ_overrides={"QUERY_STRING": query})
            if not query.isascii():
                expected = 400
            else:
                expected = 401 if settings else 400 if path == STREAM else 404
            assert answer.status_code == expected, path


@pytest.mark.parametrize("text", ["a%00b", "%ED%A0%80"])
def test_a_query_that_holds_no_text_is_refused(client: FlaskClient, text: str) -> None:
    answer = client.get(f"{STREAM}?text={text}&pace=asap")
    assert (answer.status_code, answer.json["field"]) == (400, "text")


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16", "utf-16-le", "utf-32"])
def test_a_body_in_another_encoding_is_refused(client: FlaskClient, encoding: str) -> None:
    data = json.dumps(body(RUSSIAN), ensure_ascii=False).encode(encoding)
    answer = post(client, data)
    assert answer.status_code == 400
    assert "UTF-8" in answer.json["error"] or encoding == "utf-16-le"


def test_a_byte_order_mark_is_no_fault(client: FlaskClient) -> None:
    assert post(client, json.dumps(body("one")).encode("utf-8-sig")).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "gzip, br"])
def test_a_compressed_body_is_refused_by_name(client: FlaskClient, coding: str) -> None:
    answer = post(client, json.dumps(body("one")).encode(), **{"Content-Encoding": coding})
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media")
    assert coding.lower() in answer.json["error"]
    form = {"file": (io.BytesIO(b"x"), "a.jpg"), "consent": "true"}
    answer = client.post("/api/avatars", data=form, headers={"Content-Encoding": coding})
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media")


def test_identity_is_no_coding(client: FlaskClient) -> None:
    data = json.dumps(body("one")).encode()
    assert post(client, data, **{"Content-Encoding": "identity"}).status_code == 200


DEEP = 100_000


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"[" * DEEP + b"]" * DEEP, None),
        (b'{"text":' * DEEP + b"1" + b"}" * DEEP, None),
        (b'{"text": "a", "x": ' + b"[" * 900 + b'"\\ud800"' + b"]" * 900 + b"}", "x"),
        (b'{"text": "a", "speed": NaN}', None),
        (b'{"text": "a", "speed": -Infinity}', None),
        (b'{"text": "a", "speed": 1e999}', "speed"),
        (b'{"text": "a", "fps": ' + b"9" * 10_000 + b"}", None),
        (b'{"text": "a", "fps": ' + b"9" * 400 + b"}", "fps"),
        (b'{"text": "a", "fps": 2.5e1000}', "fps"),
        (b'{"text": "a", "text": "b"}', "text"),
        (b'{"text": "a", "dictionary": {"b": "c", "b": "d"}}', "dictionary"),
        (b'{"text": "a", "x": [{"y": {"b": 1, "b": 2}}]}', "x"),
        (b'{"text": "a\\ud800b"}', "text"),
        (b'{"text": "a", "voice": "\\udfff"}', "voice"),
        (b'{"text": "a", "avatar": "\\ud800"}', "avatar"),
        (b'{"text": "a", "\\ud800": 1}', None),
        (b'{"text": "a", "\\ud800": 1, "\\ud800": 2}', None),
        (b'{"text": "a\\u0000b"}', "text"),
        (b'{"text": "a", "avatar": "a\\u0000"}', "avatar"),
        (b'{"text": "a\x00b"}', None),
        (b"", None),
        (b"null", None),
    ],
)
def test_json_at_its_edges_is_400(client: FlaskClient, data: bytes, field: str | None) -> None:
    answer = post(client, data)
    assert (answer.status_code, answer.json["field"]) == (400, field), answer.json
    answer = client.put("/api/avatars/grey/mouth", data=data, content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "data",
    [
        b"[" + b"[]," * 10_000 + b"1]",
        b"{" + b",".join(b'"a%d":1' % number for number in range(10_001)) + b"}",
        b"[" + b'"",' * 30_000 + b"1]",
        b"[" + b'{"a":1,"a":2},' * 30_000 + b"1]",
        rb'{"text": "\"", "a": [' + b"1," * 20_000 + b"1]}",
    ],
    ids=["lists", "names", "texts", "names twice", "beside an escape"],
)
def test_a_body_of_very_many_values_is_not_read(client: FlaskClient, data: bytes) -> None:
    """A megabyte of brackets, or of names, held Python's lock while others made frames."""
    answer = post(client, data)
    assert (answer.status_code, answer.json["code"]) == (400, "bad_input")
    assert "more than 10000 values" in answer.json["error"]


def test_commas_and_brackets_of_a_long_text_are_no_values(
    client: FlaskClient, config: Config
) -> None:
    text = 'He said: "a, [b], {c}", and \\ went. ' * 2000
    answer = post(client, json.dumps(body(text)).encode())
    assert (answer.status_code, answer.json["field"]) == (400, "text")
    assert f"longer than {config.max_text_chars}" in answer.json["error"]


def test_a_name_that_comes_again_late_is_told(client: FlaskClient) -> None:
    names = ",".join(f'"a{number}":1' for number in range(9000))
    answer = post(client, f'{{{names},"a8999":2}}'.encode())
    assert (answer.status_code, answer.json["field"]) == (400, "a8999")


def test_escapes_that_are_text_pass(client: FlaskClient) -> None:
    for text in ('"\\ud83d\\ude00 one"', '"\\\\u0000 one"', '"\\\\ud800 one"'):
        data = json.dumps(body("x")).replace('"x"', text).encode()
        assert post(client, data).status_code == 200, text


def test_fields_of_a_form_are_utf_8(client: FlaskClient) -> None:
    for name, value in (("name", RUSSIAN.encode("cp1251")), ("name", b"a\0b")):
        lines = [b"--x"]
        for field, (data, *file_name) in {
            "consent": (b"true",),
            name: (value,),
            "file": (b"x", "a.jpg"),
        }.items():
            head = f'Content-Disposition: form-data; name="{field}"'
            head += f'; filename="{file_name[0]}"' if file_name else ""
            lines += [head.encode(), b"", data, b"--x"]
        lines[-1] += b"--\r\n"
        answer = client.post(
            "/api/avatars", data=b"\r\n".join(lines), content_type="multipart/form-data; boundary=x"
        )
        assert (answer.status_code, answer.json["field"]) == (400, "name"), value
    assert "NUL" in answer.json["error"]


@pytest.mark.parametrize("size", ["٥١٢x٥١٢", "512x５１２", "१२८x१२८"])
def test_digits_are_ascii(client: FlaskClient, size: str) -> None:
    answer = client.post(STREAM, json=body("one", size=size))
    assert (answer.status_code, answer.json["field"]) == (400, "size")
    for name, value in (("fps", "٢٥"), ("speed", "١"), ("job_id", "١" * 32)):
        fields = {"text": "one", "size": "128x128", name: value}
        answer = client.get(STREAM, query_string=fields)
        assert (answer.status_code, answer.json["field"]) == (400, name)
        form = fields | {"audio": (io.BytesIO(b"x"), "speech.wav")}
        answer = client.post(STREAM, data=form)
        assert (answer.status_code, answer.json["field"]) == (400, name)


@pytest.mark.parametrize("name", ["MAX_JOBS", "SESSION_GRACE_S", "CPU_SHARE", "JPEG_QUALITY"])
def test_digits_of_settings_are_ascii(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Config.from_env({name: "١"})


def test_a_text_that_is_too_long_is_a_field_also_in_the_address(client: FlaskClient) -> None:
    answer = client.get(STREAM, query_string=body("а" * 5001))
    assert (answer.status_code, answer.json["field"]) == (400, "text")
    assert "5000" in answer.json["error"]


@pytest.mark.parametrize("name", ["voice", "avatar", "model", "size", "x" * 100_000])
def test_what_a_client_sent_comes_back_cut(client: FlaskClient, name: str) -> None:
    answer = client.post(STREAM, json={"text": "one", name: "y" * 900_000})
    assert answer.status_code in (400, 404)
    assert len(answer.data) < 2000


# Ranges


@pytest.fixture
def kept(client: FlaskClient) -> dict[str, str]:
    """Addresses of a film, a chunk and sounds that are complete."""
    told = ended(client, client.post("/api/generate", json=BODY, headers=ASYNC).json["id"])
    chunk = client.post("/api/stream_chunks", json=BODY).json["chunks"][0]
    return {
        "film": told["result_url"],
        "sound": told["audio_url"],
        "chunk film": chunk["video_url"],
        "chunk sound": chunk["audio_url"],
    }


KINDS = ["film", "sound", "chunk film", "chunk sound"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_range_is_a_part_and_others_are_the_whole(
    client: FlaskClient, kept: dict[str, str], kind: str
) -> None:
    def get(value: str | None = None, **headers: str) -> Any:
        given = headers if value is None else {"Range": value} | headers
        answer = client.get(kept[kind], headers=given)
        answer.get_data()
        answer.close()
        return answer

    whole = get()
    size = len(whole.data)
    assert whole.status_code == 200 and whole.headers["Accept-Ranges"] == "bytes"
    for value, first, last in (
        ("bytes=4-7", 4, 7),
        ("bytes=0-0", 0, 0),
        (f"bytes=10-{'9' * 5000}", 10, size - 1),
        ("bytes=-5", size - 5, size - 1),
        ("Bytes= 7-9 ", 7, 9),
        (f"bytes=-{size * 2}", 0, size - 1),
    ):
        part = get(value)
        assert part.status_code == 206, value
        assert part.data == whole.data[first : last + 1]
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    for value in (
        "bytes=0-1,4-7",
        "bytes=0-1, -5",
        "bytes=0-0,1-1,2-2",
        "bytes=a-b",
        "bytes=7-4",
        "bytes=-",
        "bytes=",
        "bytes",
        "pages=1-2",
        "bytes=٤-٧",
        "",
    ):
        answer = get(value) if value.isascii() else get(value.encode().decode("latin-1"))
        assert (answer.status_code, answer.data) == (200, whole.data), value
    for value in (f"bytes={size}-", "bytes=" + "9" * 5000 + "-", "bytes=-0"):
        answer = get(value)
        assert answer.status_code == 416, value
        assert answer.headers["Content-Range"] == f"bytes */{size}"
        assert answer.json["code"]
    stale = get("bytes=4-7", **{"If-Range": '"another"'})
    assert (stale.status_code, stale.data) == (200, whole.data)
    if tag := whole.headers.get("ETag"):
        assert get("bytes=4-7", **{"If-Range": tag}).status_code == 206
    head = client.head(kept[kind], headers={"Range": "bytes=4-7"})
    assert (head.status_code, head.content_length) == (200, size)
    head.close()


def test_a_signed_address_has_ranges_too(
    make_client: Callable[..., FlaskClient], config: Any
) -> None:
    client = make_client(config=config.model_copy(update={"api_token": "secret"}))
    bearer = {"Authorization": "Bearer secret"}
    chunk = client.post("/api/stream_chunks", json=BODY, headers=bearer).json["chunks"][0]
    for address in (chunk["video_url"], chunk["audio_url"]):
        for value, status in (("bytes=0-3", 206), ("bytes=0-1,2-3", 200)):
            answer = client.get(address, headers={"Range": value})
            assert answer.status_code == status
            answer.close()


def test_a_sound_that_grows_has_no_ranges(
    client: FlaskClient, service: LipsyncService, model: Any
) -> None:
    model.gate.clear()
    first = client.post("/api/generate", json=BODY, headers=ASYNC).json
    model.gate.set()
    answer = client.get(first["audio_url"], headers={"Range": "bytes=0-1,4-5"})
    assert answer.status_code == 200
    ended(client, first["id"])
