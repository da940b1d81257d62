from __future__ import annotations

import asyncio
import gc
import logging
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future

import pytest
from aiortc import RTCPeerConnection

from app_core.errors import Busy
from app_core.outputs.webrtc.aiortc_hooks import close_connection
from app_core.outputs.webrtc.event_loop import WebRtcLoop
from tests.conftest import until


@pytest.fixture
def ports() -> range:
    """Two that are free."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second:
                try:
                    second.bind(("127.0.0.1", port + 1))
                except (OSError, OverflowError):
                    continue
                return range(port, port + 2)


@pytest.fixture
def loop(ports: range) -> Iterator[WebRtcLoop]:
    found = WebRtcLoop(ports)
    yield found
    found.close()


async def bound() -> asyncio.DatagramTransport:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    return transport


def test_sockets_are_given_ports_of_the_range(loop: WebRtcLoop, ports: range) -> None:
    taken = [loop.run(bound(), 10) for _ in ports]
    assert sorted(each.get_extra_info("sockname")[1] for each in taken) == list(ports)
    with pytest.raises(OSError, match="taken"):
        loop.run(bound(), 10)

    async def free() -> None:
        taken[0].close()
        await asyncio.sleep(0)

    port = taken[0].get_extra_info("sockname")[1]
    loop.run(free(), 10)
    taken[0] = loop.run(bound(), 10)
    assert taken[0].get_extra_info("sockname")[1] == port
    for each in taken:
        loop.asyncio_loop.call_soon_threadsafe(each.close)


def test_work_that_takes_too_long_is_ended(loop: WebRtcLoop) -> None:
    ended = threading.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    with pytest.raises(Busy):
        loop.run(work(), 0.05)
    assert ended.wait(10)


def test_the_end_leaves_no_thread_and_no_task(loop: WebRtcLoop) -> None:
    ended = threading.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def begin() -> None:
        kept.append(asyncio.get_running_loop().create_task(work()))
        await asyncio.sleep(0)

    kept: list[asyncio.Task[None]] = []
    loop.run(begin(), 10)
    loop.close()
    assert ended.is_set()
    assert not [each for each in threading.enumerate() if each.name.startswith("webrtc")]
    with pytest.raises(Busy):
        loop.run(begin(), 10)


def test_work_that_is_done_at_the_last_moment_is_not_lost(
    loop: WebRtcLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its peer would live, and nobody know of it."""

    async def work() -> int:
        return 5

    def done_but_late(coroutine: Coroutine[None, None, int], _: object) -> Future[int]:
        future: Future[int] = Future()
        waits = future.result

        def result(timeout: float | None = None) -> int:
            if timeout is None:
                return waits()
            future.set_result(5)
            raise TimeoutError

        coroutine.close()
        monkeypatch.setattr(future, "result", result)
        return future

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", done_but_late)
    assert loop.run(work(), 0.01) == 5


def test_a_loop_that_has_just_ended_is_busy(loop: WebRtcLoop) -> None:
    ended = loop.asyncio_loop
    ended.call_soon_threadsafe(ended.stop)
    while not ended.is_closed():
        time.sleep(0.01)
    with pytest.raises(Busy, match="stopping"):
        loop.run(asyncio.sleep(0), 10)


@pytest.mark.parametrize(("error", "level"), [(ConnectionError, "DEBUG"), (KeyError, "ERROR")])
def test_what_fails_unseen_is_noted(
    loop: WebRtcLoop, caplog: pytest.LogCaptureFixture, error: type[Exception], level: str
) -> None:
    caplog.set_level("DEBUG", "app_core.outputs.webrtc.event_loop")

    async def fail() -> None:
        raise error("not awaited")

    async def begin() -> None:
        asyncio.get_running_loop().create_task(fail())
        await asyncio.sleep(0)
        gc.collect()

    def noted() -> list[str]:
        """Other tests may have left what is collected here too."""
        said = logging.Formatter("%(message)s")
        return [each.levelname for each in caplog.records if "not awaited" in said.format(each)]

    loop.run(begin(), 10)
    assert until(noted), caplog.text
    assert noted() == [level]


async def closed_in_its_handshake() -> None:
    """A server's peer whose client ends the handshake while it is being closed."""
    client, server = RTCPeerConnection(), RTCPeerConnection()
    for kind in ("audio", "video"):
        client.addTransceiver(kind)
    await client.setLocalDescription(await client.createOffer())
    await server.setRemoteDescription(client.localDescription)
    theirs = client.getTransceivers()[0].receiver.transport
    go_on, handshake = asyncio.Event(), theirs._do_handshake

    async def later() -> None:
        await go_on.wait()
        await handshake()

    theirs._do_handshake = later  # type: ignore[method-assign]
    await server.setLocalDescription(await server.createAnswer())
    await client.setRemoteDescription(server.localDescription)
    ours = server.getTransceivers()[0].receiver.transport
    while ours.state != "connecting":
        await asyncio.sleep(0.01)
    ice = ours.transport._connection
    close = ice.close

    async def slowly() -> None:
        go_on.set()
        while ours.state == "connecting":
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)
        await close()

    ice.close = slowly  # type: ignore[method-assign]
    await close_connection(server)
    await client.close()
    gc.collect()


def test_a_peer_that_is_closed_in_its_handshake_is_no_error(
    loop: WebRtcLoop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "app_core.outputs.webrtc.event_loop")
    loop._ports = None
    loop.run(closed_in_its_handshake(), 20)
    said = [record for record in caplog.records if "a peer had gone" in record.message]
    assert said, "aiortc goes on with a peer that is closed"
    assert {record.levelname for record in caplog.records} == {"DEBUG"}


async def told_while_it_is_closed() -> None:
    """A peer that a message is on its way to when it is closed."""
    client, server = RTCPeerConnection(), RTCPeerConnection()
    channel, opened = client.createDataChannel("control"), asyncio.Event()
    channel.on("open", opened.set)
    await client.setLocalDescription(await client.createOffer())
    await server.setRemoteDescription(client.localDescription)
    await server.setLocalDescription(await server.createAnswer())
    await client.setRemoteDescription(server.localDescription)
    await opened.wait()
    await asyncio.sleep(0.1)  # nothing else is on its way
    channel.send("no one hears this")
    await client.sctp.transport.stop()  # type: ignore[union-attr]
    await asyncio.sleep(0)
    for each in (client, server):
        await close_connection(each)
    gc.collect()


def test_a_peer_that_is_told_something_while_it_is_closed_is_no_error(
    loop: WebRtcLoop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "app_core.outputs.webrtc.event_loop")
    loop._ports = None
    loop.run(told_while_it_is_closed(), 20)
    said = [record.message for record in caplog.records if "a peer had gone" in record.message]
    assert any("shutdown" in each for each in said), "OpenSSL takes what comes too late"
    assert {record.levelname for record in caplog.records} == {"DEBUG"}
