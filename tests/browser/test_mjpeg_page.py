"""/mjpeg_test in a real browser: the face speaks, the sound is heard, Stop stops."""

from __future__ import annotations

import io
import json
import time
import urllib.request
import wave
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.browser.conftest import Visitor, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SENTENCE = "Сәлеметсіз бе! Менің атым Сөйле, мен сізге мәтінді дауыстап айтып беремін."
LONG = "Это длинный рассказ, который никто не дослушает до конца. " * 6
OVER = "['finished', 'stopped', 'error'].includes(soyle.stats.status)"

# The lower half of the middle of the face, 32 x 32 grey values, once for each shown picture.
RECORD = """() => {
  const face = document.getElementById("face");
  const small = new OffscreenCanvas(32, 32).getContext("2d", { willReadFrequently: true });
  const records = (window.records = []);
  let shown = 0;
  const look = () => {
    const { stats } = window.soyle;
    if (stats.shown !== shown) {
      shown = stats.shown;
      const { width, height } = face;
      small.drawImage(face, 0.38 * width, 0.5 * height, 0.24 * width, 0.2 * height, 0, 0, 32, 32);
      const { data } = small.getImageData(0, 0, 32, 32);
      const mouth = Array.from({ length: 1024 }, (_, i) => data[4 * i + 1]);
      const { pictureTime, audioTime, audioLevel, frames, status } = stats;
      records.push({ mouth, pictureTime, audioTime, audioLevel, frames, status });
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def say(page: Page, text: str, language: str = "ru") -> None:
    page.locator(f"input[name=language][value={language}]").check()
    page.locator("textarea").fill(text)
    page.locator("#speak").click()


def stats(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("({...soyle.stats})")
    return found


def loudness(address: str, job_id: str) -> tuple[np.ndarray, float]:
    """Root mean square of the job's sound in windows of 10 ms, and its length in seconds."""
    with urllib.request.urlopen(f"{address}/api/jobs/{job_id}/audio.wav") as answer:
        body = answer.read()
    with wave.open(io.BytesIO(body)) as sound:
        rate, pcm = sound.getframerate(), sound.readframes(sound.getnframes())
    samples = np.frombuffer(pcm, "<i2") / 32768
    step = rate // 100
    windows = samples[: len(samples) // step * step].reshape(-1, step)
    return np.sqrt((windows**2).mean(axis=1)), len(samples) / rate


class Spoken:
    """What was seen while the page said SENTENCE."""

    def __init__(self, address: str, page: Page) -> None:
        page.evaluate(RECORD)
        with page.expect_response("**/api/stream_mjpeg") as answer:
            say(page, SENTENCE, "kk")
        page.wait_for_function(OVER, timeout=60_000)
        self.stats = stats(page)
        self.job_id = answer.value.headers["x-job-id"]
        with urllib.request.urlopen(f"{address}/api/jobs/{self.job_id}") as found:
            self.job_answer = found.read().decode()
        self.loudness, self.seconds = loudness(address, self.job_id)
        records = page.evaluate("records")
        self.mouths = np.array([record["mouth"] for record in records], float)
        self.times = np.array([record["pictureTime"] for record in records])
        self.sound_times = np.array([record["audioTime"] for record in records])
        self.levels = np.array([record["audioLevel"] for record in records])
        self.statuses = {record["status"] for record in records}
        self.counts = [record["frames"] for record in records]
        self.shown_status = page.locator("#stat-status").inner_text()
        self.shown_frames = page.locator("#stat-frames").inner_text()


@pytest.fixture(scope="module")
def spoken(chromium: Browser, address: str) -> Iterator[Spoken]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="ru-RU")
    with visiting(context) as visitor:
        yield Spoken(address, visitor.open(f"{address}/mjpeg_test"))


def test_pictures_come_and_are_counted(spoken: Spoken) -> None:
    total = round(spoken.seconds * 25 + 0.5)
    assert spoken.stats["status"] == "finished"
    assert abs(spoken.stats["shown"] + spoken.stats["dropped"] - total) <= 1
    assert spoken.stats["shown"] > total / 2
    assert spoken.counts == sorted(spoken.counts)
    assert spoken.shown_frames == str(spoken.stats["frames"])
    assert spoken.shown_status == "Сказано"
    assert spoken.stats["firstFrameMs"] > 0


