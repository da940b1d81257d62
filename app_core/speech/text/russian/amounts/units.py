"""Units of measure: how they are written and what they are called."""

from __future__ import annotations

import re

from app_core.speech.text.matching import any_of
from app_core.speech.text.russian.grammar.noun import Noun

_METRE, _KILOMETRE, _CENTIMETRE = Noun("метр"), Noun("километр"), Noun("сантиметр")
_GRAM, _KILOGRAM, _HOUR, _SECOND = (
    Noun("грамм"),
    Noun("килограмм"),
    Noun("час"),
    Noun("секунда", "femn"),
)
_TABLE: dict[str, Noun] = {
    "кг": _KILOGRAM,
    "kg": _KILOGRAM,
    "гр": _GRAM,
    "г": _GRAM,
    "мг": Noun("миллиграмм"),
    "мкг": Noun("микрограмм"),
    "т": Noun("тонна", "femn"),
    "ц": Noun("центнер"),
    "км": _KILOMETRE,
    "km": _KILOMETRE,
    "м": _METRE,
    "см": _CENTIMETRE,
    "cm": _CENTIMETRE,
    "мм": Noun("миллиметр"),
    "mm": Noun("миллиметр"),
    "мкм": Noun("микрометр"),
    "нм": Noun("нанометр"),
    "дм": Noun("дециметр"),
    "п.м": Noun("погонный метр"),
    "м.п": Noun("погонный метр"),
    "пог.м": Noun("погонный метр"),
    "га": Noun("гектар"),
    "л": Noun("литр"),
    "мл": Noun("миллилитр"),
    "дл": Noun("децилитр"),
    "гл": Noun("гектолитр"),
    "ч": _HOUR,
    "час": _HOUR,
    "мин": Noun("минута", "femn"),
    "сек": _SECOND,
    "с": _SECOND,
    "мс": Noun("миллисекунда", "femn"),
    "сут": Noun("сутки", many="суток"),
    "дн": Noun("день"),
    "м/м": Noun("машино-место", "neut"),
    "раб.дн": Noun("рабочий день"),
    "кал.дн": Noun("календарный день"),
    "реб": Noun("ребёнок", many="детей"),
    "посещ": Noun("посещение", "neut"),
    "мес": Noun("месяц"),
    "нед": Noun("неделя", "femn"),
    "км/ч": Noun("километр", rest="в час"),
    "км/час": Noun("километр", rest="в час"),
    "км/с": Noun("километр", rest="в секунду"),
    "м/с": Noun("метр", rest="в секунду"),
    "м/с2": Noun("метр", rest="на секунду в квадрате"),
    "м/сек": Noun("метр", rest="в секунду"),
    "м/мин": Noun("метр", rest="в минуту"),
    "л/мин": Noun("литр", rest="в минуту"),
    "л/ч": Noun("литр", rest="в час"),
    "об/мин": Noun("оборот", rest="в минуту"),
    "уд/мин": Noun("удар", rest="в минуту"),
    "кг/м3": Noun("килограмм", rest="на кубический метр"),
    "г/см3": Noun("грамм", rest="на кубический сантиметр"),
    "кг/м2": Noun("килограмм", rest="на квадратный метр"),
    "г/м2": Noun("грамм", rest="на квадратный метр"),
    "г/л": Noun("грамм", rest="на литр"),
    "мг/л": Noun("миллиграмм", rest="на литр"),
    "мг/кг": Noun("миллиграмм", rest="на килограмм"),
    "мкг/м3": Noun("микрограмм", rest="на кубический метр"),
    "мг/м3": Noun("миллиграмм", rest="на кубический метр"),
    "ммоль/л": Noun("миллимоль", rest="на литр", many="миллимоль"),
    "л/100 км": Noun("литр", rest="на сто километров"),
    "ц/га": Noun("центнер", rest="с гектара"),
    "т/га": Noun("тонна", "femn", "с гектара"),
    "кВт": Noun("киловатт", many="киловатт"),
    "W": Noun("ватт", many="ватт"),
    "МВт": Noun("мегаватт", many="мегаватт"),
    "ГВт": Noun("гигаватт", many="гигаватт"),
    "Вт": Noun("ватт", many="ватт"),
    "кВт*ч": Noun("киловатт-час", many="киловатт-часов"),
    "кВтч": Noun("киловатт-час", many="киловатт-часов"),
    "В": Noun("вольт", many="вольт"),
    "кВ": Noun("киловольт", many="киловольт"),
    "А": Noun("ампер", many="ампер"),
    "А*ч": Noun("ампер-час", many="ампер-часов"),
    "мА*ч": Noun("миллиампер-час", many="миллиампер-часов"),
    "мАч": Noun("миллиампер-час", many="миллиампер-часов"),
    "mAh": Noun("миллиампер-час", many="миллиампер-часов"),
    "К": Noun("кельвин"),
    "Ом": Noun("ом"),
    "Гц": Noun("герц", many="герц"),
    "Hz": Noun("герц", many="герц"),
    "кГц": Noun("килогерц", many="килогерц"),
    "МГц": Noun("мегагерц", many="мегагерц"),
    "ГГц": Noun("гигагерц", many="гигагерц"),
    "GHz": Noun("гигагерц", many="гигагерц"),
    "КБ": Noun("килобайт", many="килобайт"),
    "МБ": Noun("мегабайт", many="мегабайт"),
    "ГБ": Noun("гигабайт", many="гигабайт"),
    "ТБ": Noun("терабайт", many="терабайт"),
    "KB": Noun("килобайт", many="килобайт"),
    "MB": Noun("мегабайт", many="мегабайт"),
    "GB": Noun("гигабайт", many="гигабайт"),
    "TB": Noun("терабайт", many="терабайт"),
    "Кбит/с": Noun("килобит", rest="в секунду", many="килобит"),
    "Мбит/с": Noun("мегабит", rest="в секунду", many="мегабит"),
    "Гбит/с": Noun("гигабит", rest="в секунду", many="гигабит"),
    "Mbps": Noun("мегабит", rest="в секунду", many="мегабит"),
    "МБ/с": Noun("мегабайт", rest="в секунду", many="мегабайт"),
    "Гбит": Noun("гигабит", many="гигабит"),
    "Мбит": Noun("мегабит", many="мегабит"),
    "Мпикс": Noun("мегапиксель"),
    "″": Noun("дюйм"),
    "дюйм": Noun("дюйм"),
    "Кл": Noun("кулон", many="кулон"),
    "Тл": Noun("тесла", fixed=True),
    "Вб": Noun("вебер"),
    "мА": Noun("миллиампер", many="миллиампер"),
    "мкА": Noun("микроампер", many="микроампер"),
    "мВ": Noun("милливольт", many="милливольт"),
    "кОм": Noun("килоом"),
    "МОм": Noun("мегаом"),
    "мкФ": Noun("микрофарад", many="микрофарад"),
    "пФ": Noun("пикофарад", many="пикофарад"),
    "кН": Noun("килоньютон"),
    "МДж": Noun("мегаджоуль"),
    "эВ": Noun("электронвольт", many="электронвольт"),
    "МэВ": Noun("мегаэлектронвольт", many="мегаэлектронвольт"),
    "моль": Noun("моль", "masc", many="моль"),
    "г/моль": Noun("грамм", rest="на моль"),
    "Н/м": Noun("ньютон", rest="на метр"),
    "Дж/кг": Noun("джоуль", rest="на килограмм"),
    "мм/ч": Noun("миллиметр", rest="в час"),
    "мЗв": Noun("миллизиверт"),
    "мкЗв/ч": Noun("микрозиверт", rest="в час"),
    "МЕ": Noun("международная единица", "femn"),
    "к/с": Noun("кадр", rest="в секунду"),
    "fps": Noun("кадр", rest="в секунду"),
    "пт": Noun("пункт"),
    "px": Noun("пиксель"),
    "Па": Noun("паскаль"),
    "кПа": Noun("килопаскаль"),
    "гПа": Noun("гектопаскаль"),
    "МПа": Noun("мегапаскаль"),
    "атм": Noun("атмосфера", "femn"),
    "бар": Noun("бар"),
    "Н": Noun("ньютон"),
    "Дж": Noun("джоуль"),
    "кДж": Noun("килоджоуль"),
    "кал": Noun("калория", "femn"),
    "ккал": Noun("килокалория", "femn"),
    "Гкал": Noun("гигакалория", "femn"),
    "дБ": Noun("децибел", many="децибел"),
    "дб": Noun("децибел", many="децибел"),
    "л.с": Noun("лошадиная сила", "femn"),
    "мм рт.ст": Noun("миллиметр", rest="ртутного столба"),
    "баррелей/сут": Noun("баррель", rest="в сутки"),
    "ст.л": Noun("столовая ложка", "femn"),
    "ч.л": Noun("чайная ложка", "femn"),
    "дес.л": Noun("десертная ложка", "femn"),
    "стр": Noun("страница", "femn"),
    "шт": Noun("штука", "femn"),
    "уп": Noun("упаковка", "femn"),
    "упак": Noun("упаковка", "femn"),
    "пач": Noun("пачка", "femn"),
    "бут": Noun("бутылка", "femn"),
    "таб": Noun("таблетка", "femn"),
    "табл": Noun("таблетка", "femn"),
    "капс": Noun("капсула", "femn"),
    "амп": Noun("ампула", "femn"),
    "фл": Noun("флакон"),
    "рул": Noun("рулон"),
    "компл": Noun("комплект"),
    "кор": Noun("коробка", "femn"),
    "меш": Noun("мешок"),
    "порц": Noun("порция", "femn"),
    "экз": Noun("экземпляр"),
    "ед": Noun("единица", "femn"),
    "чел": Noun("человек", many="человек"),
    "ком": Noun("комната", "femn"),
    "комн": Noun("комната", "femn"),
    "стак": Noun("стакан"),
    "сот": Noun("сотка", "femn"),
    "балл": Noun("балл"),
    "%": Noun("процент"),
    "‰": Noun("промилле", fixed=True),
    "п.п": Noun("процентный пункт"),
    "°": Noun("градус"),
    "°C": Noun("градус", rest="Цельсия"),
    "°с.ш": Noun("градус", rest="северной широты"),
    "°ю.ш": Noun("градус", rest="южной широты"),
    "°в.д": Noun("градус", rest="восточной долготы"),
    "°з.д": Noun("градус", rest="западной долготы"),
    "°F": Noun("градус", rest="по Фаренгейту"),
    "′": Noun("минута", "femn"),
}
for _prefix, _word in (("", "метр"), ("к", "километр"), ("с", "сантиметр"), ("м", "миллиметр")):
    for _power, _kind in (("2", "квадратный"), ("3", "кубический")):
        _TABLE[f"{_prefix}м{_power}"] = Noun(f"{_kind} {_word}")
        _TABLE[f"{('кв', 'куб')[_power == '3']}.{_prefix}м"] = _TABLE[f"{_prefix}м{_power}"]
        _TABLE[f"{_prefix}м.{('кв', 'куб')[_power == '3']}"] = _TABLE[f"{_prefix}м{_power}"]

