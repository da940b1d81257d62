from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from app_core.errors import BadInput
from app_core.speech.text import reading
from app_core.speech.text.dictionary import Dictionary
from app_core.speech.text.reading import TextReader
from app_core.speech.text.span_text import SpanText
from app_core.speech.text.spoken_text import SpokenText, check_length, something
from app_core.turns import Turns, waited_for
from tests.conftest import until


def test_every_word_is_on_the_line_in_order_and_knows_its_place() -> None:
    text = "\n  Первая строка\n\nВторая & третья.  Ещё одна! "
    spoken = SpokenText.of(TextReader().read(text, "ru"))
    assert "\n" not in spoken.said
    at = 0
    for word in spoken.words:
        at = spoken.said.index(word.said, at) + len(word.said)
        assert text[word.start : word.end] == word.written
    assert spoken.said == "Первая строка. Вторая и третья. Ещё одна!"


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "ru",
            "Он сказал Good morning my friend и ушёл",
            "Он сказал Good morning my friend и ушёл.",
        ),
        ("en", "I said Привет мой дорогой друг to him", "I said Привет мой дорогой друг to him."),
        ("ru", "Буквы αβ тут", "Буквы альфа бета тут."),
        ("en", "Say καλη now", "Say kappa alpha lambda eta now."),
    ],
)
def test_nothing_is_added_that_is_not_said(language: str, text: str, expected: str) -> None:
    spoken = SpokenText.of(TextReader().read(text, language))
    assert spoken.said == expected
    assert not any("  " in word.said or word.said.endswith(",") for word in spoken.words)
    assert not any("  " in piece.said for piece in TextReader().read(text, language))


@pytest.mark.parametrize("text", ["", " \n ", "🙂", "…", "<br>"])
def test_nothing_to_say_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        something(TextReader().read(text, "ru"))
    assert caught.value.field == "text"


def test_only_the_first_piece_is_read_to_know_that_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def counted(language: str) -> object:
        normalise = reading.LANGUAGES[language]

        def count(text: object) -> object:
            read.append(text.text)  # type: ignore[attr-defined]
            return normalise(text)  # type: ignore[arg-type]

        return count

    monkeypatch.setattr(reading, "LANGUAGES", {"ru": counted("ru")})
    pieces = something(TextReader().read("Это одно предложение. " * 200, "ru"))
    assert len(read) == 1
    assert len(list(pieces)) == 200
    assert len(read) > 1


def test_spaces_around_a_text_are_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    clean = reading.clean
    monkeypatch.setattr(reading, "clean", lambda text: (read.append(text.text), clean(text))[1])
    text = "\n" * 100_000 + "Да" + " " * 100_000
    spoken = SpokenText.of(TextReader().read(text, "ru"))
    assert [(word.start, word.end) for word in spoken.words] == [(100_000, 100_002)]
    assert len(read) == 1
    check_length(text, 2)
    with pytest.raises(BadInput):
        check_length(text, 1)


def test_one_part_of_one_text_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty that read at once kept Python's lock: live frames came once a second."""
    reading_now, most = 0, 0
    normalise = reading.LANGUAGES["en"]

    def counted(text: SpanText) -> SpanText:
        nonlocal reading_now, most
        reading_now += 1
        most = max(most, reading_now)
        time.sleep(0.01)
        reading_now -= 1
        return normalise(text)

    monkeypatch.setattr(reading, "LANGUAGES", {**reading.LANGUAGES, "en": counted})
    reader = TextReader()
    text = "A sentence of some words. " * 60
    expected = SpokenText.of(TextReader().read(text, "en"))
    most = 0
    readers = [reader, reader.knowing({"other": "another"}), reader, reader]
    with ThreadPoolExecutor(len(readers)) as pool:
        found = list(pool.map(lambda one: SpokenText.of(one.read(text, "en")), readers))
    assert found == [expected] * len(readers)
    assert most == 1


def test_a_dictionary_is_learnt_in_the_line_that_live_ones_lead() -> None:
    learnt: list[str] = []

    class Noted(Dictionary):
        def under(self, readings: Mapping[str, str]) -> Dictionary:
            learnt.append(threading.current_thread().name)
            return super().under(readings)

    turns = Turns("The reader of texts")
    reader = TextReader(Noted({}), turns)

    def learn(*, is_live: bool) -> None:
        with waited_for(is_live):
            reader.knowing({"word": "reading"})

    with turns.turn(1):
        threads = []
        for count, name in enumerate(("film", "live"), 1):
            kind = {"is_live": name == "live"}
            threads.append(threading.Thread(target=learn, name=name, kwargs=kind))
            threads[-1].start()
            assert until(lambda count=count: len(turns) == count)
    for thread in threads:
        thread.join(5)
    assert learnt == ["live", "film"]
