"""Nouns cut short before a name or a number: streets, houses, cities, figures, pages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app_core.speech.text.matching import any_of
from app_core.speech.text.russian.grammar.government import ANY, before_word, case_of_noun, governed
from app_core.speech.text.russian.grammar.morphology import forms, inflect, is_place
from app_core.speech.text.russian.grammar.numbers import ordinal
from app_core.speech.text.span_text import SpanText


@dataclass(frozen=True, slots=True)
class _Place:
    noun: str
    follows: str
    """What must stand next: a name (N), a number (1), anything (*)."""
    point: bool = True
    """Whether it is written with a point."""


_PLACES: tuple[tuple[str, _Place], ...] = (
    ("ул", _Place("улица", "*")),
    ("просп", _Place("проспект", "*")),
    ("пр", _Place("проспект", "N")),
    ("пер", _Place("переулок", "N")),
    ("бул", _Place("бульвар", "*")),
    ("наб", _Place("набережная", "*")),
    ("пл", _Place("площадь", "*")),
    ("ш", _Place("шоссе", "*")),
    ("мкр", _Place("микрорайон", "*")),
    ("мкрн", _Place("микрорайон", "*")),
    ("г", _Place("город", "N")),
    ("гор", _Place("город", "N")),
    ("с", _Place("село", "N")),
    ("пос", _Place("посёлок", "*")),
    ("п", _Place("посёлок", "N")),
    ("дер", _Place("деревня", "N")),
    ("ст", _Place("станция", "N")),
    ("оз", _Place("озеро", "N")),
    ("р", _Place("река", "N")),
    ("р", _Place("размер", "1")),
    ("вдхр", _Place("водохранилище", "*")),
    ("уг", _Place("угол", "*")),
    ("о", _Place("остров", "N")),
    ("обл", _Place("область", "*")),
    ("респ", _Place("республика", "*")),
    ("д", _Place("дом", "1")),
    ("кв", _Place("квартира", "1")),
    ("корп", _Place("корпус", "*")),
    ("к", _Place("корпус", "1")),
    ("стр", _Place("страница", "1")),
    ("с", _Place("страница", "1")),
    ("оф", _Place("офис", "*")),
    ("каб", _Place("кабинет", "*")),
    ("ауд", _Place("аудитория", "1")),
    ("под", _Place("подъезд", "1")),
    ("подъезд", _Place("подъезд", "1")),
    ("эт", _Place("этаж", "*")),
    ("вл", _Place("владение", "1")),
    ("уч", _Place("участок", "1")),
    ("зд", _Place("здание", "1")),
    ("бл", _Place("блок", "1")),
    ("секц", _Place("секция", "*")),
    ("пав", _Place("павильон", "1")),
    ("рис", _Place("рисунок", "*")),
    ("табл", _Place("таблица", "*")),
    ("абз", _Place("абзац", "1")),
    ("гл", _Place("глава", "1")),
    ("помещ", _Place("помещение", "*")),
    ("пав", _Place("павильон", "*")),
    ("вопр", _Place("вопрос", "1")),
    ("зад", _Place("задание", "1")),
    ("разд", _Place("раздел", "*")),
    ("ст", _Place("статья", "1")),
    ("п", _Place("пункт", "1")),
    ("пп", _Place("подпункт", "1")),
    ("подп", _Place("подпункт", "1")),
    ("ч", _Place("часть", "1")),
    ("т", _Place("том", "1")),
    ("вып", _Place("выпуск", "1")),
    ("прил", _Place("приложение", "*")),
    ("упр", _Place("упражнение", "1")),
    ("гр", _Place("группа", "1")),
    ("кл", _Place("класс", "1")),
    ("каф", _Place("кафедра", "*")),
    ("фак", _Place("факультет", "*")),
    ("тел", _Place("телефон", "*")),
    ("моб", _Place("мобильный", "*")),
    ("ост", _Place("остановка", "*")),
    ("гост", _Place("гостиница", "N")),
    ("маг", _Place("магазин", "*")),
    ("стр", _Place("строение", "*")),
    ("мин", _Place("минута", "-")),
)
_HYPHENED = {
    "пр-т": ("проспект", "nomn"),
    "пр-та": ("проспект", "gent"),
    "пр-ту": ("проспект", "datv"),
    "пр-те": ("проспект", "loct"),
    "пр-кт": ("проспект", "nomn"),
    "пр-кта": ("проспект", "gent"),
    "пр-кте": ("проспект", "loct"),
    "мкр-н": ("микрорайон", "nomn"),
    "мкр-на": ("микрорайон", "gent"),
    "мкр-не": ("микрорайон", "loct"),
    "мкр-он": ("микрорайон", "nomn"),
    "м-н": ("микрорайон", "nomn"),
    "р-н": ("район", "nomn"),
    "р-он": ("район", "nomn"),
    "р-на": ("район", "gent"),
    "р-ну": ("район", "datv"),
    "р-не": ("район", "loct"),
    "р-ном": ("район", "ablt"),
    "б-р": ("бульвар", "nomn"),
    "б-ра": ("бульвар", "gent"),
    "б-ре": ("бульвар", "loct"),
    "ул-ца": ("улица", "nomn"),
    "р-р": ("размер", "nomn"),
    "кв-л": ("квартал", "nomn"),
    "кв-ла": ("квартал", "gent"),
    "п-т": ("проспект", "nomn"),
}
_NAMES = sorted({name for name, _ in _PLACES}, key=len, reverse=True)
_ANY_HYPHENED = any_of(sorted(_HYPHENED, key=len, reverse=True), any_case=True)
_WRITTEN = re.compile(
    rf"(?<![\w.-])(?P<name>{any_of(_NAMES, any_case=True)})(?P<point>\.) ?(?=[\w«\"№:\d]|$|\n|,)"
)
_CLAUSE = re.compile(
    r"(?<![\w.-])(?P<name>(?i:пп?|подп|ст|ч|гл|разд|рис|табл|прил))(?P<point>\.) ?"
    r"(?=\d{1,3}(?:\.\d{1,3}){2})"
)
_UNDER = re.compile(r"(?<=\d )пп\. ?(?=\d)")
_POINTLESS = re.compile(
    r"(?<![\w.-])(?P<name>мкр|ул|обл|кв|тел|пгт|оф|каб|корп|эт|д|рис|табл)(?= "
    r"(?:[А-ЯЁӘҒҚҢӨҰҮҺІ«]|№? ?\d)|:)"
)
_HYPHEN = re.compile(rf"(?<![\w.-])(?P<name>{_ANY_HYPHENED})(?![\w-])")
_AFTER_NUMBER = re.compile(
    r"(?<![\w.,])(?P<number>\d{1,3})(?:-?й)? ?(?P<name>мкр|эт|кл|под|каб|мкр-н|корп|подъезд(?=\.))"
    r"(?!\w)(?P<point>\.(?= ?[,а-яё\d)]))?"
)
_AREA = re.compile(r"(?<=[а-яё] )(?P<name>обл|р-н)(?!\w)(?P<point>\.(?=,| ?[а-яё]|$))?")
_STREET_HOUSE = re.compile(
    r"(?P<word>(?:дом|дома|доме|корпус|здание|улица|улице|улицы|проспект|проспекте"
    r"|[А-ЯЁӘҒҚҢӨҰҮҺІ][а-яёәғқңөұүһі]+),? ?)(?P<a>\d{1,4})[/](?P<b>\d{1,4})(?!\w|/|[.,]\d)"
)
_KNOWN_AS_PLURAL = re.compile(r" ?\d+ ?(?:[-–—] ?|, ?(?=\d+(?:[.,;)]|$| и )))\d")


_QUARTERS = {"с": "северный", "ю": "южный", "в": "восточный", "з": "западный"}
_QUARTERS |= {"св": "северо-восточный", "сз": "северо-западный"}
_QUARTERS |= {"юв": "юго-восточный", "юз": "юго-западный"}
_WIND = re.compile(
    r"(?<=[Вв]ет)(?P<wind>ер|ра|ром) (?P<from>[СЮВЗ]|[СЮ]-?[ВЗ]|[сю]\.-?[вз]\.?|[сювз]\.)(?!\w)"
)


def _wind(match: re.Match[str]) -> str:
    name = re.sub(r"\W", "", match["from"]).lower()
    case = {"ер": "nomn", "ра": "gent"}.get(match["wind"], "ablt")
    return f"{match['wind']} {_compass(name, case)}"


def _compass(name: str, case: str) -> str:
    *first, last = _QUARTERS[name].split("-")
    return "-".join([*first, inflect(last, case)])


_METRO = re.compile(r"(?<!\w)ст\. ?м\.(?: ?метро)?")


def _metro(match: re.Match[str]) -> str:
    return inflect("станция", case_of_noun(match.string, match.start())) + " метро"


def clauses(text: SpanText) -> SpanText:
    """``п. 3.4.2``, before its number is read, and ``п. 2 пп. 3``."""
    return text.sub(_CLAUSE, _place).sub(_UNDER, "подпункт ")


def addresses(text: SpanText) -> SpanText:
    text = (
        text.sub(_WIND, _wind)
        .sub(_METRO, _metro)
        .sub(_AREA, _area)
        .sub(_AFTER_NUMBER, _after_number)
        .sub(_HYPHEN, _hyphen)
    )
    text = text.sub(_WRITTEN, _place).sub(_POINTLESS, _place)
    return text.sub(_STREET_HOUSE, lambda match: f"{match['word']}{match['a']} дробь {match['b']}")


def _place(match: re.Match[str]) -> str | None:
    text, end = match.string, match.end()
    rest = text[end : end + 8].lstrip(' «"')
    rest = rest.removeprefix("№").removeprefix("номер").lstrip()
    kind = "1" if rest[:1].isdecimal() else "N" if rest[:1].isupper() else ""
    name = match["name"]
    pointed = match.groupdict().get("point") is not None
    for written, place in _PLACES:
        if written != name.lower() or place.follows not in (kind, "*"):
            continue
        if len(name) == 1 and name.isupper():
            following = re.match(r"[\w-]+", rest)
            if not (name == "Г" and following and is_place(following[0].lower())):
                return None  # an initial
        if place.follows == "*" and not kind and len(written) < 3 and rest[:1] not in (":", ""):
            if not rest[:1].islower():
                return None
        noun = place.noun
        if (
            noun == "страница"
            and name.lower() == "стр"
            and re.search(r"дом \w+, $", text[: match.start()])
        ):
            noun = "строение"
        case = case_of_noun(text, match.start())
        if (
            case == "nomn"
            and noun in ("город", "село", "посёлок", "район")
            and _is_noun(before_word(text, match.start()))
        ):
            case = "gent"
        if noun in ("телефон", "мобильный") and case not in ("datv", "gent"):
            case = "nomn"
        plural = (
            kind == "1"
            and place.noun not in ("дом", "корпус", "размер")
            and bool(_KNOWN_AS_PLURAL.match(text, end))
        )
        said = inflect(noun, case, plural)
        if name[0].isupper():
            said = said[0].upper() + said[1:]
        return said + (
            " " if kind or rest[:1].isalpha() else "" if not pointed or rest[:1] else "."
        )
    return None


def _is_noun(word: str) -> bool:
    """Whether ``word`` stands before a city as its ruler or street does: ``акимат г. Алматы``."""
    ways = forms(word) if word else ()
    return bool(ways) and ways[0].part == "NOUN" and not ways[0].fixed


def _hyphen(match: re.Match[str]) -> str:
    noun, case = _HYPHENED[match["name"].lower()]
    counted = match.string[: match.start()].rstrip()[-1:].isdecimal()
    if (
        noun == "размер"
        and not counted
        and re.match(r" [а-яё]{4}", match.string[match.end() : match.end() + 5])
    ):
        noun = "раствор"
    text = match.string
    if case == "nomn":
        before = before_word(text, match.start())
        adjective = _adjective_case(before)
        case = adjective or case_of_noun(text, match.start())
    return inflect(noun, case)


def _adjective_case(word: str) -> str | None:
    for form in forms(word):
        if form.part == "ADJF" and not form.plural:
            return form.case
    return None


def _area(match: re.Match[str]) -> str:
    noun = {"обл": "область", "р-н": "район"}[match["name"]]
    word = before_word(match.string, match.start())
    ways = [form for form in forms(word) if form.part == "ADJF" and not form.plural]
    gender = "femn" if noun == "область" else "masc"
    cases = governed(match.string, match.start() - len(word) - 1)
    ways = [form for form in ways if form.gender == gender] or ways
    way = next((f for c in cases for f in ways if f.case == c), ways[0] if ways else None)
    tail = "." if match["point"] and match.end() == len(match.string) else ""
    return inflect(noun, way.case if way else "nomn") + tail


def _after_number(match: re.Match[str]) -> str:
    """``5 эт.``: on the fifth floor; ``на 3 эт.``."""
    nouns = {"мкр": "микрорайон", "эт": "этаж", "кл": "класс", "под": "подъезд", "каб": "кабинет"}
    nouns |= {"подъезд": "подъезд"}
    nouns |= {"мкр-н": "микрорайон", "корп": "корпус"}
    cases = governed(match.string, match.start())
    case = "nomn" if cases is ANY else "loct" if "loct" in cases else cases[0]
    noun = nouns[match["name"]]
    return f"{ordinal(int(match['number']), case)} {inflect(noun, case)}"
