from __future__ import annotations

import pytest

from app_core.speech.text.reading import TextReader


def languages(text: str, spoken: tuple[str, ...] = ("ru", "kk", "en")) -> list[str]:
    return [piece.language for piece in TextReader().read(text, "auto", spoken)]


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
        ("α. 你好! x + 5 = 10. Рахмет!", "kk kk kk"),
        ("Hello, Асель! Как твои дела?", "en ru"),
        ("Скажи «сәлем» по-русски.", "ru"),
        ("Нұрсұлтан Әбішұлы Назарбаев — первый президент.", "ru"),
        ("Кешіріңіз, не деп тұрсыз? Я не понял.", "kk ru"),
        ("Ақша аудару: 1%. Комиссия за перевод 1%.", "kk ru"),
        ("iPhone 15 pro max 256 gb сатылады.", "kk"),
        ("Жиналыс 10:00-де. Собрание в 10:00.", "kk ru"),
        ("Цена 10 000 тенге. Бағасы 10 000 теңге. Price 10,000 tenge.", "ru kk en"),
        ("Принтер новый. 31 желтоқсан. Годы летят.", "ru kk ru"),
        ("Проф. Ахметов пен акад. Сәтбаев келді.", "kk"),
        ("1) Сәлемдеме дайын. 2) Заказ готов. 3) Order ready.", "kk ru en"),
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
