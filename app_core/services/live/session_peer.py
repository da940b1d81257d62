"""A peer of a session: what it is shown and told, and what its microphone is heard by."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from app_core.errors import Conflict, SoyleError
from app_core.outputs.webrtc.microphone import SAMPLE_RATE
from app_core.types import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.outputs.webrtc.peer import Peer
    from app_core.sessions.pcm_feed import PcmFeed
    from app_core.sessions.session import Session

logger = logging.getLogger(__name__)


class SessionPeer:
    """A ``PeerOwner``."""

    def __init__(
        self,
        session: Session,
        peer: Peer,
        *,
        command: Callable[[str | bytes], None],
        begun: Callable[[], None],
        gone: Callable[[SessionPeer], None],
        puppet: bool,
    ) -> None:
        """``command`` does what the peer says on its control channel; ``begun`` is called once it
        looks, ``gone`` when it has gone. ``puppet``: its microphone drives the face."""
        self.session, self.peer = session, peer
        self._command, self._begun, self._gone = command, begun, gone
        self._puppet = puppet
        self._feed: PcmFeed | None = None
        self._opening = False
        self.attached = False
        """It looks, or did."""
        self.round_trip_ms: Callable[[], float | None] = lambda: None
        """As the peer measured it."""

    def connected(self) -> None:
        try:
            self.session.attach(self.peer.line)
            self.attached = True
        except SoyleError as error:  # it ended, or is full, meanwhile
            self._refuse(error)
            self.peer.line.close(error)  # after it has been told
            return
        self._puppet &= self.peer.listens
        self._opening = self._puppet
        self.peer.do(self._begin)

    def _begin(self) -> None:
        if self._puppet:
            self.open_microphone()
        try:
            self._begun()
        except SoyleError as error:
            self._refuse(error)

    def _refuse(self, error: SoyleError) -> None:
        detail = {"error": str(error), "code": error.code, "field": error.field}
        self.peer.line.tell(Event("error", None, self.session.seconds, detail))

    def commanded(self, message: str | bytes) -> None:
        self._command(message)

    def open_microphone(self) -> None:
        """Its sound drives the lips from now on, in place of what is being said. Raises Conflict
        where its offer had none that is taken."""
        if not self.peer.listens:
            self._opening = False
            raise Conflict("The offer of this peer has no microphone that is heard")
        self._puppet = True
        try:
            self._feed = self.session.microphone(SAMPLE_RATE)
        except SoyleError as error:
            self._puppet = False
            self._refuse(error)
        finally:
            self._opening = False

    def end_microphone(self) -> None:
        """What it said is finished; what it says from now on is not heard."""
        self._puppet = False
        if self._feed is not None:
            self._feed.end()

    def hearer(self) -> PcmFeed | None:
        feed = self._feed
        if feed is not None and not feed.ended:
            self.session.touch()
            return feed
        if self._puppet and not self._opening and not self.session.describe()["queued"]:
            # after an interrupt, or when something was said
            self._opening = self.peer.do(self.open_microphone)
        return None

    def numbers(self) -> Event:
        seen, line, report = self.session.describe(), self.peer.line, self.peer.report
        measured_s = None if report is None else report.round_trip_s
        round_trip_ms = self.round_trip_ms() if measured_s is None else round(measured_s * 1e3, 1)
        detail: dict[str, Any] = {
            "over": "webrtc",
            "codec": line.video,
            "fps": seen["measured_fps"],
            "late": seen["late"],
            "stalls": seen["stalls"],
            "bitrate": self.peer.video.bits_s,
            "limit": line.limit,
            "dropped": line.dropped,
            "loss": None if report is None else round(report.fraction_lost, 4),
            "round_trip_ms": round_trip_ms,
        }
        return Event("stats", None, seen["seconds"], detail)

    def left(self, why: str) -> None:
        self.session.detach(self.peer.line)
        if self._feed is not None:
            self._feed.end()
        logger.info("a peer left: %s", why)
        self._gone(self)
