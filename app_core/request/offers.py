"""What a peer asks for when it offers a connection."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool, StrictStr, model_validator

from app_core.errors import BadInput
from app_core.request.fields import Language
from app_core.request.sessions import SessionRequest

_OF_A_NEW_ONE = ("avatar", "voice", "model", "size", "fps", "speed", "pitch")


class OfferRequest(SessionRequest):
    """A WebRTC offer: to a session that runs, or to one that is made for it."""

    sdp: StrictStr = Field(description="The offer, as RTCPeerConnection made it")
    type: Literal["offer"] = Field(description="offer")
    text: StrictStr = Field(
        default="", description="Said once the peer is connected; empty: nothing"
    )
    language: Language = Field(default="ru", description="Of the text, and of what is said later")
    low_latency: StrictBool = Field(default=True, description="Always so: there is no other way")
    session_id: StrictStr | None = Field(
        default=None, description="A session that runs; null: a new one"
    )
    token: StrictStr | None = Field(
        default=None, description="Of that session: its token, or its view_token to look only"
    )

    @model_validator(mode="after")
    def _one_session(self) -> OfferRequest:
        if not self.sdp.strip():
            raise BadInput("'sdp' must not be empty", field="sdp")
        if self.session_id is None:
            if self.token is not None:
                raise BadInput("'token' needs the 'session_id' that it opens", field="token")
            return self
        for name in _OF_A_NEW_ONE:
            if name in self.model_fields_set:
                raise BadInput(f"'{name}' is for a new session, not one that runs", field=name)
        return self
