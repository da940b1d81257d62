from __future__ import annotations

import pytest

from app_core.speech.text.names import stress_of_name
from app_core.speech.text.reading import TextReader
from app_core.speech.text.span_text import SpanText
from app_core.speech.text.stress import take
from app_core.speech.voices.espeak import EspeakVoice
from app_core.speech.voices.espeak_spelling import restressed, spelling

ACUTE = "\u0301"


def marked(text: str, language: str = "ru") -> str:
    """What is said, with an acute behind each vowel that is known to be stressed."""
    said = []
    for piece in TextReader().read(text, language):
        chars = list(piece.said)
        for at in piece.stresses:
            chars[at] += ACUTE
        said.append("".join(chars))
    return " ".join(said)


def heard(text: str) -> str:
    pieces = TextReader().read(text, "ru")
    speeches = [speech for piece in pieces for speech in EspeakVoice().speak(piece)]
    return " ".join(p.ipa for speech in speeches for p in speech.phonemes or ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"За{ACUTE}мок на замо{ACUTE}к.", f"За{ACUTE}мок на замо{ACUTE}к."),
        ("З+амок на зам+ок.", f"За{ACUTE}мок на замо{ACUTE}к."),
        ("2+а и а + б", "два плюс а и а плюс б."),
        ("+Озеро и з+амок", f"О{ACUTE}зеро и за{ACUTE}мок."),
        (f"да{ACUTE} и д{ACUTE}ом", "да и дом."),
        (f"Сә{ACUTE}лем", f"Сә{ACUTE}лем."),
    ],
)
def test_marks_of_stress_are_no_part_of_what_is_said(text: str, expected: str) -> None:
    language = "kk" if "ә" in text else "ru"
    assert marked(text, language) == expected


@pytest.mark.parametrize(
    "name",
    "Алматы́ Астана́ Астане́ Шымке́нт Шымке́нте Кызылорда́ Кызылорде́ Атыра́у Караганда́ Караганды́"
    " Павлода́р Павлода́ре Нурсулта́н Нурсулта́ну Айгу́ль Айгу́лью Ерла́ном Аба́я Тока́ева Ауэ́зова"
    " Мусабе́кова Ахметжа́нов Рашидкызы́ Тара́зе Жетысу́ Туркеста́не тенге́ акима́т"
    " Досты́к Балха́ша Актобе́ Костана́я".split(),
)
def test_names_of_kazakhstan_in_every_case(name: str) -> None:
    at = stress_of_name(name.replace(ACUTE, ""))
    assert at is not None
    assert at == name.index(ACUTE) - 1


@pytest.mark.parametrize("word", ["марат", "роза", "Мама", "Замок", "сауле", "и", "Я"])
def test_other_words_are_left_to_the_voice(word: str) -> None:
    assert stress_of_name(word) is None


@pytest.mark.parametrize(
    "text", ["Чай +интернет", "кофе+интернет", "папа+я", "2+а", "а + б", "18+"]
)
def test_a_sum_is_no_mark(text: str) -> None:
    assert take(SpanText.written(text))[0].text == text


def test_a_mark_is_kept_where_the_word_is_written() -> None:
    text, found = take(SpanText.written(f"в з+амке и в за{ACUTE}мке"))
    assert text.text == "в замке и в замке"
    assert sorted(found.values()) == [[("замке", 1)], [("замке", 1)]]


def test_espeak_puts_the_stress_where_it_is_marked() -> None:
    assert restressed("zam'ok", "замок", 1) == "z'AmVk"
    assert restressed("zam'ok", "замок", 3) is None
    assert restressed("j'erlVn_", "Ерлан", 3) == "jirl'An_"
    first, second = heard("З+амок."), heard("Зам+ок.")
    assert first != second
    assert second == heard("Замок.")


def test_words_keep_their_places_beside_respelled_ones() -> None:
    said = "Вот (замок), «замок»-дом и замок."
    at = [said.index("а", start) for start in (said.index("замок"), said.index("«"), 24)]
    text, froms = spelling(said, "ru", at, lambda word: "zam'ok")
    assert text == "Вот  [[z'AmVk]]),  [[z'AmVk]]»-дом и [[z'AmVk]]."
    assert len(froms) == len(text) and froms == sorted(froms)
    assert froms[text.index("дом")] == said.index("дом")
    assert froms[-1] == len(said) - 1


def test_word_events_stay_right_beside_a_mark() -> None:
    text = "Этот з+амок был «з+амок» там."
    pieces = list(TextReader().read(text, "ru"))
    speech = next(EspeakVoice().speak(pieces[0]))
    assert [word.text for word in speech.words] == text.split()
    starts = [word.start_s for word in speech.words]
    assert starts == sorted(starts)


def test_kazakh_says_no_sound_for_the_signs_of_russian() -> None:
    text, froms = spelling("январь объект", "kk", (), lambda word: "")
    assert text == "январ обйект"
    assert [("январь объект")[at] for at in froms] == list("январ объект")