def test_sound_is_heard_to_its_end(spoken: Spoken) -> None:
    assert "speaking" in spoken.statuses
    assert spoken.levels.max() > 0.02
    assert (np.diff(spoken.sound_times) >= 0).all()
    assert spoken.sound_times.max() > spoken.seconds - 0.2


def test_pictures_keep_to_the_sound(spoken: Spoken) -> None:
    playing = spoken.sound_times > 0
    offsets = spoken.sound_times[playing] - spoken.times[playing]
    assert abs(np.median(offsets)) < 0.08


def test_mouth_moves_with_sound_and_rests_without(spoken: Spoken) -> None:
    movement = np.abs(spoken.mouths - spoken.mouths[0]).mean(axis=1)
    at = np.minimum((spoken.times * 100).astype(int), len(spoken.loudness) - 1)
    around = [spoken.loudness[max(i - 12, 0) : i + 13] for i in at]
    loud = np.array([np.median(window) > 0.03 for window in around])
    still = np.array([window.max() < 0.005 for window in around])
    assert loud.sum() > 20
    assert still.sum() >= 3, "the sentence has a pause"
    assert np.median(movement[loud]) > 3 * np.median(movement[still])
    assert movement[loud].std() > np.median(movement[still]), "the mouth is not just held open"


def test_captions_come_word_by_word_with_the_sound(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    page.evaluate("""() => {
      const caption = document.getElementById("caption");
      window.lines = [];
      const look = () => lines.push([caption.textContent, soyle.stats.audioTime]);
      new MutationObserver(look).observe(caption, { childList: true });
    }""")
    say(page, SENTENCE, "kk")
    page.wait_for_function(OVER, timeout=60_000)
    assert page.locator("#caption").is_hidden(), "nothing is said any more"
    lines = [(text, at) for text, at in page.evaluate("lines") if text]
    words = SENTENCE.split()
    assert [text.split()[-1] for text, _ in lines] == words
    assert max(len(text) for text, _ in lines) <= 32
    assert lines[0][0] == "Сәлеметсіз" and lines[2][0] == "Менің", "a sentence begins a line"
    times = [at for _, at in lines]
    assert times == sorted(times)
    assert times[-1] - times[0] > 0.15 * len(words), "not all at once"


def test_stop_stops_here_and_on_the_server(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    with page.expect_response("**/api/stream_mjpeg") as answer:
        say(page, LONG)
    page.wait_for_function("soyle.stats.shown > 10")
    job_url = f"{address}/api/jobs/{answer.value.headers['x-job-id']}"
    with page.expect_response(lambda r: r.request.method == "DELETE") as deleted:
        page.locator("#stop").click()
    assert deleted.value.ok
    assert deleted.value.url == job_url
    at_stop = stats(page)
    page.wait_for_timeout(500)
    assert stats(page) == at_stop
    assert at_stop["status"] == "stopped"
    with urllib.request.urlopen(job_url) as found:
        assert '"cancelled"' in found.read().decode()
    assert page.locator("#stop").is_disabled()


def test_keys_speak_and_stop(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    page.locator("textarea").fill(LONG)
    page.keyboard.press("Control+Enter")
    page.wait_for_function("soyle.stats.shown > 0")
    page.keyboard.press("Escape")
    assert stats(page)["status"] == "stopped"


def test_speaking_again_replaces_what_is_said(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    say(page, LONG)
    page.wait_for_function("soyle.stats.shown > 5")
    say(page, "Привет!")
    page.wait_for_function(OVER, timeout=30_000)
    assert stats(page)["status"] == "finished"
    assert stats(page)["pictureTime"] < 3
    assert len([r for r in visitor.requests if r.startswith("DELETE")]) == 1


def test_empty_text_is_a_sentence_and_no_request(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    say(page, "   ")
    assert page.locator("#error").inner_text() == "Введите текст."
    assert not [r for r in visitor.requests if r.startswith("POST")]
    say(page, "Привет!")
    assert page.locator("#error").is_hidden()


def test_text_beyond_the_limit_is_a_sentence_and_no_request(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    say(page, "а" * 5001)
    assert page.locator("#error").inner_text() == "Текст длиннее 5000 знаков."
    assert not [r for r in visitor.requests if r.startswith("POST")]


def test_refusal_of_the_server_is_shown(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    page.locator("summary", has_text="Дополнительно").click()
    page.locator("select[name=size] option").first.evaluate("(o) => (o.value = '3x3')")
    page.locator("select[name=size]").select_option("3x3")
    say(page, "Привет!")
    page.wait_for_function(OVER)
    assert page.locator("#error").inner_text() == "Кадр такого размера сделать нельзя."
    assert stats(page)["status"] == "error"
    visitor.expect_complaint("400")


def refuse(page: Page, status: int, code: str, **headers: str) -> None:
    """The server answers every stream with an error."""
    body = json.dumps({"error": "It is so", "code": code, "field": None})
    page.route(
        "**/api/stream_mjpeg",
        lambda route: route.fulfill(
            status=status, body=body, headers={"Content-Type": "application/json"} | headers
        ),
    )


def test_full_server_says_when_to_come_back(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    refuse(page, 503, "busy", **{"Retry-After": "7"})
    say(page, "Привет!")
    page.wait_for_function(OVER)
    error = page.locator("#error")
    assert error.inner_text() == "Сервер занят. Повторите через 7 с."
    page.locator("[data-set-language=kk]").click()
    page.wait_for_function("document.documentElement.lang === 'kk'")
    assert error.inner_text() == "Сервер бос емес. 7 секундтан кейін қайталаңыз."
    visitor.expect_complaint("503")


def test_unknown_error_keeps_the_servers_sentence(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    refuse(page, 418, "teapot")
    say(page, "Привет!")
    page.wait_for_function(OVER)
    assert page.locator("#error").inner_text() == "It is so."
    visitor.expect_complaint("418")


def test_face_speaks_where_there_is_no_sound(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    page.route("**/audio.wav*", lambda route: route.fulfill(status=404, body="{}"))
    began = time.monotonic()
    say(page, "Привет, мир!")
    page.wait_for_function("soyle.stats.status === 'silent'")
    page.wait_for_function(OVER, timeout=30_000)
    assert stats(page)["status"] == "finished"
    assert stats(page)["pictureTime"] < time.monotonic() - began
    assert stats(page)["shown"] > 10
    visitor.expect_complaint("404")


def test_mute_silences_but_plays_on(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    page.locator("#mute").click()
    assert page.locator("#mute").get_attribute("aria-label") == "Включить звук"
    say(page, "Привет!")
    page.wait_for_function(OVER, timeout=30_000)
    assert stats(page)["audioTime"] > 0


def test_options_are_sent(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    page.locator("summary", has_text="Дополнительно").click()
    page.locator("select[name=size]").select_option("256x256")
    page.locator("#speed").fill("2")
    page.locator("input[name=low_latency]").uncheck()
    with page.expect_request("**/api/stream_mjpeg") as asked:
        say(page, "Hello!", "en")
    assert asked.value.post_data_json == {
        "text": "Hello!",
        "language": "en",
        "size": "256x256",
        "speed": 2,
        "low_latency": False,
    }
    page.wait_for_function("soyle.stats.shown > 0")
    assert page.evaluate("document.getElementById('face').width") == 256


def test_captions_have_the_dashes_and_do_not_end_at_an_abbreviation(
    visitor: Visitor, address: str
) -> None:
    page = visitor.open(f"{address}/mjpeg_test")
    page.evaluate("""() => {
      const caption = document.getElementById("caption");
      window.lines = [];
      const look = () => lines.push(caption.textContent);
      new MutationObserver(look).observe(caption, { childList: true });
    }""")
    say(page, "Дом — в г. Алматы.", "ru")
    page.wait_for_function(OVER, timeout=60_000)
    assert "Дом — в г. Алматы." in page.evaluate("lines")


def test_on_a_phone_the_face_that_speaks_is_seen(phone: Visitor, address: str) -> None:
    page = phone.open(f"{address}/mjpeg_test")
    page.locator("form button[type=submit]").scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.locator("form button[type=submit]").click()
    page.wait_for_function("document.getElementById('face').getBoundingClientRect().top > -1")
