"""What listeners of a job get over the wire; tests/test_server_jobs.py has the whole way."""

from __future__ import annotations

import socket

import pytest

from app_core.routes.job_events import Gone, LastWord, tell_one


def test_nothing_follows_a_close_frame() -> None:
    """Also when it was already on its way: a browser complains of data after the close."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        last = LastWord(ours)
        assert last.send(b"\x81\x02hi") == 4
        last.send(b"\x88\x02\x03\xe8")
        assert last.send(b"\x81\x02no") == 4
        last.shutdown(socket.SHUT_WR)
        assert theirs.recv(100) == b"\x81\x02hi\x88\x02\x03\xe8"
        assert theirs.recv(100) == b""


def test_telling_a_listener_whose_socket_is_closed_is_no_server_error() -> None:
    class Left:
        sock, other = socket.socketpair()

    with Left.other:
        Left.sock.close()
        with pytest.raises(Gone):
            tell_one(Left, {"type": "word"})
