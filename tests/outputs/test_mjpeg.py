from __future__ import annotations

import json
from email.message import Message
from email.parser import BytesParser

from app_core.outputs import mjpeg


def parse(body: bytes) -> list[Message]:
    """The parts as a strict MIME reader sees them."""
    head = f"Content-Type: {mjpeg.CONTENT_TYPE}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + body)
    assert not message.defects
    return message.get_payload()


def test_a_whole_body_is_what_a_mime_reader_reads() -> None:
    pictures = [b"\xff\xd8one\xff\xd9", b"\xff\xd8two\r\n\xff\xd9"]
    parts = [mjpeg.part(jpeg, i, i / 25) for i, jpeg in enumerate(pictures)]
    found = parse(mjpeg.OPENING + b"".join(parts) + mjpeg.CLOSING)
    assert [part.get_content_type() for part in found] == ["image/jpeg"] * 2
    assert [part["X-Frame"] for part in found] == ["0", "1"]
    assert [part["X-Timestamp"] for part in found] == ["0.000", "0.040"]
    assert [int(part["Content-Length"]) for part in found] == [len(jpeg) for jpeg in pictures]
    assert [part.get_payload(decode=True) for part in found] == pictures


def test_each_picture_is_sent_with_the_delimiter_that_ends_it() -> None:
    jpeg = b"\xff\xd8\xff\xd9"
    assert mjpeg.part(jpeg, 7, 0.28) == (
        b"\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n"
        b"X-Frame: 7\r\nX-Timestamp: 0.280\r\n\r\n" + jpeg + b"\r\n--frame"
    )


def test_an_error_is_a_json_part_in_the_language_of_the_person() -> None:
    error = {"error": "Голос замолчал", "code": "voice_failed", "field": None}
    body = mjpeg.OPENING + mjpeg.part(b"\xff\xd8\xff\xd9", 0, 0.0) + mjpeg.error_part(error)
    picture, failure = parse(body + mjpeg.CLOSING)
    assert picture.get_content_type() == "image/jpeg"
    assert failure.get_content_type() == "application/json"
    content = failure.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert len(content) == int(failure["Content-Length"])
    assert json.loads(content) == error
