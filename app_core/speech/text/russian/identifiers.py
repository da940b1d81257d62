"""Phones, IIN, cards, accounts, post codes, car numbers, versions: numbers that count nothing."""

from __future__ import annotations

import re
import unicodedata

from app_core.speech.text.russian.grammar.government import before_word
from app_core.speech.text.russian.grammar.numbers import cardinal, group, groups
from app_core.speech.text.russian.letters import LATIN, spelled
from app_core.speech.text.russian.roman import value as roman_value
from app_core.speech.text.span_text import SpanText

_PHONE = re.compile(
    r"(?<![\w.,/])(?=[+(\d])(?P<plus>\+ ?)?(?P<country>[78]|3\d\d|9\d\d|[1-9]\d?)?[ \-–‑]{0,2}\(?"
    r"(?P<code>\d{3,5})\)?[ \-–‑]{0,2}"
    r"(?P<rest>\d{1,3}(?:[ \-–‑]?\d{2,4}){1,3})(?![\w]|[.,]\d|[-–]\d)"
)
_LOCAL = re.compile(r"(?<![\w.,/+-])(\d{2,3})[-–‑](\d{2})[-–‑](\d{2})(?![\w-])")
_CARD = re.compile(r"(?<![\w.,])\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\w])")
_LONG = re.compile(r"(?<![\w.,+])\d{9,34}(?!\w|[.,]\d)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{3,4}){3,7}(?!\w)")
_PLATE = re.compile(
    r"(?<![\w.,])(\d{3}) ?([A-ZА-Я]{2,3}) ?(\d{2})(?!\w)|"
    r"(?<!\w)([A-ZА-Я]) ?(\d{3}) ?([A-ZА-Я]{2,3})(?: ?(\d{2}))?(?!\w)"
)
_POST = re.compile(r"(?<![\w.,])0\d{5}(?!\w|[.,]\d| ?(?:тг|тенге|₸))")
_CODED = re.compile(
    r"(?P<word>(?i:индекс|код|пин|pin|пароль|счёт|счет|иин|бин|инн|бик|артикул|лот|карт)\w{0,3}"
    r"(?: подтверждения| доступа| товара)?)"
    r"(?P<mark>\.? ?[:—–-]? {0,2}\*? ?)(?P<number>\d{4,20})(?!\w|[.,]\d)"
)
_SHORT_NUMBER = re.compile(
    r"(?P<word>(?i:номер|номеру|телефон|телефону|тел\.|"
    r"(?:отправ|набер|набрат|смс|SMS)[^.!?\d]{0,30} (?:на|номер)|звоните|звонить|колл-центр)"
    r"(?: на| по номеру)?:? ?(?:короткий )?)(?P<number>\d{4,5})(?!\w|[.,-]\d)"
)
_VERSION = re.compile(
    r"(?<![\w.,])(?P<mark>v(?:er)?\.? ?|V\.? ?(?=\d+\.\d)|(?i:верси(?:я|и|ю|ей)) )"
    r"(?P<number>\d++(?:\.\d++)*)(?!\w)"
)
_DOTTED = re.compile(r"(?<![\w.,])\d{1,4}(?:\.\d{1,4}){2,5}(?!\w|\.\d)")
_HEADING = re.compile(
    r"^\d{1,3}\.\d{1,2}(?=, [«\"]?[а-яё]{3}|,? [«\"]?[А-ЯЁ][а-яё]{2})", re.MULTILINE
)
"""``1.1. Общие положения``, whose point has become a comma."""
_LATIN_DECIMAL = re.compile(r"(?<=[A-Za-z])([ -]?)(\d{1,3})\.(\d{1,3})(?![\w.])")
_NUMBERS = re.compile(r"№ ?№ ?")
_NUMBER = re.compile(r"№ ?|(?<!\w)N(?: ?(?=\d{2}))")
_TRACK = re.compile(r"(?<!\w)([A-Z]{1,3})-?(\d{6,20})([A-Z]{2})?(?!\w|[.,]\d)")
_FORM = re.compile(r"(?<!\w)ф\. ?(?=\d{3}\.\d\d)")
_DUST = re.compile(r"(?<!\w)PM ?(2[.,]5|10)(?!\w)")
_DUSTS = {"2": "пэ эм два и пять", "10": "пэ эм десять"}
_LONG_NUMBER = re.compile(r"(?<=номер )\d{7,8}(?!\w)")
_CODE = re.compile(
    r"(?<=номер )(?:\d{1,6}|[А-ЯA-Z]{1,4}(?=-\d))(?:[/-](?:\d{1,10}|[А-ЯA-Z]{1,3}))++(?!\w)"
)


