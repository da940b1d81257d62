"""Currencies: how they are written and what they are called."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app_core.speech.text.matching import any_of
from app_core.speech.text.russian.grammar.noun import Noun


@dataclass(frozen=True, slots=True)
class Currency:
    noun: Noun
    minor: Noun | None = None
    """A hundredth of it, where one is spoken of."""


_CENT, _KOPECK = Noun("цент"), Noun("копейка", "femn")
TENGE = Currency(Noun("тенге", fixed=True), Noun("тиын"))
_DOLLAR = Currency(Noun("доллар"), _CENT)
_WRITTEN = (
    ("₸ тг тнг тңг тенге теңге kzt", TENGE),
    ("₽ руб р rub rur", Currency(Noun("рубль"), _KOPECK)),
    ("$ us$ usd долл дол", _DOLLAR),
    ("€ eur евро", Currency(Noun("евро", fixed=True), _CENT)),
    ("£ gbp", Currency(Noun("фунт", rest="стерлингов"), Noun("пенс"))),
    ("cny rmb", Currency(Noun("юань"))),
    ("¥ jpy", Currency(Noun("иена", "femn"))),
    ("₴ uah грн", Currency(Noun("гривна", "femn", many="гривен"), _KOPECK)),
    ("₺ try", Currency(Noun("лира", "femn"))),
    ("kgs", Currency(Noun("сом"))),
    ("uzs", Currency(Noun("сум"))),
    ("byn", Currency(Noun("рубль"), _KOPECK)),
    ("aed", Currency(Noun("дирхам"))),
    ("chf", Currency(Noun("франк"))),
    ("₿ btc", Currency(Noun("биткоин"))),
    ("₩ krw", Currency(Noun("вона", "femn"))),
    ("₹ inr", Currency(Noun("рупия", "femn"))),
    ("¢", Currency(_CENT)),
    ("коп", Currency(_KOPECK)),
    ("тиын", Currency(Noun("тиын"))),
)
_CURRENCIES = {name: currency for names, currency in _WRITTEN for name in names.split()}
_SIGNS = sorted(_CURRENCIES, key=len, reverse=True)
AFTER = any_of(map(re.escape, _SIGNS), any_case=True)
"""A currency as it stands after an amount."""
BEFORE = any_of(
    (re.escape(name) for name in _SIGNS if not name[0].isalpha() or name.isascii()), any_case=True
)
"""A currency as it stands before an amount."""


RATES = {
    "кг": "за килограмм",
    "г": "за грамм",
    "т": "за тонну",
    "л": "за литр",
    "м": "за метр",
    "м2": "за квадратный метр",
    "м²": "за квадратный метр",
    "кв.м": "за квадратный метр",
    "м3": "за кубический метр",
    "м³": "за кубический метр",
    "км": "за километр",
    "сотка": "за сотку",
    "га": "за гектар",
    "шт": "за штуку",
    "уп": "за упаковку",
    "ед": "за единицу",
    "кВт·ч": "за киловатт-час",
    "кВт*ч": "за киловатт-час",
    "кВтч": "за киловатт-час",
    "ночь": "за ночь",
    "мин": "в минуту",
    "ч": "в час",
    "час": "в час",
    "день": "в день",
    "сут": "в сутки",
    "сутки": "в сутки",
    "нед": "в неделю",
    "неделя": "в неделю",
    "неделю": "в неделю",
    "мес": "в месяц",
    "месяц": "в месяц",
    "год": "в год",
    "чел": "с человека",
    "человек": "с человека",
}
"""What stands after the stroke of a price or a pace."""


def currency(written: str) -> Currency:
    """What a match of AFTER or BEFORE is called."""
    return _CURRENCIES[written.lower()]
