"""Amounts with a unit, a currency, a per cent sign or a degree sign."""

from __future__ import annotations

import re

from app_core.speech.text.russian.amounts import currencies, units
from app_core.speech.text.russian.grammar.government import before_word, case_of_amount
from app_core.speech.text.russian.grammar.morphology import inflect
from app_core.speech.text.russian.grammar.noun import Amount, Noun, amount
from app_core.speech.text.russian.grammar.numbers import cardinal
from app_core.speech.text.span_text import SpanText

_SIGN = r"(?:(?<![\w)%°])[-–−+])?"
_NUMBER = r"\d++(?:[.,]\d++)?"
_DASH = r"(?: ?(?:[-–÷]|\.\.\.|…) ?|—)"
_MAGNITUDE = r"(?: ?(?P<magnitude>(?i:тыс|млн|млрд|трлн))(?!\w)(?:\.(?= ?[a-zа-яё,;)₸₽$€/]))?)?"
_END = r"(?!\w|-р(?!\w))"
_RATE = (
    r"(?: ?/ ?(?P<rate>"
    + "|".join(re.escape(name) for name in sorted(currencies.RATES, key=len, reverse=True))
    + rf"|{units.PATTERN})(?!\w)(?:\.(?= ?[,;:)\dа-яё+–—-]))?)?"
)
_DOT = r"(?P<dot>\.(?= ?[,;:)\da-zа-яё/–—+=-]))?"
_LOW = (
    rf"(?<![\w.,/])(?:(?P<low>{_SIGN}{_NUMBER})"
    rf"(?P<low_unit>[%°]|(?: ?(?:тыс|млн|млрд|трлн)\.?))?{_DASH})?"
)
_AFTER = re.compile(
    rf"{_LOW}(?P<amount>{_SIGN}{_NUMBER}){_MAGNITUDE} ?"
    rf"(?:(?P<currency>{currencies.AFTER})|(?P<unit>{units.PATTERN})){_END}{_DOT}{_RATE}"
)
_BEFORE = re.compile(
    rf"(?<!\w)(?<!\d )(?P<sign>[-–−+])?(?P<currency>{currencies.BEFORE}) ?"
    rf"(?:(?P<low>{_NUMBER}){_DASH})?"
    rf"(?P<amount>{_NUMBER}){_MAGNITUDE}{_END}{_RATE}"
)
_MAGNITUDE_ALONE = re.compile(rf"{_LOW}(?P<amount>{_SIGN}{_NUMBER}){_MAGNITUDE[:-1]}{_RATE}")
_WORD_BEFORE_SIGN = re.compile(
    rf"(?<=[а-яё]) ?(?P<currency>₸|₽|\$|€|£|¥|(?<= )(?i:тг|тнг|руб|долл))(?!\w){_DOT}"
)
_PER = re.compile(r"\b(раз[а]?) ?/ ?(день|сутки|сут|нед|неделю|мес|месяц|год|час|мин)(?!\w)\.?")
_PERIODS = frozenset("час минута секунда сутки месяц неделя".split())
_UNLIKELY_BEFORE_WORD = frozenset("с В А Н К".split())
"""Units of one letter that are more likely another word when a word follows."""
_LETTERED = frozenset("А В Н К".split())
_PAGES = Noun("страница", "femn")
_SHORT_WORDS = re.compile(r"\. ?[едпкночг](?!\w)")
_PAPER, _SHEET = re.compile(r"(?i:тетрад|альбом|блокнот)"), Noun("лист")
_HOUSE_BEFORE = re.compile(
    r"(?:(?<!\w)(?:д|дом|доме|дома|корп|корпус|"
    r"стр|блок|секция|код|домофона?|ул|№|номер|кв|каб)\.? ?)$"
)
_COMMA_BEFORE = re.compile(r", ?$")
_AWAY = re.compile(r"\.? ?(?:$|[,;)]| (?:ход|езд|пеш|выше|ниже|есть|наход|располож|жив))")
_LONG = re.compile(r"(?:длин|высот|ширин|глубин|толщин|дистанци|забег|рост|размер|объ[её]м)\w* в $")
_DISTANCE_FROM = re.compile(r" (?:от|к|севернее|южнее|западнее|восточнее|северо|юго)(?![а-яё])")


