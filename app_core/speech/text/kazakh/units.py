"""Units of measure, percent and degrees, with what they are divided by and their endings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.harmony import ENDING, possessed, with_ending, with_written
from app_core.speech.text.kazakh.numbers import QUANTITY, SCALE, amount
from app_core.speech.text.matching import any_of

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

UNITS = {
    "кг": "килограмм", "kg": "килограмм", "г": "грамм", "гр": "грамм", "g": "грамм",
    "мг": "миллиграмм", "mg": "миллиграмм", "мкг": "микрограмм", "т": "тонна", "ц": "центнер",
    "км": "километр", "km": "километр", "м": "метр", "m": "метр", "дм": "дециметр",
    "см": "сантиметр", "cm": "сантиметр", "мм": "миллиметр", "mm": "миллиметр",
    "мкм": "микрометр", "нм": "нанометр",
    "м²": "шаршы метр", "м2": "шаршы метр", "m²": "шаршы метр", "m2": "шаршы метр",
    "кв.м": "шаршы метр", "кв. м": "шаршы метр", "кв м": "шаршы метр", "ш.м": "шаршы метр",
    "шаршы м": "шаршы метр", "км²": "шаршы километр", "км2": "шаршы километр",
    "шаршы км": "шаршы километр", "см²": "шаршы сантиметр", "см2": "шаршы сантиметр",
    "м³": "текше метр", "м3": "текше метр", "m3": "текше метр", "m³": "текше метр",
    "куб.м": "текше метр", "куб. м": "текше метр", "текше м": "текше метр",
    "км³": "текше километр", "см³": "текше сантиметр", "см3": "текше сантиметр",
    "га": "гектар", "л": "литр", "мл": "миллилитр", "ml": "миллилитр", "дал": "декалитр",
    "сағ": "сағат", "мин": "минут", "сек": "секунд", "с": "секунд", "мс": "миллисекунд",
    "кВт": "киловатт", "МВт": "мегаватт", "ГВт": "гигаватт", "Вт": "ватт",
    "кВт·сағ": "киловатт сағат", "кВт*сағ": "киловатт сағат", "кВт сағ": "киловатт сағат",
    "кВт·ч": "киловатт сағат", "кВт⋅сағ": "киловатт сағат", "кВт-сағ": "киловатт сағат",
    "В": "вольт", "кВ": "киловольт", "А": "ампер", "мА": "миллиампер", "Ом": "ом",
    "мАч": "миллиампер сағат", "мА·сағ": "миллиампер сағат", "mAh": "миллиампер сағат",
    "Гц": "герц", "кГц": "килогерц", "МГц": "мегагерц", "ГГц": "гигагерц", "Hz": "герц",
    "GHz": "гигагерц", "MHz": "мегагерц", "КБ": "килобайт", "Кб": "килобайт", "KB": "килобайт",
    "МБ": "мегабайт", "Мб": "мегабайт", "MB": "мегабайт", "ГБ": "гигабайт", "Гб": "гигабайт",
    "GB": "гигабайт", "ТБ": "терабайт", "Тб": "терабайт", "TB": "терабайт",
    "Кбит": "килобит", "Мбит": "мегабит", "Гбит": "гигабит", "Mbps": "мегабит",
    "ккал": "килокалория", "kcal": "килокалория", "кал": "калория", "Дж": "джоуль",
    "кДж": "килоджоуль", "Па": "паскаль", "кПа": "килопаскаль", "МПа": "мегапаскаль",
    "гПа": "гектопаскаль", "атм": "атмосфера", "Н": "ньютон", "дБ": "децибел",
    "лм": "люмен", "моль": "моль", "ммоль": "миллимоль", "Мп": "мегапиксель", "МП": "мегапиксель",
    "мм сынап бағ": "миллиметр сынап бағанасы",
    "мм рт. ст": "миллиметр сынап бағанасы", "мм рт.ст": "миллиметр сынап бағанасы",
    "мм сын. бағ": "миллиметр сынап бағанасы", "мм с.б": "миллиметр сынап бағанасы",
    "а.к": "ат күші", "а. к": "ат күші", "дн": "дана", "дн.": "дана", "шт": "дана",
    "пг": "пикограмм", "нг": "нанограмм", "мкл": "микролитр", "мкмоль": "микромоль",
    "МЕ": "халықаралық бірлік", "ХБ": "халықаралық бірлік", "Кл": "кулон", "мкКл": "микрокулон",
    "нКл": "нанокулон", "мкФ": "микрофарад", "пФ": "пикофарад", "Гн": "генри", "мГн": "миллигенри",
    "Тл": "тесла", "мТл": "миллитесла", "Вб": "вебер", "эВ": "электронвольт",
    "МэВ": "мегаэлектронвольт", "кН": "килоньютон", "Н·м": "ньютон метр", "Н*м": "ньютон метр",
    "кОм": "килоом", "МОм": "мегаом", "МДж": "мегаджоуль", "мВ": "милливольт", "мВт": "милливатт",
    "мкс": "микросекунд", "дм³": "текше дециметр", "дм²": "шаршы дециметр",
    "мм²": "шаршы миллиметр",
    "мм³": "текше миллиметр", "рад": "радиан", "К": "кельвин", "лк": "люкс", "дптр": "диоптрия",
    "бірл": "бірлік", "апт": "апта",
    "таб": "таблетка", "айн": "айналым", "кадр": "кадр", "рет": "рет", "бар": "бар", "дюйм": "дюйм",
    "п.т": "пайыздық тармақ", "п.п": "пайыздық тармақ",
    "%": "пайыз", "‰": "промилле", "°C": "градус", "°С": "градус", "° C": "градус",
    "° С": "градус", "℃": "градус", "°F": "Фаренгейт градусы", "°": "градус", "ºC": "градус",
    "º": "градус", "°K": "кельвин",
    "ас қ": "ас қасық", "ас қас": "ас қасық", "ш.қ": "шай қасық", "ш. қ": "шай қасық",
    "шай қ": "шай қасық", "ст": "стақан", "пәт": "пәтер",
}  # fmt: skip
"""As written, without a last point: the name."""
_ALSO_DIVIDERS = {
    "ай": "ай", "күн": "күн", "апта": "апта", "жыл": "жыл", "тәулік": "тәулік", "түн": "түн",
    "адам": "адам", "дана": "дана", "сағат": "сағат", "минут": "минут", "ч": "сағат",
    "h": "сағат", "s": "секунд", "кг": "килограмм", "бет": "бет", "сотка": "сотка",
}  # fmt: skip
_SQUARED = {"с²": "секунд квадрат", "с2": "секунд квадрат"}
_DIVIDERS = {**UNITS, **_ALSO_DIVIDERS, **_SQUARED}
_HALVES = frozenset(("сағат", "тонна", "литр", "стақан", "ас қасық", "шай қасық"))
_MANY_SIGNS = frozenset("%‰°º℃")


def alternatives(words: dict[str, str]) -> str:
    """The longest first, so that ``км`` is not ``к`` and an ``м``."""
    return any_of(re.escape(word) for word in sorted(words, key=len, reverse=True))


PER = rf"(?: ?/ ?(?P<per>{alternatives(_DIVIDERS)})(?![\w²³]))?"
_UNIT = re.compile(
    rf"(?P<amount>{QUANTITY}){SCALE} ?(?P<unit>{alternatives(UNITS)})(?<!пәт)"
    rf"(?:(?<=[%‰°º℃CСF])(?=[-–]?[а-яәғқңөұүһі])|(?![\w²³'’])){PER}(?P<dot>\.(?!\d))?"
    rf"(?:(?:[-–'’]|(?<=[%‰°]))(?P<ending>{ENDING}))?"
)
_RATE = re.compile(
    rf"(?P<amount>{QUANTITY}) ?/ ?(?P<per>мин|сағ|сек|күн|апта|ай|жыл|тәулік)(?![\w])"
)
_RATE_OF = re.compile(
    rf"(?P<amount>{QUANTITY}) (?P<of>күн|сағат|сабақ|адам|дана|кісі|соқ|соққы|оқушы|көлік|тапсырыс)"
    r" ?/ ?(?P<per>мин|сағ|сағат|сек|күн|апта|ай|жыл|тәулік)(?![\w])\.?"
)
_BY_WORD = re.compile(
    r"(?:(?<=[а-яёәғқңөұүһі] )|(?<=[а-яёәғқңөұүһі][,:] )|^)"
    r"(?P<unit>кг|км²|км|см²|см|мм|мл|мг|м²|м³|кВт|МВт|ГВт|Вт|ГБ|МБ|ТБ|ГГц"
    rf"|МГц|Гц|ккал|сағ|мин|сек)(?![\w²³/])(?P<dot>\.)?(?:-(?P<ending>{ENDING}))?"
)
_ALONE = re.compile(
    r"(?<![\w/])(?P<unit>км|м|кг|л|тг|теңге|₸)/(?P<per>сағ|ч|с|ай|кг|м²|м2)(?![\w])"
)
_NOT_UNIT = re.compile(
    r" ?(?:сынып|сыныб|корпус|блок|класс|тоб|топ|орын|орн|үй|пәт|каб|бөлме|мектеп|ауд|нұсқа|вариант"
    r"|маршрут|автобус|бағыт|жол|қабат|подъезд|кіреберіс)"
)
_OF_HOUSE = re.compile(
    r"(?:домофон|үй|пәт|көш|кв|офис|кеңсе|каб|орын|нөмір|к-сі|даң|ауд|корпус|блок|бөлме|подъезд"
    r"|сынып|топ)[а-яәғқңөұүһі]*\.?:?,? ?$"
)
"""``үй 47В`` is no house of volts."""
_AREAS = re.compile(
    r"(?<=\d)/(?=(?:\d{1,3}(?:[.,]\d{1,2})?/)?\d{1,3}(?:[.,]\d{1,2})?"
    r" ?(?:[мm][²2]|кв\.? ?м|ш\.? ?м))"
)
"""Of a flat: the whole, to live in, the kitchen."""
_AFTER_POWER = re.compile(
    rf"(?<=дәрежесі )(?P<unit>{alternatives(UNITS)})"
    rf"(?:/(?P<per>{alternatives(_DIVIDERS)}))?(?![\w²³])"
)
_ASKED = {"дейін": "ға", "жуық": "ға", "бастап": "дан", "астам": "дан"}
_ASKING = re.compile(rf" ({'|'.join(_ASKED)})(?![\w])")


def units(text: SpanText) -> SpanText:
    text = text.sub(_AREAS, ", ").sub(_UNIT, _said).sub(_AFTER_POWER, _after_power)
    text = text.sub(_RATE_OF, _rate_of).sub(
        _RATE, lambda m: f"{per(m['per'])} {amount(m['amount'], None)}"
    )
    text = text.sub(_BY_WORD, _by_word)
    names = {**UNITS, "тг": "теңге", "теңге": "теңге", "₸": "теңге"}
    return text.sub(_ALONE, lambda match: f"{per(match['per'])} {names[match['unit']]}")


def per(divider: str) -> str:
    """``сағ`` under a stroke: ``сағатына``."""
    return possessed(with_ending(_DIVIDERS[divider], "possessive"), "ға")


def asked_for(match: re.Match[str]) -> str | None:
    """The ending that a hurried writer left out: ``30 % дейін``."""
    after = _ASKING.match(match.string, match.end())
    return _ASKED[after[1]] if after else None


def full_stop(match: re.Match[str]) -> str:
    """The point of an abbreviation, where it ends a sentence too: ``dot`` is its group."""
    after = match.string[match.end() : match.end() + 2]
    return "." if match["dot"] and (not after.strip(" ") or after[-1].isupper()) else ""


def _rate_of(match: re.Match[str]) -> str:
    of = "соққы" if match["of"] == "соқ" else match["of"]
    return f"{per(match['per'])} {amount(match['amount'], None)} {of}"


def _by_word(match: re.Match[str]) -> str:
    """After a number in words: ``бір кг``."""
    said = UNITS[match["unit"]]
    return (with_written(said, match["ending"]) if match["ending"] else said) + full_stop(match)


def _after_power(match: re.Match[str]) -> str:
    """``10⁸ м/с``, whose number is in words."""
    said = UNITS[match["unit"]]
    return f"{said} {per(match['per'])}" if match["per"] else said


def _said(match: re.Match[str]) -> str | None:
    unit = match["unit"]
    if len(unit) == 1 and unit not in _MANY_SIGNS:
        if unit.isupper() and _NOT_UNIT.match(match.string, match.end()):
            return None
        if unit.isupper() and match.string.startswith(")", match.end()):
            before = match.string[max(0, match.start() - 40) : match.start()]
            if before.rfind("(") <= before.rfind(")"):
                return None  # an answer to choose: "A) 12 B) 15"
        if unit.isupper() and match.string[match.start("unit") - 1].isdecimal():
            before = match.string[max(0, match.start() - 24) : match.start()]
            if unit == "К" or _OF_HOUSE.search(before):
                return None
        if unit == "с" and match["dot"] and match["per"] is None:
            return None
    name = UNITS[unit]
    said = f"{amount(match['amount'], match['scale'], name in _HALVES)} {name}"
    if match["per"]:
        said = f"{per(match['per'])} {said}"
    elif unit == "Mbps":
        said = f"{per('с')} {said}"
    ending = match["ending"] or asked_for(match)
    return (with_written(said, ending) if ending else said) + full_stop(match)
