"""Every picture that leaves has the label when the operator asks for it, whichever way it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from app_core.cancel_scope import never
from app_core.config import Config
from app_core.outputs.live.packet import Packet
from app_core.outputs.live.viewer_line import ViewerLine
from app_core.request import (
    ChunksRequest,
    GenerateRequest,
    MjpegRequest,
    SayRequest,
    SessionRequest,
)
from app_core.services.chunks import wait_for_film
from app_core.services.lipsync_service import LipsyncService
from tests.services.test_recording import speech

Make = Callable[..., LipsyncService]
SIZE = "128x128"
WHERE = slice(4, 16), slice(4, 84)


@pytest.fixture
def labelled(make_service: Make, config: Config) -> LipsyncService:
    return make_service(config=config.model_copy(update={"label_synthetic": True}))


def is_labelled(bgr: np.ndarray) -> bool:
    """The fakes' faces are dark grey all over."""
    return bool(bgr[WHERE].max() > 180 and bgr[100:].max() < 110)


def pictures(film: Path) -> list[np.ndarray]:
    reader, found = cv2.VideoCapture(str(film)), []
    while (read := reader.read())[0]:
        found.append(read[1])
    reader.release()
    return found


def jpegs(stream: bytes) -> list[np.ndarray]:
    starts = stream.split(b"\xff\xd8\xff")[1:]
    coded = [np.frombuffer(b"\xff\xd8\xff" + part, np.uint8) for part in starts]
    return [np.asarray(cv2.imdecode(each, cv2.IMREAD_COLOR)) for each in coded]


def streamed(service: LipsyncService, place: Path) -> list[np.ndarray]:
    request = MjpegRequest(text="one", language="en", size=SIZE)
    stream = service.stream_mjpeg(request, None, never, never).stream
    assert stream is not None
    return jpegs(b"".join(stream))


def film(service: LipsyncService, place: Path) -> list[np.ndarray]:
    job_id = service.submit(GenerateRequest(text="one", language="en", size=SIZE))
    service.render(job_id, place)
    return pictures(place)


def fragmented(service: LipsyncService, place: Path) -> list[np.ndarray]:
    job_id = service.submit(GenerateRequest(text="one", language="en", size=SIZE))
    place.write_bytes(b"".join(service.stream(job_id, "mp4")))
    return pictures(place)


def chunked(service: LipsyncService, place: Path) -> list[np.ndarray]:
    fields = {"text": "one two three", "language": "en", "size": SIZE, "chunk_size": 2}
    job = service.chunks.start(ChunksRequest.model_validate(fields))
    films = [wait_for_film(job, chunk, never) for chunk in job.chunks]
    return [picture for each in films for picture in pictures(each)]


def idle(service: LipsyncService, place: Path) -> list[np.ndarray]:
    return live(service, "")


def spoken(service: LipsyncService, place: Path) -> list[np.ndarray]:
    return live(service, "one two")


def live(service: LipsyncService, text: str) -> list[np.ndarray]:
    session = service.sessions.open(SessionRequest.parse({"language": "en", "size": SIZE}))
    line = ViewerLine("jpeg", "none", session.fps)
    session.attach(line)
    if text:
        service.sessions.say(session, SayRequest.parse({"text": text}))
    found: list[bytes] = []
    while len(found) < 5:
        item = line.get(20.0)
        if isinstance(item, Packet) and (not text or not item.idle):
            found.append(bytes(item.payload))
    session.close()
    return jpegs(b"".join(found))


WAYS = [streamed, film, fragmented, chunked, idle, spoken]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_out(
    labelled: LipsyncService,
    tmp_path: Path,
    way: Callable[[LipsyncService, Path], list[np.ndarray]],
) -> None:
    found = way(labelled, tmp_path / "film.mp4")
    assert len(found) >= 4
    assert all(map(is_labelled, found))


def test_a_caller_in_this_process(labelled: LipsyncService, tmp_path: Path) -> None:
    seen: list[np.ndarray] = []
    sound = speech(tmp_path / "a.wav", 0.4)
    labelled.process("avatar/grey", sound, None, True, lambda bgr: seen.append(bgr.copy()))
    assert len(seen) >= 10
    assert all(picture[2:14, 2:38].max() > 150 for picture in seen)


@pytest.mark.parametrize("way", [streamed, spoken], ids=lambda way: way.__name__)
def test_nobody_who_did_not_ask_gets_one(
    service: LipsyncService,
    tmp_path: Path,
    way: Callable[[LipsyncService, Path], list[np.ndarray]],
) -> None:
    assert not any(map(is_labelled, way(service, tmp_path / "film.mp4")))
