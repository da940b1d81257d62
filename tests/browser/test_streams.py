"""The stream readers of static/js, fed in pieces of every awkward size."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.browser.conftest import Visitor

STREAM = """
  const stream = (bytes, size) => new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) {
        controller.enqueue(Uint8Array.from(bytes.slice(at, at + size)));
      }
      controller.close();
    },
  });
"""
READ_PARTS = f"""async ([bytes, size]) => {{
  {STREAM}
  const {{ readParts }} = await import("/static/js/multipart.js");
  const parts = [];
  try {{
    for await (const {{ headers, body }} of readParts(stream(bytes, size), "frame")) {{
      parts.push([headers.get("x-frame"), headers.get("content-type"), [...body]]);
    }}
  }} catch (error) {{
    parts.push(error.constructor.name);
  }}
  return parts;
}}"""
READ_WAV = f"""async ([bytes, size]) => {{
  {STREAM}
  const {{ readWav }} = await import("/static/js/wav_stream.js");
  const all = [];
  let rate = 0;
  for await (const {{ sampleRate, samples }} of readWav(stream(bytes, size))) {{
    rate = sampleRate;
    all.push(...samples);
  }}
  return [rate, all];
}}"""

BODIES = [b"\r\n--frame\r\n", bytes(range(256)) * 3, b""]


def part(index: int, body: bytes) -> bytes:
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(body)}\r\nX-Frame: {index}"
    return head.encode() + b"\r\n\r\n" + body + b"\r\n--frame"


def multipart() -> bytes:
    return b"--frame\r\n" + b"\r\n".join(part(i, b) for i, b in enumerate(BODIES)) + b"--\r\n"


def run(visitor: Visitor, address: str, script: str, data: bytes, size: int) -> Any:
    page = visitor.open(address)
    return page.evaluate(script, [list(data), size])


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_parts_survive_any_cut(visitor: Visitor, address: str, size: int) -> None:
    parts = run(visitor, address, READ_PARTS, multipart(), size)
    assert parts == [[str(i), "image/jpeg", list(body)] for i, body in enumerate(BODIES)]


def test_stream_without_its_end_is_an_error(visitor: Visitor, address: str) -> None:
    parts = run(visitor, address, READ_PARTS, multipart()[:-40], 100)
    assert parts[-1] == "StreamEnded"
    assert parts[0][0] == "0"


@pytest.mark.parametrize("size", [1, 31, 4096])
def test_wav_of_unknown_length(visitor: Visitor, address: str, size: int) -> None:
    samples = [0, 1, -1, 32767, -32768, *range(0, 30000, 17)]
    wav = b"RIFF\xff\xff\xff\xffWAVE"
    wav += b"LIST" + struct.pack("<I", 5) + b"INFOx\0"
    wav += b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    wav += b"data\xff\xff\xff\xff" + struct.pack(f"<{len(samples)}h", *samples)
    rate, found = run(visitor, address, READ_WAV, wav, size)
    assert rate == 16000
    assert found == [sample / 32768 for sample in samples]


def test_leaving_while_the_events_connect_is_no_complaint(visitor: Visitor, address: str) -> None:
    """Closing a WebSocket that connects is an error in the browser's console."""
    page = visitor.open(address)
    ways = page.evaluate(
        """async () => {
          const job = await (await fetch("/api/generate", {
            method: "POST",
            headers: { "Content-Type": "application/json", Prefer: "respond-async" },
            body: JSON.stringify({ text: "Один два три", size: "128x128" }),
          })).json();
          const { hangUp } = await import("/static/js/hang_up.js");
          const address = new URL(job.events_url, location.href.replace("http", "ws"));
          const ends = (socket) => new Promise((resolve) => { socket.onclose = resolve; });
          const early = new WebSocket(address);
          hangUp(early);
          await ends(early);
          const late = new WebSocket(address);
          await new Promise((resolve) => { late.onopen = resolve; });
          hangUp(late);
          await ends(late);
          return [early.readyState, late.readyState];
        }"""
    )
    assert ways == [3, 3]