_FOR_ONE = re.compile(r"(тенге|рублей|рубля|рубль|долларов|евро) ?/ ?([а-яё]{3,20})(?!\w)")
_PER_ONE = re.compile(rf"(?<!\w)(?P<before>за|в|на) (?P<unit>{units.PATTERN})(?!\w|\.? ?\d){_DOT}")
_ALONE = re.compile(
    r"(?<![\w./]) ?(?<!\d)(?<!\d )(?<!/)(?P<unit>тг|тнг|кг|км|см(?!\.)|мм|мл|кВт|ГБ|МБ)(?!\w)"
)


def quantities(text: SpanText) -> SpanText:
    """Words in place of numbers that have a unit or a currency, and of these."""
    text = text.sub(_BEFORE, _money_before)
    text = text.sub(_AFTER, _after)
    text = text.sub(_MAGNITUDE_ALONE, _magnitude)
    text = text.sub(_WORD_BEFORE_SIGN, _currency_after_word)
    text = text.sub(_PER, lambda match: f"{match[1]} {currencies.RATES[match[2]]}")
    text = text.sub(_FOR_ONE, lambda match: f"{match[1]} за {inflect(match[2], 'accs')}")
    return text.sub(_PER_ONE, _per_one).sub(_ALONE, _alone)


def _per_one(match: re.Match[str]) -> str | None:
    """``за шт.``, ``в мин.``, ``в кг``."""
    written = match["unit"].strip()
    noun = units.unit(written)
    if noun is None or len(written) == 1 or not written[0].isalpha():
        return None
    if match["before"] == "в" and noun.words not in _PERIODS:
        return f"в {noun.form('loct', plural=True)}"
    return f"{match['before']} {noun.form('accs')}"


def _alone(match: re.Match[str]) -> str:
    """A unit in the head of a column."""
    if match["unit"] == "тг" and before_word(match.string, match.start()) in ("в", "из", "через"):
        return match.group().replace("тг", "телеграм")
    if match["unit"] in ("тг", "тнг"):
        return match.group().replace(match["unit"], "тенге")
    noun = units.unit(match["unit"])
    said = noun.form("nomn", plural=True) if noun else match["unit"]
    return match.group().replace(match["unit"], said)


def _parsed(written: str, magnitude: str | None, money: bool = False) -> Amount:
    sign = written[0] if written[0] in "-–−+" else ""
    number = written[len(sign) :]
    whole, mark, fraction = number.replace(",", ".").partition(".")
    if mark and len(fraction) == 3 and whole != "0" and (money or fraction == "000"):
        number = whole + fraction  # thousands, not thousandths
    return amount(number, magnitude or "", sign in ("-", "–", "−") and bool(sign))


def _plus(written: str) -> str:
    return "плюс " if written.startswith("+") else ""


def _after(match: re.Match[str]) -> str | None:
    whole = _parsed(match["amount"], None, money=True).whole
    case = case_of_amount(match.string, match.start(), whole)
    rest = match.string[match.end() : match.end() + 12]
    rate = f" {_rate(match['rate'])}" if match["rate"] else ""
    if match["currency"]:
        found = currencies.currency(match["currency"])
        said = _money(match["amount"], match["magnitude"], found, case)
        return _low(match, case, found.noun) + said + rate + _space(rest)
    written = match["unit"].strip()
    follows_word = re.match(r"\.? ?[^\W\d]", rest) is not None
    before = match.string[: match.start()][-24:]
    glued = match["amount"] + written in match.group()
    if written in _LETTERED and (
        _HOUSE_BEFORE.search(before) or (glued and _COMMA_BEFORE.search(before))
    ):
        return None
    if written == "с" and rest[:1] == "." and before.endswith("— ") and match["amount"].isdecimal():
        return Amount(int(match["amount"])).say(_PAGES, "nomn")
    if written in _UNLIKELY_BEFORE_WORD and follows_word and not (rate or match["magnitude"]):
        return None
    if written == "стр" and re.match(r"\.? ?\d", rest):
        return None  # a building
    if written == "кал" and re.match(r"\.? ?дн", rest):
        return None  # of the calendar
    if written == "т" and _SHORT_WORDS.match(rest):
        return None
    if written == "г" and re.match(r"\. ?[А-Я]", rest) and _year_like(match["amount"]):
        return None
    if written in ("м", "км", "мин", "ч", "см", "минут") and _DISTANCE_FROM.match(rest):
        case = "loct" if before.lower().endswith("в ") else case
    if written in ("м", "км", "мин") and _AWAY.match(rest) and before.lower().endswith("в "):
        walked = written != "мин" or re.match(r"\.? (?:ход|езд|пеш)", rest)
        case = "loct" if walked and not _LONG.search(before.lower()) else case
    noun = units.unit(written)
    if written == "л" and _PAPER.search(match.string[max(0, match.start() - 40) : match.start()]):
        noun = _SHEET
    if noun is None:
        return None
    if case == "accs" and before.lower().endswith("в ") and re.match(r" [—=–]", rest):
        case = "loct"  # in one metre there are
    if (
        written == "%"
        and before.lower().endswith("в ")
        and re.match(r" (?:случа|сем|школ)[а-я]*", rest)
    ):
        case = "loct"
    said = _parsed(match["amount"], match["magnitude"]).say(noun, case)
    return _low(match, case, noun) + _plus(match["amount"]) + said + rate + _space(rest)


