"""A client that sends too slowly is no longer listened to, also a byte at a time."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from app_core.routes.http.upload_rate import GRACE, MinUploadRate
from tests.conftest import until


def test_a_byte_at_a_time_ends_the_reading() -> None:
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.01):
            theirs.send(b"x")

    sender = threading.Thread(target=trickle)
    sender.start()
    try:
        began = time.monotonic()
        with MinUploadRate(ours, 0.1) as pace:
            while data := ours.recv(1):
                pace.note(len(data))
        assert pace.late
        assert time.monotonic() - began >= GRACE * 0.1
        ours.sendall(b"too slow")
        assert theirs.recv(100) == b"too slow"
    finally:
        stop.set()
        sender.join()
        ours.close()
        theirs.close()


def test_who_sends_enough_is_listened_to() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with MinUploadRate(ours, 0.05) as pace:
            pace.note(10 << 20)
            time.sleep(0.4)
            theirs.send(b"more")
            assert ours.recv(100) == b"more"
        assert not pace.late
        assert ours.gettimeout() is None
        assert until(lambda: all(thread.name != "upload-rate" for thread in threading.enumerate()))


def test_silence_is_a_timeout() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, MinUploadRate(ours, 0.05), pytest.raises(TimeoutError):
        ours.recv(1)
