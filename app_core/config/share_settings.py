"""The settings of shares: how much of the server one client, or one render, may take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Share = Annotated[int, Field(ge=0)] | Literal["auto"]
"""A count, 0 for no bound. ``auto``: none on a server that only this machine reaches, else a part
of what there is."""


class ShareSettings(BaseModel):
    """A client is the name of its token in API_TOKEN_FILE, else its address."""

    client_renders: Share = Field(
        "auto",
        description="Renders of one client at once, count; 0: no bound; auto: none on a server that"
        " only this machine reaches, else half of MAX_JOBS, and of what the cores can do at once",
    )
    client_sessions: Share = Field(
        "auto",
        description="Sessions of one client at once, as CLIENT_RENDERS; auto: half of MAX_SESSIONS,"
        " and with its live renders of what the cores can do at once",
    )
    client_uploads: Share = Field(
        "auto", description="Uploads and imports of one client at once, as CLIENT_RENDERS; auto: 2"
    )
    client_listeners: Share = Field(
        "auto",
        description="WebSockets, WebRTC viewers and waits for sounds and films of one client at"
        " once, as CLIENT_RENDERS; auto: a quarter of the sockets of all sessions",
    )
    client_requests_min: Share = Field(
        "auto",
        description="Requests a minute of one client, which may come at once, as CLIENT_RENDERS;"
        " auto: 1200",
    )
    max_render_core_s: Annotated[float, Field(gt=0)] = Field(
        7200.0,
        description="Largest render that is begun, by what its frames are expected to take, seconds"
        " of a core; MAX_RENDER_S on all cores bounds it too",
    )
    max_render_s: Annotated[float, Field(gt=0)] = Field(
        7200.0, description="A client's render that takes longer than this is ended, seconds"
    )
