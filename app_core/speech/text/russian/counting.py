"""Numbers and what they count, or which of it they name: ``2 дочери``, ``в 5 классе``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.russian.grammar.government import (
    ANY,
    before_word,
    case_of_amount,
    governed,
    is_met,
    is_numbered,
    is_object,
    shared_out,
)
from app_core.speech.text.russian.grammar.morphology import Form, forms
from app_core.speech.text.russian.grammar.numbers import (
    cardinal,
    decimal,
    half,
    is_few,
    is_one,
    ordinal,
)

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[-–−+])?(?P<number>\d++)(?:[.,](?P<fraction>\d++))?(?![\w])"
)
_PAIR = re.compile(
    r"(?<![\w.,])(?P<low>\d++)(?:,(?P<fraction>\d{1,3}))?(?P<dash> ?[-–] ?|—)(?=\d++(?![\w.]*\d))"
)
_WORDS = re.compile(r"[ -]?«?([А-Яа-яЁё]+(?:-[а-яё]+)*)»?")
_MOST_WORDS = 3
_NUMBERED = frozenset(
    "размер"
    " класс этаж курс место глава том часть раздел подъезд квартал полугодие семестр четверть тур"
    " раунд этап уровень степень категория группа разряд сезон серия ряд смена микрорайон созыв"
    " половина декада параллель пункт статья подпункт блок вариант урок поколение маршрут юбилей"
    " годовщина век тысячелетие полоса очередь съезд день неделя месяц год час задание упражнение"
    " дом кабинет школа больница поликлиника автобус рейс окно касса павильон"
    " вопрос параграф сорт модуль шаг лекция тема акт линия корпус сектор выпуск позиция".split()
)
_FIRST_TOO = frozenset(
    "класс этаж курс место том подъезд квартал полугодие семестр четверть тур категория степень"
    " половина группа созыв сезон глава микрорайон смена сорт разряд полоса очередь съезд".split()
)
_PUPIL = re.compile(r"^(?:учени|учащ|школьни|студент|учебник|программ|родител|выпускни|воспитанн)")
_FEW_COLLECTIVE = {2: "двое", 3: "трое", 4: "четверо"}
_DAYS_OF_MONTH = re.compile(r"\d{1,2}(?:(?:, | и | или |, и )\d{1,2}){0,3} числа(?!\w)")
_IN_ONE = re.compile(r"\d (?:шт\.? )?в $")
_OBJECT_FIRST = ("accs", "nomn", "gent", "datv", "ablt", "loct")
_LOWER_END = re.compile(
    r"(?:(?<![а-яё])(?:ноль|од[ин]|дв|тр[иеё]|четыр|пят|шест|сем|восем|восьм|девят|десят|одиннадц"
    r"|сорок|ст[оа]|тысяч|миллион|миллиард)[а-яё]{0,14}+ )++— $"
)
"""The words of the lower end of a range."""
_AFTER_ORDINAL = re.compile(r"[ыие][хей]-$|\d(?:, | и )$")
_OF_TWO = re.compile(r"\d+ (?:или|и|до|по) \d+ ([а-яё]+)")
_ADJECTIVAL = ("ый", "ий", "ой", "ая", "ое")
_HALVED = frozenset(
    "стакана стаканов ложки ложек дня дней недели недель миллиона миллиардов миллиарда"
    " таблетки века столетия порции"
    " раза раз часа часов года лет месяца месяцев суток минуты минут тысячи тысяч".split()
)
"""What is counted in halves in speech too."""


def counting(text: SpanText) -> SpanText:
    """Words in place of all numbers that are left."""
    return text.sub(_PAIR, _low_end).sub(_NUMBER, _number)


def _number(match: re.Match[str]) -> str:
    text, at, end = match.string, match.start(), match.end()
    sign = {"+": "плюс ", None: ""}.get(match["sign"], "минус ")
    if match["sign"] and before_word(text, at).isdecimal():
        sign = ""
    written = match["number"]
    if match["fraction"]:
        return sign + _fraction(match)
    if len(written) > 1 and written[0] == "0":
        return sign + _zeros(written)
    number = int(written)
    if _DAYS_OF_MONTH.match(text, at):
        return ordinal(number, "gent", "neut")
    if (
        number == 1
        and "в " in text[max(0, at - 3) : at]
        and _IN_ONE.search(text[max(0, at - 24) : at])
        and not _WORDS.match(text, end)
    ):
        return "одном"
    if end < len(text) and text[end] in ",.;:!?)" or is_numbered(text, at):
        nouns: list[tuple[str, tuple[Form, ...]]] = []
    else:
        nouns = _following(text, end)
    return sign + said(number, nouns, text, at)


def _zeros(written: str) -> str:
    rest = written.lstrip("0")
    zeros = ["ноль"] * (len(written) - len(rest))
    return " ".join([*zeros, cardinal(int(rest))] if rest else zeros)


def _fraction(match: re.Match[str]) -> str:
    text, at = match.string, match.start()
    cases = governed(text, at)
    case = case_of_amount(text, at) if cases is ANY else cases[0]
    before = before_word(text, at)
    if "." in match.group() and (before.isascii() and before.isalpha() or is_numbered(text, at)):
        return f"{cardinal(int(match['number']))} точка {_zeros(match['fraction'])}"
    ahead = _WORDS.match(text, match.end())
    if match["fraction"] == "5" and ahead and ahead[1].lower() in _HALVED:
        gender = next((way.gender for way in forms(ahead[1].lower())), "masc")
        return half(int(match["number"]), case, gender)
    return decimal(int(match["number"]), match["fraction"], case)


_Words = list[tuple[str, tuple[Form, ...]]]


def _following(text: str, at: int) -> _Words:
    """The next words up to the first noun, with the ways to understand each; [] without one."""
    found: _Words = []
    for _ in range(_MOST_WORDS):
        match = _WORDS.match(text, at)
        if match is None or match.group()[0] != " ":
            return []
        word, at = match[1], match.end()
        ways = forms(word.lower())
        adjective = [way for way in ways if way.part in ("ADJF", "PRTF")]
        found.append((word, ways))
        if any(way.part == "NOUN" for way in ways):
            following = _WORDS.match(text, at) if adjective else None
            if following is None or not _agree(adjective, forms(following[1].lower())):
                return found
        elif not adjective:
            return found[:-1]
    return []


def _agree(adjective: list[Form], noun: tuple[Form, ...]) -> bool:
    """Whether what can be a noun is an adjective: ``2 столовые ложки``."""
    shapes = {(way.case, way.plural) for way in adjective}
    return any(
        way.part == "NOUN"
        and (
            (way.case, way.plural) in shapes
            or (way.case == "gent" and {("nomn", True), ("gent", True)} & shapes)
        )
        for way in noun
    )


def said(number: int, nouns: _Words, text: str, at: int) -> str:
    """``number`` in the case and gender of what follows or by the words before it."""
    ranged = "— " in text[max(0, at - 3) : at]
    lower = _LOWER_END.search(text, max(0, at - 80), at) if ranged else None
    cases = shared_out(governed(text, lower.start() if lower else at), number)
    if nouns:
        word, ways = nouns[-1]
        ways = tuple(way for way in ways if way.part == "NOUN") or ways
        for _, adjective in nouns[:-1] if is_one(number) else ():
            shapes = {(way.case, way.plural) for way in adjective}
            ways = tuple(way for way in ways if (way.case, way.plural) in shapes) or ways
        grades = [way for way in ways if way.plural and way.lemma in ("класс", "курс")]
        if grades and _AFTER_ORDINAL.search(text[max(0, at - 24) : at]):
            return ordinal(number, grades[0].case, plural=True)
        things = cases is ANY and not any(way.animate for way in ways)
        living = cases is ANY and is_one(number) and is_met(ways, text, at)
        objects = _OBJECT_FIRST if living or (things and is_object(text, at)) else cases
        counted = _counted(number, ways, objects)
        which = _which(number, word, ways, cases, text, at)
        if which and (counted is None or which[1]):
            return which[0]
        if counted:
            return counted
        for candidates in (cases, ANY):
            for _, shapes_of_word in reversed(nouns):
                if counted := _counted(number, shapes_of_word, candidates):
                    return counted
    case = case_of_amount(text, at) if cases is ANY else cases[0]
    return cardinal(number, case, _gender_ahead(text, at, number))


def _gender_ahead(text: str, at: int, number: int) -> str:
    """Of ``1 или 2 книги``: the gender of what the second number counts."""
    if not (is_one(number) or number % 10 == 2):
        return "masc"
    ahead = _OF_TWO.match(text, at, at + 40)
    if ahead:
        for way in forms(ahead[1]):
            if way.part == "NOUN":
                return way.gender or "masc"
    return "masc"


def _counted(number: int, ways: tuple[Form, ...], cases: tuple[str, ...]) -> str | None:
    """As a count, where the form of the noun allows it."""
    for case in cases:
        for way in ways:
            if way.part not in ("NOUN", "ADJF", "PRTF") or not _fits(number, way, case):
                continue
            if way.only_plural and number in _FEW_COLLECTIVE and case in ("nomn", "accs"):
                return _FEW_COLLECTIVE[number]
            if case == "accs" and way.animate and is_one(number) and way.gender == "masc":
                tens = cardinal(number - 1, "accs") if number > 1 else ""
                return f"{tens} одного".strip()
            return cardinal(number, case, way.gender or "masc")
    return None


def _fits(number: int, way: Form, case: str) -> bool:
    direct = case in ("nomn", "accs")
    if is_one(number):
        return not way.plural and way.case == case and not (way.fixed and case != "nomn")
    if not direct:
        return way.plural and way.case == case
    if way.plural and is_few(number) and way.lemma.endswith(_ADJECTIVAL) and way.case == "gent":
        return True  # nouns that decline as adjectives: два взрослых
    if way.only_plural or way.part != "NOUN":
        return way.plural and way.case == (
            "gent" if way.only_plural or not is_few(number) else way.case
        )
    if is_few(number):
        return not way.plural and way.case == "gent"
    return way.plural and way.case == "gent"


def _which(
    number: int, word: str, ways: tuple[Form, ...], cases: tuple[str, ...], text: str, at: int
) -> tuple[str, bool] | None:
    """As an ordinal, and whether that is meant even where a count is possible."""
    for case in cases:
        for way in ways:
            if way.plural or way.case != case or way.part != "NOUN" or way.fixed or way.animate:
                continue
            oblique = cases is not ANY and case in ("loct", "datv", "ablt") and word.islower()
            if way.lemma not in _NUMBERED and not oblique:
                continue
            if number >= 1000 and way.lemma != "год":
                continue
            pupil = bool(_PUPIL.match(before_word(text, at))) and case == "gent"
            sure = pupil or (is_one(number) and way.lemma in _FIRST_TOO)
            return ordinal(number, case, way.gender or "masc"), sure
    if _PUPIL.match(before_word(text, at)):
        for way in ways:
            if way.case == "gent" and not way.plural and way.lemma in _NUMBERED:
                return ordinal(number, "gent", way.gender), True
    return None


def _low_end(match: re.Match[str]) -> str | None:
    """The first number of a range, in the case and gender of the second."""
    text, at = match.string, match.start()
    second = re.compile(r"\d++").match(text, match.end())
    if second is None or len(match["low"]) > 6:
        return None
    if match["fraction"]:
        cases = governed(text, at)
        case = "nomn" if cases is ANY else cases[0]
        return decimal(int(match["low"]), match["fraction"], case) + " — "
    nouns = _following(text, second.end())
    ways = tuple(w for w in nouns[-1][1] if w.part == "NOUN") if nouns else ()
    grades = [way for way in ways if way.plural and way.lemma in ("класс", "курс")]
    if grades and match["low"] != "0":
        return ordinal(int(match["low"]), grades[0].case, plural=True) + "-"
    cases, gender = governed(text, at), "masc"
    case = "nomn" if cases is ANY else cases[0]
    for candidate in cases:
        fit = [way for way in ways if _fits(int(second.group()), way, candidate)]
        if fit:
            case, gender = candidate, fit[0].gender or "masc"
            break
    else:
        which = nouns and _which(int(second.group()), nouns[-1][0], ways, cases, text, at)
        if which and not cases == ():
            for way in ways:
                if not way.plural and way.case in cases and way.lemma in _NUMBERED:
                    return ordinal(int(match["low"]), way.case, way.gender or "masc") + " — "
    return cardinal(int(match["low"]), case, gender) + " — "
