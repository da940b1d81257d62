"""The WebRTC peers of all sessions: begun by an offer, found by their ids, ended with them."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING

from app_core.errors import Busy, Conflict, NotFound
from app_core.outputs.webrtc.aiortc_hooks import prepare
from app_core.outputs.webrtc.event_loop import WebRtcLoop
from app_core.outputs.webrtc.ice_servers import IceServers
from app_core.outputs.webrtc.peer import Peer
from app_core.services.live.session_peer import SessionPeer
from app_core.sessions.fanout import MOST_VIEWERS
from app_core.shares import Holding, Share, Shares
from app_core.threads import Pulse, start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.config import Config
    from app_core.outputs.webrtc.offer import Offer
    from app_core.sessions.session import Session

logger = logging.getLogger(__name__)

ANSWER_S = 12.0
"""For an answer: STUN and TURN servers that are silent cost some of it."""
RETRY_S = 5
FAREWELL_S = 0.5
"""For the last event to reach those who look when the server stops."""


def _nothing() -> None:
    """Nothing begins with this peer."""


class Peers:
    """Thread-safe."""

    def __init__(self, config: Config, shares: Shares | None = None) -> None:
        prepare()
        self._shares = shares or Shares()
        self._config = config
        self.ice_servers = IceServers(
            config.ice_urls, config.turn_user, config.turn_password, config.turn_secret
        )
        self._loop = WebRtcLoop(config.webrtc_port_range)
        self._lock = threading.Lock()
        self._peers: dict[str, SessionPeer] = {}
        self._offered: dict[tuple[str, str], Share] = {}
        """Of offers that are being answered, or whose peers live: what their clients hold."""

    def __len__(self) -> int:
        return len(self._peers)

    @property
    def pulse(self) -> Pulse:
        """Of the thread that all of them live in."""
        return self._loop.pulse

    def answer(
        self,
        offer: Offer,
        session: Session,
        control: Callable[[SessionPeer], Callable[[str | bytes], None]],
        begun: Callable[[], None] = _nothing,
        *,
        owns: bool = False,
        puppet: bool = False,
        owner: str = "",
    ) -> SessionPeer:
        """A peer that looks at the session once it is connected; its answer is
        ``peer.peer.answer``. ``control`` makes what does its commands. ``owns``: the session ends
        with it. ``owner``: the client; empty: this program. Raises BadInput, Busy, TooMany, or
        Conflict for an offer that was answered already.
        """
        with self._shares.take(Holding.LISTENERS, owner).kept() as share:
            self._reserve(offer, session, share)
        try:
            session.check_room(offer.video, "opus" if offer.audio else "none")
            return self._loop.run(
                self._begin(offer, session, control, begun, owns=owns, puppet=puppet), ANSWER_S
            )
        except BaseException:
            self._release(offer)
            raise

    def get(self, peer_id: str) -> SessionPeer:
        """Raises NotFound."""
        found = self._peers.get(peer_id)
        if found is None:
            raise NotFound("There is no such viewer", field="peer_id")
        return found

    def has(self, peer_id: str) -> bool:
        return peer_id in self._peers

    def add_candidates(self, peer: SessionPeer, candidates: list[str]) -> None:
        """As in SDP, without ``a=``. Raises BadInput."""

        async def add() -> None:
            for line in candidates:
                await peer.peer.add_candidate(line)

        self._loop.run(add(), ANSWER_S)

    def end(self, peer: SessionPeer) -> None:
        """Returns when its connection is closed. It is found no more at once."""
        self._peers.pop(peer.peer.id, None)
        self._loop.run(peer.peer.close(), ANSWER_S)

    def end_of(self, session: Session) -> None:
        """Those who were on their way to a session that has ended. Does not wait."""
        for peer in self._peers.copy().values():
            # One that is being answered is closed behind that: sockets are opened for it.
            if peer.session is session and not peer.attached and peer.peer.answer:
                peer.peer.close_soon("the session ended")

    def close(self) -> None:
        """After their sessions, of whose end they are told."""
        until_s = time.monotonic() + FAREWELL_S
        while self._peers and time.monotonic() < until_s:
            time.sleep(0.01)
        peers = [peer.peer for peer in list(self._peers.values())]

        async def end() -> None:
            await asyncio.gather(*(peer.close("stopping") for peer in peers))

        try:
            if peers:
                self._loop.run(end(), ANSWER_S)
        except Busy:
            logger.error("the peers do not end")
        finally:
            self._loop.close()

    def _reserve(self, offer: Offer, session: Session, share: Share) -> None:
        with self._lock:
            coming = sum(
                peer.session is session and not peer.attached
                for peer in self._peers.copy().values()
            )
            if len(session.describe()["viewers"]) + coming >= MOST_VIEWERS:
                raise Busy(f"{MOST_VIEWERS} viewers look at this session already")
            if offer.key in self._offered:
                raise Conflict("This offer was answered already", field="sdp")
            if len(self._offered) >= self._config.most_peers:
                raise Busy("Too many peers are connected; try again soon", retry_after_s=RETRY_S)
            self._offered[offer.key] = share

    def _release(self, offer: Offer) -> None:
        with self._lock:
            share = self._offered.pop(offer.key, None)
        if share is not None:
            share.release()

    async def _begin(
        self,
        offer: Offer,
        session: Session,
        control: Callable[[SessionPeer], Callable[[str | bytes], None]],
        begun: Callable[[], None],
        *,
        owns: bool,
        puppet: bool,
    ) -> SessionPeer:
        peer = Peer(
            offer,
            session.origin_s,
            (session.rates.floor, session.rates.ceiling),
            lambda: session.ask_key(offer.video),
            self.ice_servers.for_server(),
            self._loop.workers,
            self._config.webrtc_public_address,
            self._config.place,
            listens=puppet,
        )

        def gone(left: SessionPeer) -> None:
            self._peers.pop(left.peer.id, None)
            self._release(offer)
            if owns:  # it waits for its thread
                start_thread(threading.Thread(target=session.close, name="session-end"))

        made = SessionPeer(
            session,
            peer,
            command=lambda message: command(message),
            begun=begun,
            gone=gone,
            puppet=puppet,
        )
        command = control(made)
        self._peers[peer.id] = made
        try:
            self.ice_servers.note(await peer.begin(made))
            if session.closed:
                await peer.close("the session ended")
                raise Conflict("The session has ended")
        except BaseException:
            self._peers.pop(peer.id, None)
            raise
        return made
