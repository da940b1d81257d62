"""Short forms that their neighbours tell: ``дс–жм``, ``ағ. тілі``, ``2 бөлм. пәтер``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_WEEKDAYS = {
    "дс": "дүйсенбі", "сс": "сейсенбі", "ср": "сәрсенбі", "бс": "бейсенбі", "жм": "жұма",
    "сб": "сенбі", "жс": "жексенбі",
}  # fmt: skip
_DAY = "(?:" + "|".join(_WEEKDAYS) + ")"
_WIND = re.compile(r"(?<=[Жж]ел )(СБ|СШ|ОБ|ОШ|[СОБШ])(?= \d|[,.;]|$)")
_WINDS = {
    "С": "солтүстік", "О": "оңтүстік", "Б": "батыс", "Ш": "шығыс", "СБ": "солтүстік-батыс",
    "СШ": "солтүстік-шығыс", "ОБ": "оңтүстік-батыс", "ОШ": "оңтүстік-шығыс",
}  # fmt: skip
_WEEK = re.compile(
    rf"(?<![\w-])(?:(?<=\()(?P<alone>{_DAY})(?=[,)])|(?<={_DAY}, )(?P<last>{_DAY})(?=[ .,;)]|$)"
    rf"|(?P<first>{_DAY})\.?(?: ?[-–—] ?(?P<second>{_DAY})\.?|(?=[:,]? ?(?:{_DAY}(?![\w])|\d|сағ)"
    r"| ?[-–—] ?(?:демалыс|жабық)))"
    r"(?![\w]))",
    re.IGNORECASE,
)
_LANGUAGES = {
    "ағ": "ағылшын", "ағыл": "ағылшын", "ағылш": "ағылшын", "қаз": "қазақ", "ор": "орыс",
    "нем": "неміс", "фр": "француз",
}  # fmt: skip
_LANGUAGE = re.compile(
    rf"(?<![\w])(?P<word>{'|'.join(_LANGUAGES)})\.(?= ?(?:тіл|әдеб))|(?<![\w])қаз\.(?= ?тарих)",
    re.IGNORECASE,
)
_STROKED = {
    "ш/а": "шағын ауданы", "т/ж": "темір жол", "а/ж": "автожол", "ж/е": "және", "с/у": "санторап",
    "а/м": "автомобиль", "т/к": "тұрғын кешені", "т/ү": "тұрғын үй", "э/п": "электрондық пошта",
    "м/а": "мөлтек ауданы",
}  # fmt: skip
_STROKE = re.compile(rf"(?<![\w./])(?<![^\W\d]-)(?P<word>{'|'.join(_STROKED)})(?![\w/])")
_AFTER_WORD = re.compile(
    r"(?<=[Дд]ене )шын\.|(?<=[Оо]қу )ж\.(?!\w)|(?<=[Оо]рта )мект?\.|(?<=\d{3}[- ])ауд\."
    r"|(?<=\d )жұм\.(?! ?күн)|(?<!\w)жұм\.(?= ?күн)|(?<=[Сс]олт\.-)бат\.|(?<=[Оо]ңт\.-)бат\."
)
_AFTER_WORDS = {"ш": "шынықтыру", "ж": "жылы", "м": "мектеп", "б": "батыс", "а": "аудитория"}
_ROOMS = re.compile(
    r"(?<=\d)[- ]?(?:(?:бөлм|комн)\.|бөл\.(?= ?(?:пәт|кв|үй))|к\.(?= ?(?:пәт|кв)))(?!\w)"
)
_THOUSANDS = re.compile(r"(?<=\d) ?тыс\.?(?= [а-яёәғқңөұүһі$€₸₽])")


def shortenings(text: SpanText) -> SpanText:
    """Before anything takes their points for ends and their strokes for division."""
    text = text.sub(_WIND, lambda match: _WINDS[match[1]])
    text = text.sub(_LANGUAGE, _language).sub(_STROKE, lambda match: _STROKED[match["word"]])
    text = text.sub(_AFTER_WORD, _after_word)
    return text.sub(_ROOMS, "-бөлмелі").sub(_THOUSANDS, " мың").sub(_WEEK, _week)


def _after_word(match: re.Match[str]) -> str:
    if match.group() == "жұм.":
        return (
            "жұмыс"
            if match.string[match.end() : match.end() + 4].strip().startswith("күн")
            else "жұмыртқа"
        )
    return _AFTER_WORDS[match.group()[0]]


def _language(match: re.Match[str]) -> str:
    """``қаз. тілі``, but ``Қаз. тарихы``."""
    if not match["word"]:
        return "Қазақстан"
    said = _LANGUAGES[match["word"].lower()]
    return said.capitalize() if match["word"][0].isupper() else said


def _week(match: re.Match[str]) -> str:
    days = [_WEEKDAYS[day.lower()] for day in match.groups() if day]
    return " ".join(days)
