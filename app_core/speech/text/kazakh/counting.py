"""Numbers before words and with endings: which are ordinals, and how endings sound."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.harmony import (
    ENDING,
    is_ending,
    possessed,
    with_ending,
    with_written,
)
from app_core.speech.text.kazakh.numbers import (
    NUMBER,
    QUANTITY,
    START,
    number,
    ordinals,
    paired,
    quantity,
)
from app_core.speech.text.kazakh.units import full_stop

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_LETTER = "[а-яёәғқңөұүһі]"
_WITH_ENDING = re.compile(
    rf"(?P<number>{QUANTITY})(?:[-–'’]?(?P<ordinal>(?:[ыі]?н)?ш[ыі])[-–]|[-–'’]?(?P<ending>{ENDING}))"
)
_ADJECTIVE = (
    rf"(?:бөлме|қабат|орын|жыл|ай|күн|апта|сағат|минут|секунд|метр|километр|литр|кило|грам|тонна"
    rf"|теңге|пайыз|градус|том|ұпай|бал|дөңгелек|есік|қатар|тіл|ядро|камера|цилиндр|вольт|ватт"
    rf"|мың|млн|миллион|адам|кісі|дюйм|гигабайт|сызық|жолақ|тармақ|буын|әріп|таңба|бұрыш|қырл"
    rf"|бет|саты|сөз|есе|сом|гектар|сантиметр|миллиметр){_LETTER}*?(?:[лдт][ыі][қк]?)(?!{_LETTER})"
    rf"|жасар|жаста|жасқа|есе(?!п)|кезеңді|деңгейлі"
)
_HYPHENED = re.compile(
    rf"(?P<number>{QUANTITY})[-–](?=(?P<adjective>{_ADJECTIVE})|[«\"“]?[а-яёәғқңөұүһіА-ЯӘҒҚҢӨҰҮҺІ]{{2}})"
)
_CLASS = re.compile(
    r"(?<![\w.,:/-])(?P<number>\d{1,2})(?: ?[-–]? ?)[\"«“„']?(?P<letter>[А-ЯӘҒҚҢӨҰҮҺІ])[\"»”“']?"
    r"(?:[- ](?=сынып|сыныб|класс)|(?=(?:,| және) \d{1,2} ?[-–]? ?[\"«“„']?[А-ЯӘҒҚҢӨҰҮҺІ][\"»”“']?"
    r"(?:,| және|[- ]сын)))"
)
_QUOTED_CLASS = re.compile(
    r"(?<![\w.,:/-])(?P<number>[1-9]|1[0-2]) ?[«\"“„](?P<letter>[А-ЯӘҒҚҢӨҰҮҺІ])[»\"”“]"
    r"(?! ?(?:үй|пәт))"
    r"|(?<![\w.,:/-])(?P<hyphened>\d{1,2})-(?P<after>[А-ЯӘҒҚҢӨҰҮҺІA-E])(?![\w'’-])"
)
_ORDINAL_NOUN = re.compile(
    r"(?<![\w.,:/-])(?P<number>\d{1,2}(?: ?[-–] ?\d{1,2})?"
    r"(?:(?:, | және | мен | пен | бен )\d{1,2}(?: ?[-–] ?\d{1,2})?){0,8}) "
    r"(?=(?:сыны[пб](?!т[ыі] )|курс(?!т[ыі][ққ])"
    r"|семестр(?!л)|қабат(?:та|тан|қа|тағы|ында)(?![а-я])|разрядты|кезең(?:де|нің)|санатты)"
    rf"{_LETTER}*(?! бар\b))"
)
_EACH = re.compile(r"\d+(?: ?[-–] ?\d+)?")
_DISTRICT = re.compile(r"(?<![\w.,:/-])(?P<number>\d{1,2})[- ](?=шағын аудан|ықш|мкр|ш/а)")
_LISTED = re.compile(
    r"(?<![\w.,:/-])(?<!\d, )(?P<number>\d{1,2}(?:, \d{1,2}){0,8}(?:,| және| мен| пен| бен) )"
    rf"(?=\d{{1,2}}-{_LETTER}{{2,20}}?[лдт][ае]р)"
)
_QUARTER = re.compile(r"(?<![\w.,:/-])(?P<number>[1-4]) (?=тоқсан)")
_PLACE = re.compile(
    r"(?<![\w.,:/-])(?P<number>\d{1,2}(?:[-–]\d)?) (?=орын(?:ды|ға|да|нан)? (?:ал|ие|тұр|шық))"
)
_STREET = re.compile(
    r"(?:көш(?:есі(?:нде|ндегі)?|\.)|к-сі|даң(?:ғылы|\.|-лы)|ш(?:ағын )?\.? ?а(?:уданы|\.)|мкр\.?"
    r"|ықш|тұйығы|бульвары|тас жолы|үй)"
)
_HOUSE = re.compile(
    r"(?<![\w.,:-])(?P<number>\d{1,4})(?:/(?P<part>\d{1,3}))?(?P<letter> ?[а-вА-ВӘ](?![\w]))?"
    r"(?P<noun>(?:[- ](?=үй|пәт|кеңсе|корпус|кабинет)|-(?=бөлме)))?"
)
_FLAT = re.compile(
    r"(?<![\w.,:/-])(?P<number>\d{1,4})[- ]?"
    r"(?=(?:пәт|каб|қаб|эт|под|корп|ауд|кв(?!\. ?м)|сур|кест|б|оф|тт"
    r"|п(?!\. ?[тп]\.))\.|т\.(?! [а-яёәғқңөұүһі]))"
)
_LONG_CODE = 6
"""Digits after a letter, as in ``N12345678``: said by pairs."""
_HALVES = re.compile(
    rf"(?: ?(?:сағат|жыл|ай|апта|күн|есе|мың|ми[лн]|минут|тонна|литр|жас){_LETTER}*)"
)
_NUMBER = re.compile(rf"{QUANTITY}")
_IN_WORD = re.compile(rf"(?<=[^\W\d_])[-–]?(?P<number>\d++(?:[.,]\d++)?)(?:-(?P<ending>{ENDING}))?")
_CHAIN = re.compile(r"(?<![\w.,:/-])\d{1,3}(?:[-–]\d{1,3}){2,}(?![\w])")
_ONLY = re.compile(rf"(?P<number>{QUANTITY})-ақ(?!{_LETTER})")
_AND_MORE = re.compile(rf"(?P<number>{START}{NUMBER})\+(?![\w])")
_REST = re.compile(r"(?P<number>\d++(?:[.,]\d++)?)")
_VERSION = re.compile(
    r"(?:(?P<v>(?<![\w])[vVвВ]\.? ?)|(?<=[A-Za-z])(?<!IELTS)(?<!GPA)(?<!TOEFL)[ -])"
    r"(?P<number>\d{1,4}(?:\.\d{1,4}){1,4})(?![\w])"
    r"|(?<![\w.,])(?!\d{1,3}(?:\.\d{3})+(?!\.?\d))(?P<triple>\d{1,4}(?:\.\d{1,4}){2,4})(?![\w])"
    r"|(?<![\w.,])(?P<named>\d{1,3}\.\d{1,3})(?=[- ](?:нұсқа|шығарылым))"
)
_CLAUSE = re.compile(r"(?<![\w.,:/-])(\d{1,3})\) (?=тармақша)")
_FLOOR = re.compile(
    r"(?<![\w.,:/-])(?P<floor>\d{1,2})/(?P<of>\d{1,2})(?:[- ](?:(?:эт|қаб)(?P<dot>\.)"
    r"|(?:қабат|этаж)"
    rf"(?P<ending>{ENDING})?(?!{_LETTER})))"
    r"|(?:(?<=бөлме, )|(?<=бөлмелі, )|(?<=бөлмелі пәтер, ))"
    r"(?P<floor3>\d{1,2})/(?P<of3>\d{1,2})(?![\w/.-])"
    rf"|(?:(?<=[Ққ]абат)|(?<=[Ққ]абаты)|(?<=[Ээ]таж)|(?<=[Ээ]тажы))(?P<colon>:? )"
    r"(?P<floor2>\d{1,2})/(?P<of2>\d{1,2})(?![\w/.-])"
)
_ITEM = re.compile(
    r"(?:^(?P<number>\d{1,3})[.)]|(?<=[;:] )(?P<within>\d{1,2})\)) (?=\S)", re.MULTILINE
)
_HEADING = re.compile(
    rf"^(\d{{1,3}})\.(\d{{1,2}})(?=, [«\"]?{_LETTER}{{3}}|,? [«\"]?[А-ЯӘҒҚҢӨҰҮҺІ]{_LETTER}{{2}})",
    re.MULTILINE,
)
"""``1.1. Жалпы ережелер``, whose point has become a comma."""
_DOUBLE_SIGN = re.compile(r"№ ?(\d{1,5})/(\d{1,5})(?![\w/])")
_SIGN = re.compile(
    r"№+ ?[№#]? ?|(?<![\w&/])#(?=\d{1,6}(?!\w))|(?<![\w])N(?:[o°]\.? ?|\. ?| )(?=\d)"
)


def ordinals_by_noun(text: SpanText) -> SpanText:
    """``5 «А» сынып``, ``2 курс``, ``Абай көш., 15/2, 3 пәт.``"""
    text = text.sub(_DOUBLE_SIGN, lambda m: f"нөмір {quantity(m[1])} {quantity(m[2])}")
    text = text.sub(_SIGN, "нөмір ").sub(_VERSION, _version)
    text = text.sub(_HEADING, lambda match: f"{quantity(match[1])} нүкте {quantity(match[2])}")
    text = text.sub(_ITEM, lambda match: f"{quantity(match['number'] or match['within'])}, ")
    text = text.sub(_FLOOR, _floor)
    text = text.sub(_CLAUSE, lambda match: ordinals(match[1]) + " ").sub(
        _CLASS, lambda match: f"{ordinals(match['number'])} {match['letter']}" + _space(match)
    )
    text = text.sub(_QUOTED_CLASS, _class)
    text = text.sub(_HOUSE, _house).sub(_FLAT, lambda match: ordinals(match["number"]) + " ")
    text = text.sub(_LISTED, lambda m: _EACH.sub(lambda n: ordinals(n[0]), m["number"]))
    text = text.sub(_ORDINAL_NOUN, lambda m: _EACH.sub(lambda n: ordinals(n[0]), m["number"]) + " ")
    for pattern in (_QUARTER, _PLACE, _DISTRICT):
        text = text.sub(pattern, lambda match: ordinals(match["number"]) + " ")
    return text


def numbers(text: SpanText) -> SpanText:
    """All that are left."""
    text = text.sub(_CHAIN, _chain).sub(_IN_WORD, _in_word)
    text = text.sub(_ONLY, lambda match: f"{quantity(match['number'])}-ақ")
    text = text.sub(_WITH_ENDING, _with_ending).sub(_HYPHENED, _hyphened)
    text = text.sub(_AND_MORE, lambda match: f"{quantity(match['number'])} плюс")
    return text.sub(_NUMBER, _plain).sub(_REST, lambda m: _apart(m, ""))


def _with_ending(match: re.Match[str]) -> str | None:
    if match["ordinal"]:
        return ordinals(match["number"]) + " "
    written = match["number"]
    if not is_ending(match["ending"]):
        return None
    said = quantity(written)
    if match["ending"][:2] in ("сы", "сі") and said[-1] not in "аеыіу":
        said = ordinals(written)  # "3-сі"
    return with_written(said, match["ending"])


def _hyphened(match: re.Match[str]) -> str:
    clause = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", match["number"])
    if clause and not match["adjective"]:  # "4.1-тармақ"
        return f"{quantity(clause[1])} нүкте {ordinals(clause[2])} "
    say = quantity if match["adjective"] and len(match["number"]) < 4 else ordinals
    if match["adjective"] and not re.fullmatch(r"[12]\d{3}", match["number"]):
        say = quantity
    return say(match["number"]) + " "


def _space(match: re.Match[str]) -> str:
    return " " if match.group()[-1] in " -" else ""


def _plain(match: re.Match[str]) -> str:
    half = _HALVES.match(match.string, match.end()) is not None
    after = match.string[match.end() : match.end() + 1]
    return quantity(match.group(), half) + (" " if after.isalpha() else "")


def _apart(match: re.Match[str], before: str) -> str:
    after = match.string[match.end() : match.end() + 1]
    return before + number(match["number"]) + (" " if after.isalpha() else "")


def _in_word(match: re.Match[str]) -> str:
    """``COVID-19-дан``."""
    if match["ending"]:
        return " " + with_written(number(match["number"]), match["ending"])
    if len(match["number"]) >= _LONG_CODE and match["number"].isdecimal():
        return " " + paired(match["number"])
    return _apart(match, " ")


def _chain(match: re.Match[str]) -> str:
    return " ".join(number(part) for part in re.findall(r"\d+", match.group()))


def _house(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - 48) : match.start()]
    if not _STREET.search(before) or not (match["part"] or match["noun"] or match["letter"]):
        return None
    if match["part"]:
        return (
            f"{quantity(match['number'])} бөлшек {quantity(match['part'])}{match['letter'] or ''}"
            f"{match['noun'] or ''}"
        )
    if match["letter"]:
        return f"{quantity(match['number'])} {match['letter'].strip()} "
    return ordinals(match["number"]) + " "


def _class(match: re.Match[str]) -> str:
    number, letter = match["number"] or match["hyphened"], match["letter"] or match["after"]
    return f"{ordinals(number)} {letter}"


def _floor(match: re.Match[str]) -> str:
    """``5/9 қабат``: the fifth of nine."""
    if match["colon"]:
        of = with_written(quantity(match["of2"]), "дың")
        return f"{match['colon']}{of} {with_ending(ordinals(match['floor2']), 'possessive')}"
    fifth = with_ending(ordinals(match["floor"] or match["floor3"]), "possessive")
    fifth = possessed(fifth, match["ending"]) if match["ending"] else fifth
    return f"{quantity(match['of'] or match['of3'])} қабаттың {fifth}{full_stop(match)}"


def _version(match: re.Match[str]) -> str:
    written = match["number"] or match["triple"] or match["named"]
    said = " нүкте ".join(number(part) for part in written.split("."))
    if match["triple"] or match["named"]:
        return said
    return f"вэ {said}" if match["v"] else f" {said}"
