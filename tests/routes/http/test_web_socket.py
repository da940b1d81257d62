"""What a view answers once its WebSocket is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app_core import create_app
from app_core.routes.http.web_socket import SocketEnded

if TYPE_CHECKING:
    from app_core.services.lipsync_service import LipsyncService


def test_nothing_is_written_behind_the_last_frame(service: LipsyncService) -> None:
    app = create_app(service=service)
    with app.test_request_context("/"):
        answer = app.make_response(SocketEnded())
        with pytest.raises(StopIteration):
            answer({"gunicorn.socket": None}, lambda *_: None)
