"""Doses, recipes, rates, adjectives of per cent: amounts in a form of their own."""

from __future__ import annotations

import re

from app_core.speech.text.russian.amounts import currencies, units
from app_core.speech.text.russian.grammar.government import before_word
from app_core.speech.text.russian.grammar.noun import Noun
from app_core.speech.text.russian.suffixes import joined
from app_core.speech.text.span_text import SpanText

_PERCENT_ADJECTIVE = re.compile(r"(?<![\d,])(\d++)(?P<half>,5)? ?%-?(?P<end>н?[а-яё]{1,3})(?!\w)")
_THOUSANDS = re.compile(r"(?<=\d) ?т\. ?(?=(?:р|руб|тг|тенге)(?!\w))")
_SPOON = re.compile(r"(?<!\w)(ст|ч|дес)\. ?(ложк[аиеу]|ложек)(?!\w)")
_SPOONS = {"ст": "столов", "ч": "чайн", "дес": "десертн"}
_SPOON_ENDINGS = {"ложка": "ая", "ложку": "ую", "ложки": "ые", "ложек": "ых"}
_TIMES_A = re.compile(
    r"(?<![\w.,])(\d{1,2}(?:[-–]\d{1,2})?) ?р\.? ?(?:/|в) ?(день|д|сутки|сут|нед|неделю)(?!\w)\.?"
)
_WITH_DISCOUNT = re.compile(
    r"(?<=[сС] )(\d{1,3}) ?%(?= (?:скидкой|предоплатой|надбавкой|гарантией))"
)
_INCHES = re.compile(r"(?<![\w.,])(\d{1,3}(?:[.,]\d{1,2})?)(?:[″”]|''|\"(?=[, .)]|$))")
_FEVER = re.compile(r"(?<!\w)[tтT]°?:? ?(?=3[5-9][.,]\d|4[01][.,]\d|тела|воздуха|воды)")
_STRENGTH = re.compile(r"(?<=\d) ?(мг|мл|г|кг|ЕД|МЕ|мкг|ккал|кал|кДж) ?/ ?(?=\d)")
_MINUTES = re.compile(r"(?<=\d ч )(\d{1,2}) ?м(?![\w²³])")
_PRICE_OF = re.compile(r"(?<=\d) ?(тг|тенге|₸|руб|₽) ?/ ?(?=\d)")
_AFTER_POWER = re.compile(
    rf"(?:(?<=степени )|(?<=\d[⁰¹²³⁴⁵⁶⁷⁸⁹] )|(?<=[⁰¹²³⁴⁵⁶⁷⁸⁹⁻][⁰¹²³⁴⁵⁶⁷⁸⁹] ))"
    rf"(?P<unit>{units.PATTERN})(?!\w)"
)
_GLASS = re.compile(
    r"(?<=[\d½¼¾]) ?ст\.? (?=сахар|мук|молок|вод|рис|сметан|кефир|греч|сливок|масл|орех|изюм"
    r"|ягод|чая|сока|бульон|горох|фасол|овсян|мёд|мед)"
)
_RATE_OF_MONEY = re.compile(r"(?<!\w)(USD|EUR|RUB|KZT|CNY|GBP) ?/ ?(USD|EUR|RUB|KZT|CNY|GBP)(?!\w)")


def portions(text: SpanText) -> SpanText:
    """``200 мг/5 мл``, ``2 р/день``, ``1 ст. сахара``, ``USD/KZT``, ``5%-ный``."""
    text = text.sub(_FEVER, "температура ").sub(_STRENGTH, lambda match: f" {match[1]} на ")
    text = text.sub(_MINUTES, lambda match: f"{match[1]} мин")
    text = text.sub(_PRICE_OF, lambda match: f" {match[1]} за ").sub(_GLASS, " стак. ")
    text = text.sub(_AFTER_POWER, _after_power).sub(_RATE_OF_MONEY, _rate_of_money)
    text = text.sub(_INCHES, _inches).sub(_THOUSANDS, " тыс. ")
    text = text.sub(_A_YEAR, " годовых").sub(_LEAST, _least)
    text = text.sub(_SPOON, _spoon).sub(_TIMES_A, _times_a)
    text = text.sub(_WITH_DISCOUNT, _with_discount)
    return text.sub(_PERCENT_ADJECTIVE, _percent_adjective)


def _inches(match: re.Match[str]) -> str | None:
    if match.string[: match.start()].count('"') % 2:
        return None
    return f"{match[1]} дюйм"


def _after_power(match: re.Match[str]) -> str | None:
    """``3·10⁸ м/с``"""
    noun = units.unit(match["unit"].strip())
    return noun.form("gent", plural=True) if noun else None


def _rate_of_money(match: re.Match[str]) -> str:
    """``USD/KZT``"""
    first, second = (currencies.currency(name).noun for name in match.groups())
    case = "gent" if before_word(match.string, match.start()).startswith("курс") else "nomn"
    return f"{first.form(case)} к {second.form('datv')}"


_A_YEAR = re.compile(r"(?<=%) ?год\.(?=[ ,;)]|$)")
_LEAST = re.compile(r"(?<!\d)(?<!\d )(?<!\w)(?P<which>мин|макс)(?:\. ?| )(?=\d)")


def _least(match: re.Match[str]) -> str:
    return {"мин": "минимум ", "макс": "максимум "}[match["which"]]


def _spoon(match: re.Match[str]) -> str:
    return f"{_SPOONS[match[1]]}{_SPOON_ENDINGS.get(match[2], 'ой')} {match[2]}"


def _times_a(match: re.Match[str]) -> str:
    rate = {"д": "в день", "неделю": "в неделю"}.get(match[2]) or currencies.RATES[match[2]]
    last = int(re.split("[-–]", match[1])[-1])
    return f"{match[1]} {Noun('раз', many='раз').after(last, 'nomn')} {rate}"


def _with_discount(match: re.Match[str]) -> str:
    return f"{joined(int(match[1]))}процентной"


def _percent_adjective(match: re.Match[str]) -> str | None:
    ending = match["end"] if match["end"].startswith("н") else "н" + match["end"]
    if ending[1:] not in {"й", "я", "е", "го", "му", "м", "х", "ый", "ая", "ое", "ые", "ой", "ую"}:
        return None
    full = {"й": "ый", "я": "ая", "е": "ое", "го": "ого", "му": "ому", "м": "ом", "х": "ых"}
    number = joined(int(match[1])) + "споловиной" * (match["half"] is not None)
    return f"{number}процентн{full.get(ending[1:], ending[1:])}"