_SEPARATORS = re.compile(r"[·⋅∙•×-]")
_DROPPED = str.maketrans({" ": "", ".": "", "²": "2", "³": "3", "º": "°", "˚": "°"})


def _key(written: str) -> str:
    """The same for all the ways to write a unit."""
    name = _SEPARATORS.sub("*", written).translate(_DROPPED)
    if len(name) == 1:
        return "м" if name == "m" else name
    return name.lower().replace("с", "c")


_UNITS = {_key(name): noun for name, noun in _TABLE.items()}


_CASED = frozenset("кВ Кл Тл Вб мА мкА мВ кОм МОм мкФ пФ кН эВ МэВ".split())
"""In other letters they are something else: ``5 кл.``, ``в кв. 5``."""


def _written(name: str) -> str:
    """A pattern for ``name``."""
    signs = {
        " ": " ?",
        ".": r"\.? ?",
        "*": "[*·⋅∙•×-]? ?",
        "°": "[°º˚] ?",
        "2": "[2²]",
        "3": "[3³]",
        "/": r"\.? ?/ ?",
        "C": "(?-i:[CС])",
    }
    if len(name) == 1 and name.isalpha():
        return f"(?-i:{'[мm]' if name == 'м' else name})"
    if name in _CASED:
        return f"(?-i:{name})"
    return "".join(signs.get(char, re.escape(char)) for char in name)


PATTERN = any_of(
    ["(?-i:Мп(?!\\w))", *map(_written, sorted(_TABLE, key=len, reverse=True))], any_case=True
)
"""Matches a unit; what may follow is for the user to say."""


def unit(written: str) -> Noun | None:
    """What ``written``, a match of PATTERN, is called."""
    if written == "Мп":
        return _TABLE["Мпикс"]  # "м.п." is another
    return _UNITS.get(_key(written))
