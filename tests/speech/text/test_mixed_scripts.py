"""Words of one language in a text of another, by what is said and by what espeak-ng makes of it."""

from __future__ import annotations

import ctypes
import re

import pytest

from app_core.speech.text.piece import Piece
from app_core.speech.text.reading import Reader
from app_core.speech.voices import espeak
from app_core.speech.voices.espeak import EspeakVoice

ACUTE = "\u0301"


def read(text: str, language: str, **kwargs: object) -> list[Piece]:
    return list(Reader().read(text, language, **kwargs))  # type: ignore[arg-type]


def said(text: str, language: str) -> str:
    """Without marks and capitals, language by language: ``ru: ... | en: ...``."""
    found: list[tuple[str, list[str]]] = []
    for piece in read(text, language):
        words = re.sub(r"[^\w\s-]", "", piece.said).lower().split()
        if found and found[-1][0] == piece.language:
            found[-1][1].extend(words)
        else:
            found.append((piece.language, words))
    return " | ".join(f"{name}: {' '.join(words)}" for name, words in found)


def mnemonics(text: str, language: str) -> str:
    """What espeak-ng says, as names of phonemes; a change of language shows as ``(en)``."""
    list(EspeakVoice().speak(Piece(0, language, "а", "а", ())))
    library = espeak._LIBRARY
    with library._turns.turn(1):
        library._library.espeak_ng_SetVoiceByName(espeak._VOICES[language][0].encode())
        data = ctypes.create_string_buffer(text.encode())
        rest, found = ctypes.c_void_p(ctypes.addressof(data)), []
        while rest.value:
            part = library._library.espeak_TextToPhonemes(ctypes.byref(rest), 1, 0)
            found.append((part or b"").decode())
    return " ".join(found)


LINES = [
    ("ru", "Мой iPhone лежит в офисе Google.", "ru: мой айфон лежит в офисе гугл"),
    ("ru", "Оплатите через Kaspi QR", "ru: оплатите через каспи кью-ар"),
    ("ru", "Подключите Wi-Fi и USB-кабель", "ru: подключите вай-фай и ю-эс-би-кабель"),
    ("ru", "Это API, а это AI и IT.", "ru: это эй-пи-ай а это эй-ай и ай-ти"),
    ("ru", "Форма HTML и css", "ru: форма эйч-ти-эм-эл и си-эс-эс"),
    ("ru", "Әлия из Өскемен сказала: сәлем!", "ru: алия из оскемен сказала салем"),
    ("ru", "Директор школы Гүлнұр Ахмет", "ru: директор школы гулнур ахмет"),
    ("ru", "Сходим в Kaspiден кафе", "ru: сходим в каспиден кафе"),
    ("ru", "Вчера Barcelona играла", "ru: вчера барселона играла"),
    ("ru", "Приехала Aigerim Smith", "ru: приехала айгерим смит"),
    (
        "ru",
        "Он сказал: «I will be back» и ушёл.",
        "ru: он сказал | en: i will be back | ru: и ушёл",
    ),
    (
        "ru",
        "Она ответила: «Менің атым Айгерім», и ушла.",
        "ru: она ответила | kk: менің атым айгерім | ru: и ушла",
    ),
    ("ru", "Apple Watch Ultra в наличии", "ru: эпл вотч ультра в наличии"),
    ("kk", "Мен iPhone алдым.", "kk: мен айфон алдым"),
    ("kk", "Kaspiден SMSке", "kk: каспиден эс-эм-эске"),
    ("kk", "Sälem, qalaısyñ?", "kk: сәлем қалайсың"),
    ("kk", "Men Almatyda turamyn", "kk: мен алматыда тұрамын"),
    ("kk", "Qazaqstan Respublikasynyñ astanasy", "kk: қазақстан республикасының астанасы"),
    ("kk", "Meniñ jumysym jaqsy, iPhone aldym", "kk: менің жұмысым жақсы айфон алдым"),
    ("kk", "бiз менiң Əлия Гауhар", "kk: біз менің әлия гауһар"),
    (
        "kk",
        "Ол «Добро пожаловать в Алматы» деп жазды.",
        "kk: ол | ru: добро пожаловать в алматы | kk: деп жазды",
    ),
    (
        "kk",
        "Ол «How are you today?» деп сұрады.",
        "kk: ол | en: how are you today | kk: деп сұрады",
    ),
    ("en", "Hello Әлия, say Привет to Иван.", "en: hello aliya say privet to ivan"),
    (
        "en",
        "She wrote «Сәлем, қалайсың, досым?» and left.",
        "en: she wrote | kk: сәлем қалайсың досым | en: and left",
    ),
    ("en", "A сat named Тom", "en: a cat named tom"),
    ("ru", "你好 мир, α", "ru: мир альфа"),
]


@pytest.mark.parametrize(("language", "text", "expected"), LINES)
def test_words_of_another_language(language: str, text: str, expected: str) -> None:
    assert said(text, language) == expected


@pytest.mark.parametrize(("language", "text", "_"), LINES)
def test_nothing_is_spelled_and_no_voice_changes_inside(language: str, text: str, _: str) -> None:
    for piece in read(text, language):
        heard = mnemonics(piece.said, piece.language)
        assert not re.search(r"\([a-z]|_\|", heard), (piece.said, heard)


@pytest.mark.parametrize(("language", "text", "_"), LINES)
def test_every_word_said_has_its_place_in_the_text(language: str, text: str, _: str) -> None:
    for piece in read(text, language):
        for word in piece.words:
            assert word.written == text[word.start : word.end]
            assert any(map(str.isalnum, word.written))


def test_no_pause_stands_before_what_goes_on_in_another_language() -> None:
    joined = [(p.language, p.joined) for p in read("Он поёт Shape of You сегодня, да.", "ru")]
    assert joined == [("ru", True), ("en", True), ("ru", False)]
    stopped = [(p.language, p.joined) for p in read("Он поёт: «Shape of You», да.", "ru")]
    assert stopped == [("ru", False), ("en", False), ("ru", False)]


def test_a_language_without_a_voice_is_said_in_the_nearest_letters() -> None:
    found = read("Он сказал: «I will be back», «Менің атым Айгерім».", "ru", spoken=("ru",))
    assert {piece.language for piece in found} == {"ru"}
    words = " ".join(piece.said for piece in found).lower()
    assert "бэк" in words or "бак" in words
    assert "менин атым айгерим" in words
