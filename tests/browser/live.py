"""A listening server on fakes whose sessions a browser looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from app_core.services.lipsync_service import LipsyncService
    from app_core.sessions.session import Session

COUNTED = "one two three four five six seven eight nine ten"
LONG = " ".join([COUNTED] * 6)


@dataclass
class Live:
    service: LipsyncService
    address: str

    @property
    def sessions(self) -> list[Session]:
        return self.service.sessions.all()

    def session(self, page: Page) -> Session:
        """The one that a page is in."""
        return self.service.sessions.get(stored(page)["session_id"])

    def post(self, session: Session, command: str, **fields: Any) -> dict[str, Any]:
        """What somebody else has it do."""
        url = f"{self.address}/api/sessions/{session.id}/{command}"
        headers = {"Authorization": f"Bearer {session.token}"}
        answer = requests.post(url, json=fields, headers=headers, timeout=20)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found


def stored(page: Page) -> dict[str, str]:
    """What a reload finds its session by."""
    found: dict[str, str] = page.evaluate("JSON.parse(sessionStorage.getItem('soyle.session'))")
    return found


def viewers(session: Session) -> int:
    return len(session.describe()["viewers"])