def identifiers(text: SpanText) -> SpanText:
    text = text.sub(_FORM, "форма ").sub(_DUST, lambda match: _DUSTS[match[1][:2].rstrip(".,")])
    text = text.sub(_IBAN, _iban).sub(_TRACK, _track).sub(_CARD, _card).sub(_CODED, _coded)
    text = text.sub(_PHONE, _phone).sub(_LOCAL, lambda match: _joined(match.groups()))
    text = text.sub(_LONG, lambda match: groups(match.group(), (3,) * 12))
    text = text.sub(_PLATE, _plate).sub(_POST, lambda match: groups(match.group(), (3, 3)))
    text = text.sub(_SHORT_NUMBER, lambda match: match["word"] + groups(match["number"], (2, 2)))
    text = (
        text.sub(_NUMBERS, "номера ")
        .sub(_NUMBER, "номер ")
        .sub(_LONG_NUMBER, lambda match: groups(match.group(), (3,) * 12))
        .sub(_CODE, _code)
    )
    text = text.sub(_HEADING, lambda match: _points(match.group()))
    return text.sub(_VERSION, _version).sub(_DOTTED, _dotted).sub(_LATIN_DECIMAL, _latin_decimal)


def _track(match: re.Match[str]) -> str:
    """``KZ123456789``, ``RR123456789KZ``"""
    tail = f", {spelled(match[3])}" if match[3] else ""
    return f"{spelled(match[1])}, {groups(match[2], (3,) * 12)}{tail}"


def _joined(parts: tuple[str, ...] | list[str]) -> str:
    return ", ".join(group(part) for part in parts)


def _phone(match: re.Match[str]) -> str | None:
    written, country = match.group(), match["country"]
    count = sum(map(str.isdigit, written))
    sure = match["plus"] or "(" in written or country in ("7", "8")
    if not sure or not 10 <= count <= 13:
        return None
    if match["plus"] is None and country is None and "(" not in written:
        return None
    if country in ("7", "8") and count != 11:
        return None
    code, rest = match["code"], re.sub(r"\D", "", match["rest"])
    if country in ("7", "8"):
        code, rest = (code + rest)[:3], (code + rest)[3:]
        if "(" in written:
            code, rest = match["code"], re.sub(r"\D", "", match["rest"])
    parts = [rest[: len(rest) % 2 + 2 if len(rest) % 2 else 2]]
    at = len(parts[0])
    parts += [rest[i : i + 2] for i in range(at, len(rest), 2)]
    said = [group(code) if len(code) <= 3 else groups(code, (len(code) - 2, 2))]
    if country:
        said.insert(0, ("плюс " if match["plus"] else "") + cardinal(int(country)))
    elif match["plus"]:
        said[0] = "плюс " + said[0]
    return ", ".join([*said, *(group(part) for part in parts)])


def _card(match: re.Match[str]) -> str:
    number = re.sub(r"\D", "", match.group())
    return ", ".join(groups(number[i : i + 4], (2, 2)).replace(",", "") for i in range(0, 16, 4))


def _coded(match: re.Match[str]) -> str:
    number = match["number"]
    sizes = (2,) * 10 if len(number) == 4 else (3,) * 12
    return match["word"] + match["mark"] + groups(number, sizes)


def _iban(match: re.Match[str]) -> str | None:
    written = match.group().replace(" ", "")
    if sum(map(str.isdigit, written)) < 6 or len(written) < 15:
        return None
    parts = re.findall(r"\d+|[A-Z]+", written)
    return ", ".join(
        groups(part, (2,) * 20) if part.isdecimal() else spelled(part) for part in parts
    )


def _plate(match: re.Match[str]) -> str | None:
    if match[1]:
        if match[2] in ("ТОО", "АО", "ИП", "KZT", "USD", "EUR", "RUB", "МБ", "ГБ", "GB", "MB"):
            return None
        return f"{group(match[1])} {spelled(match[2])} {group(match[3])}"
    tail = f" {group(match[7])}" if match[7] else ""
    return f"{spelled(match[4])} {group(match[5])} {spelled(match[6])}{tail}"


