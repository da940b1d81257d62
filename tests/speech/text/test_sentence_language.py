from __future__ import annotations

import pytest

from app_core.speech.text.reading import Reader


def languages(text: str, spoken: tuple[str, ...] = ("ru", "kk", "en")) -> list[str]:
    return [piece.language for piece in Reader().read(text, "auto", spoken)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Привет! Как дела?", "ru ru"),
        ("Сәлем! Менің атым Данияр.", "kk kk"),
        ("Hello! How are you?", "en en"),
        ("Сәлем! Я живу в городе. I work at a bank.", "kk ru en"),
        ("Қош келдіңіз! Добро пожаловать! Welcome!", "kk ru en"),
        ("Ана нан алды. Мама мыла раму. Mother bought bread.", "kk ru en"),
        ("Балалар мектепке барады. Дети идут в школу.", "kk ru"),
        ("Ертең келем. Мен бара алмаймын. Сен барасың ба?", "kk kk kk"),
        ("Qalaisyz? Men jaqsymyn.", "kk kk"),
        ("Sälem, qalaısyñ?", "kk"),
        ("Купил iPhone 15 в Kaspi. Доволен.", "ru ru"),
        ("Бүгін ауа райы жақсы. OK.", "kk kk"),
        ("12345", "ru"),
    ],
)
def test_each_sentence_is_in_its_own_language(text: str, expected: str) -> None:
    assert languages(text) == expected.split()


def test_a_sentence_is_said_in_a_language_that_has_a_voice() -> None:
    assert languages("Сәлем! Привет! Hello!", ("ru", "en")) == ["ru", "ru", "en"]
    assert languages("Сәлем!", ("en",)) == ["en"]


def test_a_short_sentence_follows_what_came_before_however_long_the_text() -> None:
    text = "Балалар мектепке барады, әжесі үйде қалады. " * 20 + "Нан. " * 3
    assert set(languages(text)) == {"kk"}