def _rate(written: str) -> str:
    if written in currencies.RATES:
        return currencies.RATES[written]
    noun = units.unit(written)
    return f"за {noun.form('accs')}" if noun else written


def _space(rest: str) -> str:
    return " " if rest[:1].isalnum() else ""


def _year_like(written: str) -> bool:
    return written.isdecimal() and 1000 <= int(written) < 2200


def _low(match: re.Match[str], case: str, noun: Noun | None) -> str:
    """The lower end of a range."""
    if not match["low"]:
        return ""
    low = _parsed(match["low"], None, money=noun is not None and noun.words == "тенге")
    own = (match["low_unit"] or "").strip(" .%°")
    if own or low.fraction:
        said = Amount(low.whole, low.fraction, own, low.negative).say(None, case)
    else:
        thousands = (match["magnitude"] or "").lower() == "тыс"
        gender = noun.gender if noun and not match["magnitude"] else "masc"
        gender = "femn" if thousands else gender
        said = ("минус " if low.negative else "") + cardinal(low.whole, case, gender)
    return f"{_plus(match['low'])}{said} — "


def _money(written: str, magnitude: str | None, found: currencies.Currency, case: str) -> str:
    value = _parsed(written, magnitude, money=True)
    if not (found.minor and len(value.fraction) == 2 and not magnitude):
        return _plus(written) + value.say(found.noun, case)
    whole = Amount(value.whole, negative=value.negative).say(found.noun, case)
    whole = _plus(written) + whole
    if int(value.fraction) == 0:
        return whole
    return f"{whole} {Amount(int(value.fraction)).say(found.minor, case)}"


def _money_before(match: re.Match[str]) -> str:
    whole = _parsed(match["amount"], None, money=True).whole
    case = case_of_amount(match.string, match.start(), whole)
    found = currencies.currency(match["currency"])
    low = ""
    if match["low"]:
        low = cardinal(_parsed(match["low"], None, money=True).whole, case, found.noun.gender)
        low += " — "
    said = _money(match["amount"], match["magnitude"], found, case)
    sign = {"+": "плюс ", None: ""}.get(match["sign"], "минус ")
    return sign + low + said + (f" {_rate(match['rate'])}" if match["rate"] else "")


def _magnitude(match: re.Match[str]) -> str | None:
    if not match["magnitude"]:
        return None
    whole = _parsed(match["amount"], None, money=True).whole
    case = case_of_amount(match.string, match.start(), whole)
    said = _parsed(match["amount"], match["magnitude"]).say(None, case)
    rate = f" {_rate(match['rate'])}" if match["rate"] else ""
    return _low(match, case, None) + _plus(match["amount"]) + said + rate


def _currency_after_word(match: re.Match[str]) -> str | None:
    if before_word(match.string, match.start() + 1) in ("в", "из", "через", "по"):
        return None  # Telegram
    return " " + currencies.currency(match["currency"]).noun.form("gent", plural=True)