def _version(match: re.Match[str]) -> str:
    word = match["mark"].strip() if match["mark"][0] in "Вв" else "версия"
    return f"{word} " + _points(match["number"])


def _points(number: str) -> str:
    return " точка ".join(
        group(part) if len(part) <= 3 else cardinal(int(part)) for part in number.split(".")
    )


def _dotted(match: re.Match[str]) -> str:
    return _points(match.group())


def _latin_decimal(match: re.Match[str]) -> str | None:
    word = before_word(match.string, match.start() + 1)
    if word in ("usd", "eur", "kzt", "rub", "gbp"):
        return None
    return f" {group(match[2])} точка {group(match[3])}"


def _code(match: re.Match[str]) -> str:
    parts = re.split(r"([/-])", match.group())
    said = []
    for part in parts:
        if part == "/":
            said.append("дробь")
        elif part != "-" and (numeral := roman_value(part)) and said:
            said.append(cardinal(numeral))
        elif part != "-":
            said.append(
                groups(part, (3,) * 4).replace(",", "")
                if part.isdecimal() and (part[0] == "0" or len(part) > 6)
                else cardinal(int(part))
                if part.isdecimal()
                else spelled(part)
            )
    return " ".join(said)


_ALNUM = re.compile(
    r"(?<![\w.,-])(?:([A-ZА-Яa-z])-?(\d{1,4})(?:\.(\d{1,2}))?|(\d{1,5})([A-Z]))(?!\w|[.,]\d)"
)
_SPLIT = re.compile(r"(?<=[A-Za-z])-?(?=\d)|(?<=\d)(?=[A-Za-z]{2})")
_KNOWN = {"5G": "пять джи", "4G": "четыре джи"}
_KNOWN |= {"3G": "три джи", "B2B": "би ту би", "B2C": "би ту си", "MP3": "эм пэ три"}
_KNOWN |= {
    "MP4": "эм пэ четыре",
    "C++": "си плюс плюс",
    "C#": "си шарп",
    "1С": "один эс",
    "1C": "один эс",
    "PM2.5": "пэ эм два и пять",
}
_KNOWN_PATTERN = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, _KNOWN)) + r")(?!\w)")


_ELEMENTS = dict(
    pair.split(":")
    for pair in "H:аш O:о C:цэ N:эн S:эс P:пэ K:калий Na:натрий Ca:кальций Fe:феррум Cl:хлор"
    " Cu:купрум Al:алюминий Mg:магний Zn:цинк Ag:аргентум"
    " Si:силициум Mn:марганец Ba:барий Br:бром Pb:плюмбум Li:литий F:фтор I:йод".split()
)
_ELEMENT = re.compile(r"([A-Z][a-z]?)([0-9₀-₉]{0,2})")
_FORMULA = re.compile(
    r"(?<![\w-])(?=[A-Za-z]{1,9}+[0-9₀-₉])(?:[A-Z][a-z]?[0-9₀-₉]{0,2}){2,8}(?![\w-])"
)


"""A gas, or two elements without numbers: ``NaOH``."""


def _formula(match: re.Match[str]) -> str | None:
    """A chemical one; other letters with digits are left."""
    parts = _ELEMENT.findall(match.group())
    if any(name not in _ELEMENTS for name, _ in parts):
        return None
    said = []
    for name, count in parts:
        number = unicodedata.normalize("NFKC", count)
        said += [_ELEMENTS[name], cardinal(int(number))] if number else [_ELEMENTS[name]]
    return " ".join(said)


def models(text: SpanText) -> SpanText:
    """``A4``, ``3D``, ``H2O``, ``COVID-19``: letters with numbers."""
    text = text.sub(_KNOWN_PATTERN, lambda match: _KNOWN[match.group()]).sub(_FORMULA, _formula)
    text = text.sub(_ALNUM, _alnum)
    return text.sub(_SPLIT, " ")


def _alnum(match: re.Match[str]) -> str:
    if match[1]:
        tail = f" точка {cardinal(int(match[3]))}" if match[3] else ""
        name = "ай" if match[1] == "i" else spelled(match[1])
        number = group(match[2]) if match[2][0] == "0" else cardinal(int(match[2]))
        return f"{name} {number}{tail}"
    return f"{cardinal(int(match[4]))} {LATIN[match[5]]}"
