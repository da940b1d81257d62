"""Signs of arithmetic, fractions, and other signs that are said."""

from __future__ import annotations

import re
import unicodedata

from app_core.speech.text.russian.amounts import units
from app_core.speech.text.russian.equations import FUNCTIONS, GREEKS, VARIABLES
from app_core.speech.text.russian.equations import power as raised
from app_core.speech.text.russian.grammar.government import before_word, case_of_amount
from app_core.speech.text.russian.grammar.noun import Amount
from app_core.speech.text.russian.grammar.numbers import cardinal, ordinal
from app_core.speech.text.span_text import SpanText

_VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅛": "1/8"}
_VULGAR |= {"⅖": "2/5", "⅗": "3/5", "⅘": "4/5", "⅙": "1/6", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8"}
_VULGAR |= {"⅚": "5/6", "⅐": "1/7", "⅑": "1/9", "⅒": "1/10"}
_VULGAR_SIGN = re.compile("(?<=\\d)? ?(?P<sign>[" + "".join(_VULGAR) + "])")
_FRACTION = re.compile(
    r"(?<![\w.,/])(?:(?P<whole>\d{1,3})[ ])?(?P<top>\d{1,3})[/⁄](?P<bottom>\d{1,4})(?![\w/]|[.,]\d)"
    r"(?: ?(?P<unit>" + units.PATTERN + r")(?!\w)(?:\.(?= ?[а-яё,]))?)?"
)
_DIAMETER = re.compile(r"[Øø⌀] ?(?=\d)")
_ABOUT = re.compile(r"[~∼] ?(?=[\d$€₸])")
_DEGREES, _DEGREE_SIGNS = re.compile("[℃℉]"), {"℃": "°C", "℉": "°F"}
_OUT_OF = re.compile(r"(?<=\d[.,]\d) ?/ ?(?=(?:5|10|100)(?! ?[\dА-Яа-яA-Z]))")
_SLASH = re.compile(r"(?<=\d) ?/ ?(?=\d)")
_BY = re.compile(r"(?<=\d)(?: ?(?:см|мм|м))? ?[xх×*] ?(?=\d)(?!10[⁰¹²³⁴-⁹])")
_SEVERAL = re.compile(
    rf"(?<![\w/.,])(\d{{1,4}})/(\d{{1,4}})/(\d{{1,4}})(?= ?(?:{units.PATTERN})(?!\w))"
)
_DIVIDED_AFTER = re.compile(r"(?<=[\d)]) ?: (?=[\d(])")
_STEP = re.compile("шаг|этап|страниц|слайд|вопрос|раунд|урок|сери|попытк|экран|балл|оценк|задани")
_TASK = re.compile("(?i:сколько|вычисл|реши|найди|умнож|произвед|пример)")
_PER_LITRE = re.compile(r"(?<=степени)/(м?л)(?!\w)")
_LITRES = {"л": "литр", "мл": "миллилитр"}
_VARIABLE = re.compile(
    r"(?<![\w.'’-])(?P<name>[A-Za-z])(?P<power>[²³])?(?= ?[=+×÷·⋅∙≤≥≠≈<>]| - |[²³)]? ?[=+])"
    r"|(?<=[=+×÷≤≥≠≈<>·⋅∙] )(?P<name2>[A-Za-z])(?P<power2>[²³])?(?!\w)|(?<=\d|[·⋅∙])"
    r"(?P<name3>[a-zA-Z])(?!\w)"
)
_POWER = re.compile(r"(?<=[\w)])(?P<power>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_OPERAND = r"(?=[-–−±]?\w|[(√±])"
_OPERATORS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\(\+\)"), " плюс "),
    (re.compile(r"\([-−–]\)"), " минус "),
    (re.compile(r" ?± ?"), " плюс-минус "),
    (re.compile(r" ?[≈∼] ?"), " примерно "),
    (re.compile(r" ?≤ ?"), " меньше или равно "),
    (re.compile(r" ?≥ ?"), " больше или равно "),
    (re.compile(r" ?≠ ?"), " не равно "),
    (re.compile(rf"(?<!=) ?=++ ?{_OPERAND}"), " равно "),
    (re.compile(r"(?<=[\w)]) ?= ?\?"), " равно?"),
    (re.compile(r"(?<=[\w)]) ?< ?(?=[\w-])"), " меньше "),
    (re.compile(r"(?<=[\w)]) ?> ?(?=[\w-])"), " больше "),
    (re.compile(r"(?<=[\w)²³»%°]) ?\+ ?(?=[\w(«])"), " плюс "),
    (re.compile(r"(?<=[\w)])\+\+"), " плюс плюс"),
    (re.compile(r"(?<=[\w)])\+(?!\w)"), " плюс"),
    (re.compile(r"(?<=[\w)²³]) ?[×⋅∙·] ?(?=[\w(])"), " умножить на "),
    (re.compile(r"(?<=\d) ?\* ?(?=\d)"), " умножить на "),
    (re.compile(r"(?<=[\w)²³]) ?÷ ?(?=[\w(])"), " разделить на "),
    (re.compile(r"√ ?"), "корень из "),
    (re.compile(r"∞"), " бесконечность "),
    (re.compile(r"π"), " пи "),
    (re.compile(r"§§ ?"), "параграфы "),
    (re.compile(r"§ ?"), "параграф "),
    (re.compile(r"(?<=\S) ?& ?(?=\S)"), " и "),
)
_MINUS = re.compile(r"(?<=[\w)²³] )[-–−] (?=[\w(][^=\n]{0,40}=)")
_MINUS_TIGHT = re.compile(r"(?<=[\d)])[-–−](?=\d+ ?=)")
_DIVIDED = re.compile(r"(?<=\d) ?: ?(?=\d+ ?=)")
_LEFT = re.compile(r"[^\w\s.,!?…:;—–\-'’‘‚‹›\"()«»“”„‟]|_")
_NAMED = {"%": "процентов", "‰": "промилле", "°": "градусов", "$": "долларов", "€": "евро"}
_NAMED |= {"₸": "тенге", "₽": "рублей", "£": "фунтов", "¥": "иен", "№": "номер"}
_SLASH_BETWEEN = re.compile(r"(?<=\w) ?/ ?(?=\w)")
_SPACED_STROKE = re.compile(r"(?<=[\wа-яё²³)]) / (?=[\w(])")
_POWERS = {"²": "в квадрате", "³": "в кубе"}
_FUNCTION = re.compile(
    r"(?<!\w)(sin|cos|tg|ctg|log|lg|ln)(?P<floor>[₀-₉]{0,2}) ?(?=[²³(]|\d|[xyαβ](?!\w)|[xyαβ]?\d)"
)
_BEFORE_ARGUMENT = (
    "плюс минус равно умножить_на разделить_на квадрате кубе синус тангенс логарифм".split()
)
_ARGUMENT = re.compile(
    "(?:"
    + "|".join(f"(?<={word.replace('_', ' ')} )" for word in _BEFORE_ARGUMENT)
    + r")([A-Za-z])(?!\w)"
)
_DIVIDED_UNITS = re.compile(r"(?<=[а-яё]) : (?=[\d(][^=\n]{0,30}=)")
_QUOTIENT = re.compile(r"(?<!\w)([A-Za-z]) ?/ ?([A-Za-z])(?!\w)")
_GREEK = re.compile("(?<!\\w)[" + "".join(GREEKS) + "](?!\\w)")
_PI = re.compile(r"π([A-Za-z]?)(?![A-Za-z])")
_FACTORIAL = re.compile(r"(?<=\d)!(?= ?=)")
_INDEX = re.compile(r"(?<!\w)([A-Za-z])([₀₁₂₃₄₅₆₇₈₉]{1,2})(?!\w)")


def fractions(text: SpanText) -> SpanText:
    """``1/2``, ``½``, ``120/80``, ``24/7``, ``20x30``."""
    text = text.sub(_ABOUT, "примерно ").sub(_DEGREES, lambda match: _DEGREE_SIGNS[match.group()])
    text = text.sub(_DIAMETER, "диаметр ").sub(_VULGAR_SIGN, _vulgar)
    text = text.sub(_SEVERAL, lambda match: ", ".join(match.groups()))
    return text.sub(_FRACTION, _fraction).sub(_OUT_OF, " из ").sub(_SLASH, " дробь ").sub(_BY, _by)


def arithmetic(text: SpanText) -> SpanText:
    """``x + 5 = 10``, while the numbers are still numbers."""
    text = text.sub(_FUNCTION, _function).sub(_INDEX, _index).sub(_SPACED_STROKE, _divided)
    if not re.search(r"\(-\)|[=+×÷±≈≤≥≠<>√⁰¹²³⁴⁵⁶⁷⁸⁹∞παβγδΔεθλμρσΣφωΩηντ§&*·⋅∙∼]", text.text):
        return text
    if "=" in text.text:
        text = text.sub(_DIVIDED_UNITS, " разделить на ")
        text = text.sub(_QUOTIENT, _quotient)
    text = text.sub(_GREEK, lambda match: f" {GREEKS[match.group()]} ")
    text = text.sub(_PI, lambda match: "пи " + VARIABLES.get(match[1].lower(), ""))
    text = text.sub(_FACTORIAL, " факториал").sub(_DIVIDED, " разделить на ")
    if "=" in text.text:
        text = text.sub(_DIVIDED_AFTER, _divided_after)
    text = text.sub(_MINUS, "минус ").sub(_MINUS_TIGHT, " минус ")
    text = text.sub(_VARIABLE, _variable).sub(_POWER, _power)
    text = text.sub(_PER_LITRE, lambda match: f" на {_LITRES[match[1]]}")
    for pattern, said in _OPERATORS:
        text = text.sub(pattern, said)
    return text.sub(_ARGUMENT, lambda match: VARIABLES[match[1].lower()])


def remains(text: SpanText) -> SpanText:
    """Signs that stand alone: those that have a name, and no others."""
    return text.sub(_SLASH_BETWEEN, " ").sub(_LEFT, _left)


def _left(match: re.Match[str]) -> str | None:
    sign = match.group()
    if unicodedata.category(sign)[0] == "M":
        return None  # a vowel sign of another script
    return f" {_NAMED[sign]} " if sign in _NAMED else " "


def _by(match: re.Match[str]) -> str | None:
    """A size, where nothing is worked out."""
    around = match.string[max(0, match.start() - 20) : match.end() + 20]
    if "×" in match.group() and ("=" in around or "?" in around or _TASK.search(around)):
        return None
    unit = match.group().strip(" xх×*")
    return f" {unit} на " if unit else " на "


def _vulgar(match: re.Match[str]) -> str:
    return " " * (match.start() > 0) + _VULGAR[match["sign"]]


def _fraction(match: re.Match[str]) -> str | None:
    whole, top, bottom = match["whole"], int(match["top"]), int(match["bottom"])
    text, at = match.string, match.start()
    if (top, bottom) == (24, 7):
        return "двадцать четыре на семь"
    if top >= 60 and 30 <= bottom <= 150:
        noun = units.unit(match["unit"].strip()) if match["unit"] else None
        return f"{cardinal(top)} на {Amount(bottom).say(noun, 'nomn')}"
    before = before_word(text, at)
    if _STEP.match(before) and top <= bottom and not match["unit"]:
        return f"{cardinal(top)} из {cardinal(bottom, 'gent')}"
    if top == bottom and top in (5, 10):
        return f"{cardinal(top)} из {cardinal(bottom, 'gent')}"
    if top == bottom or before.startswith("график") or "рафик" in text[max(0, at - 20) : at]:
        rest = f" {match['unit']}" if match["unit"] else ""
        if rest and not before.startswith("график"):
            return None
        return f"{cardinal(top)} на {cardinal(bottom)}{rest}"
    small = 1 <= top < bottom and bottom in (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 100, 1000)
    if not small or before in ("дом", "доме", "квартира", "корпус", "номер"):
        return None
    case = case_of_amount(text, at)
    said = f"{cardinal(top, case, 'femn')} " + (
        ordinal(bottom, case, "femn")
        if top % 10 == 1 and top != 11
        else ordinal(bottom, "gent" if case in ("nomn", "accs") else case, plural=True)
    )
    if match["unit"]:
        noun = units.unit(match["unit"].strip())
        said += f" {noun.form('gent')}" if noun else f" {match['unit']}"
    if whole:
        return f"{cardinal(int(whole), case, 'femn')} {'целая' if whole == '1' else 'целых'} {said}"
    return said


def _divided(match: re.Match[str]) -> str | None:
    around = match.string[max(0, match.start() - 60) : match.end() + 60]
    return " разделить на " if "=" in around or "равно" in around else None


def _divided_after(match: re.Match[str]) -> str | None:
    """``x = (4 + 5) : 3``"""
    before = match.string[max(0, match.start() - 40) : match.start()].rpartition("=")
    return " разделить на " if before[1] and not re.search("[а-яё]", before[2]) else None


def _function(match: re.Match[str]) -> str:
    name = FUNCTIONS[match[1]]
    if match["floor"]:
        floor = "".join(str("₀₁₂₃₄₅₆₇₈₉".index(char)) for char in match["floor"])
        return f"{name} по основанию {floor} "
    return name if match.string[match.end() : match.end() + 1] in "²³" else name + " "


def _quotient(match: re.Match[str]) -> str:
    return f"{VARIABLES[match[1].lower()]} разделить на {VARIABLES[match[2].lower()]}"


def _index(match: re.Match[str]) -> str:
    number = int("".join(str("₀₁₂₃₄₅₆₇₈₉".index(char)) for char in match[2]))
    return f"{VARIABLES[match[1].lower()]} {cardinal(number)}"


def _variable(match: re.Match[str]) -> str | None:
    name = match["name"] or match["name2"] or match["name3"]
    power = match["power"] or match["power2"]
    said = VARIABLES[name.lower()]
    if match["name3"]:
        return " " + said
    return f"{said} {_POWERS[power]}" if power else said


def _power(match: re.Match[str]) -> str:
    sign = match["power"]
    if sign in _POWERS:
        return f" {_POWERS[sign]}" + " " * match.string[match.end() : match.end() + 1].isalnum()
    return f" {raised(sign)}"


__all__ = ["arithmetic", "fractions", "remains"]
