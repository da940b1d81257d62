"""Abbreviations with points: ``т.б.``, ``Алматы қ.``, ``проф.``"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.harmony import ENDING, possessed, with_written
from app_core.speech.text.kazakh.numbers import SCALES
from app_core.speech.text.kazakh.units import alternatives
from app_core.speech.text.matching import any_of

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_JOINED = {
    "т.б": "тағы басқалар", "ж.т.б": "және тағы басқалар", "ж.б": "және басқалар",
    "ж.т": "жылы туған", "ж.ш": "жылы шығарылған", "о.ж": "оқу жылы",
    "ж.с": "жылы салынған", "ұ.т": "ұялы телефон",
    "т.с.с": "тағы сол сияқты",
    "т.т": "тағысын тағылар", "с.с": "сол сияқты",
    "б.з.д": "біздің заманымызға дейінгі", "б.з.б": "біздің заманымыздан бұрынғы",
    "б.д.д": "біздің дәуірімізге дейінгі", "б.д.б": "біздің дәуірімізден бұрынғы",
    "б.э.д": "біздің эрамызға дейінгі", "б.з": "біздің заманымыз", "ж.ж": "жж.", "ғ.ғ": "ғғ.",
    "ш.а": "шағын ауданы",
    "ықш. ауд": "ықшам ауданы", "ш. ауд": "шағын ауданы",
    "м.а": "міндетін атқарушы", "т.а.ә": "тегі аты әкесінің аты",
    "Т.А.Ә": "тегі аты әкесінің аты", "А.Ж.Т": "аты жөні тегі", "а.ж.т": "аты жөні тегі",
    "ф.ғ.д": "филология ғылымдарының докторы", "ф.ғ.к": "филология ғылымдарының кандидаты",
    "т.ғ.д": "техника ғылымдарының докторы", "т.ғ.к": "техника ғылымдарының кандидаты",
    "п.ғ.д": "педагогика ғылымдарының докторы", "п.ғ.к": "педагогика ғылымдарының кандидаты",
    "э.ғ.д": "экономика ғылымдарының докторы", "э.ғ.к": "экономика ғылымдарының кандидаты",
    "м.ғ.д": "медицина ғылымдарының докторы", "м.ғ.к": "медицина ғылымдарының кандидаты",
    "з.ғ.д": "заң ғылымдарының докторы", "з.ғ.к": "заң ғылымдарының кандидаты",
    "б.ғ.д": "биология ғылымдарының докторы", "б.ғ.к": "биология ғылымдарының кандидаты",
    "ф.-м.ғ.д": "физика математика ғылымдарының докторы",
    "ф.-м.ғ.к": "физика математика ғылымдарының кандидаты",
}  # fmt: skip
_POSSESSED = {
    "көш": "көшесі", "даң": "даңғылы", "даңғ": "даңғылы", "к": "көшесі",
    "ықш": "ықшамауданы", "қ": "қаласы", "обл": "облысы", "ауд": "ауданы",
    "а": "ауылы", "мкр": "шағын ауданы", "респ": "республикасы",
    "бульв": "бульвары", "тұй": "тұйығы", "орынб": "орынбасары",
    "мин-гі": "министрлігі", "бағд": "бағдарламасы", "унив": "университеті",
}  # fmt: skip
"""What they stand for ends in a possessive, as it does after a name."""
_WORDS = {
    "пәт": "пәтер", "п": "пәтер", "жарт": "жартысы", "бб": "беттер",
    "тел": "телефон", "моб": "мобильді", "мыс": "мысалы",
    "проф": "профессор", "акад": "академик", "доц": "доцент", "ред": "редактор",
    "қар": "қараңыз", "сур": "сурет", "кест": "кесте",
    "тт": "тармақша",
    "б": "бет", "т": "том", "с": "секунд", "каб": "кабинет",
    "қаб": "қабат", "эт": "этаж", "под": "подъезд", "корп": "корпус", "оф": "офис", "кв": "пәтер",
    "ғ": "ғасыр", "ғғ": "ғасырлар", "ж": "жыл", "жж": "жылдар", "сағ": "сағат",
    "мин": "минут", "сек": "секунд", "тг": "теңге", "млн": "миллион", "млрд": "миллиард",
    "трлн": "триллион", "эл": "электрондық", "мек": "мекенжай",
    "ағыл": "ағылшынша",
    "авт": "автор", "ағылш": "ағылшын", "инф": "информатика", "мат": "математика",
    "геом": "геометрия", "алг": "алгебра", "геогр": "география", "биол": "биология",
    "хим": "химия", "физ": "физика", "әдеб": "әдебиет",
    "инж": "инженер", "пач": "пачка", "каф": "кафедра", "фак": "факультет", "уч": "учаске",
    "макс": "максимум", "мемл": "мемлекеттік", "оңт": "оңтүстік", "солт": "солтүстік",
    "шығ": "шығыс", "халықар": "халықаралық", "шам": "шамамен", "тәул": "тәулік", "саб": "сабақ",
    "күнт": "күнтізбелік", "өлш": "өлшемі", "салм": "салмағы", "мед": "медициналық",
    "лейт": "лейтенант", "экз": "дана", "стр": "бет", "мл": "миллилитр", "км": "километр",
    "см": "сантиметр", "кг": "килограмм",
}  # fmt: skip
_ONLY_AFTER_NUMBER = frozenset("п б т тт с ж км см кг мл стр".split())
_ALSO_WORDS = frozenset(("қар", "мыс"))
"""Snow and copper: abbreviations only where a sentence goes on."""
_ALSO_VERBS = frozenset(("көш", "тұй"))
"""Imperatives: abbreviations only after a name."""
_ENDERS = frozenset("қ а ғ ғғ ж жж б т с тг млн млрд трлн сағ мин сек пәт бет обл ауд".split())
_OF_LAW = {"б": "бап", "т": "тармақ", "п": "тармақ", "тт": "тармақша"}
_LAW = re.compile(r"(?<!\w)(?:СК|ҚК|АК|ЕК|ӘҚБтК)(?!\w)|[Кк]одекс|[Зз]аң|[Ққ]аулы|[Бб]ұйры")
_HYPHENED = {
    "к-сі": "көшесі", "д-лы": "даңғылы", "даң-лы": "даңғылы", "р-ны": "ауданы",
    "мин-гі": "министрлігі", "ун-ті": "университеті", "ин-ты": "институты", "ғ-м": "ғылым",
    "қ-сы": "қаласы", "қ-ның": "қаласының", "ауд-ы": "ауданы", "обл-ы": "облысы",
}  # fmt: skip


_BEGINNING = {
    word.capitalize(): said.capitalize() for word, said in _JOINED.items() if word[0].islower()
}
_JOINED = {**_BEGINNING, **_JOINED}
_WITHOUT_SPACES = {word.replace(" ", ""): said for word, said in _JOINED.items()}
_SPACED = any_of(
    re.escape(word).replace(r"\ ", "").replace(r"\.", r"\. ?")
    for word in sorted(_JOINED, key=len, reverse=True)
)
_JOINED_PATTERN = re.compile(
    rf"(?<![\w.])(?P<word>{_SPACED})(?:\.|(?=[-–,;)]))(?:[-–](?P<ending>{ENDING}))?"
)
_PATTERN = re.compile(
    rf"(?<![\w./-])(?:(?P<possessed>{alternatives(_POSSESSED)})|(?P<word>{alternatives(_WORDS)}))\.(?!\w)"
    rf"(?:[-–](?P<ending>{ENDING}))?(?P<stop>\.)?|(?<![\w./-])(?P<hyphened>{alternatives(_HYPHENED)})(?![\w-])"
)
_CAPITAL = re.compile(
    r"(?<![\w./-])(?P<word>Көш|Даң|Мыс|Проф|Акад|Доц|Тел|Қар|Сур|Кест|Моб|Эл|Обл|Ауд|Мкр|Каб|Мемл|Оңт|Солт|Шығ|Халықар|Шам|Өлш|Салм|Мед|Макс)\.(?!\w)"
)
_MULTIPLES = re.compile(
    rf"(?<![\w])(млн|млрд|трлн)(?![\w])(?:\.(?= ?[а-яәғқңөұүһі]))?(?:[-–](?P<ending>{ENDING}))?"
)
_BEFORE_COLON = re.compile(r"(?<![\w])(?P<word>[Тт]ел|[Мм]об|[Мм]ек)(?=\.?:|\. \d)\.?")
_OWNER = re.compile(
    r"(?<!\w)(?!\w*(?:[лдт][ыі]қ?|[лдт][ыі]к|[дт][ае]н?|[ғгқк][ае]|және|мен|не|ғы|гі) $)"
    r"[А-ЯӘҒҚҢӨҰҮҺІа-яёәғқңөұүһі]{2,20} $"
)
"""A noun that a telephone is of, rather than an adjective or a case."""
_PLURALS = re.compile(r"(?<=[\w»\"]) (?P<word>ғғ|жж|ғ|ж)(?![\w.])")
_CAPITAL_LETTER = "[А-ЯӘҒҚҢӨҰҮҺІA-Z]"
_INITIALS = re.compile(
    r"(?<!тең )(?<!қосу )(?<!алу )(?<!бөлу )(?<!көбейту )(?<!екі )(?<!үш )(?<!Аш )(?<!Эр )"
    rf"(?<![\w])(?P<first>{_CAPITAL_LETTER})\. ?(?:(?P<second>{_CAPITAL_LETTER})\. ?)?"
    rf"(?={_CAPITAL_LETTER}[а-яёәғқңөұүһіa-z])"
)
_SURNAME_FIRST = re.compile(
    r"(?<=[а-яәғқңөұүһі]) (?P<first>[А-ЯӘҒҚҢӨҰҮҺІ])\. ?(?P<second>[А-ЯӘҒҚҢӨҰҮҺІ])\."
)
_NAMED_AFTER = re.compile(
    r"(?<=[а-яёәғқңөұүһі»\"] )ат\.(?= (?:[а-яәғқңөұүһі№«\d]|[А-ЯӘҒҚҢӨҰҮҺІ]{2}))"
)
_NAME_BEFORE = re.compile(
    r"(?:[А-ЯӘҒҚҢӨҰҮҺІ][\w-]*|[»\"\d]|(?<!\w)(?:хан|батыр|би|ана|ата|ақын|жырау|сұлтан)),? $"
)
_PLURAL_NEXT = re.compile(r" [а-яёәғқңөұүһі]{2,20}?[лдт][ае]р")
_GOES_ON = re.compile(r"[,:]| [^\W\dА-ЯӘҒҚҢӨҰҮҺІ]| \d")
_HOUSE_NEXT = re.compile(
    r",? ?(?:\d|бір|екі|үш|төрт|бес|алты|жеті|сегіз|тоғыз|он|жиырма|отыз|қырық|елу|алпыс|жетпіс"
    r"|сексен|тоқсан|жүз|мың)|,|$",
    re.IGNORECASE,
)
_NUMBER_BEFORE = re.compile(r"(?:\d|нш[ыі]|[а-яәғқңөұүһі]) ?$")


def joined_abbreviations(text: SpanText) -> SpanText:
    """Of several letters with points: before anything takes the points for ends."""
    return text.sub(_BEFORE_COLON, _before_colon).sub(_JOINED_PATTERN, _joined)


def abbreviations(text: SpanText) -> SpanText:
    """All others, and initials without their points."""
    text = text.sub(_INITIALS, _initials).sub(
        _SURNAME_FIRST, lambda m: f" {m['first']} {m['second']}"
    )
    text = text.sub(_NAMED_AFTER, _named_after).sub(
        _CAPITAL, lambda match: _name(match["word"].lower()).capitalize()
    )
    text = text.sub(_PATTERN, _said).sub(_MULTIPLES, _multiple)
    return text.sub(_PLURALS, lambda match: " " + _WORDS[match["word"]])


def _joined(match: re.Match[str]) -> str:
    word = match["word"]
    said = _WITHOUT_SPACES[word.replace(" ", "")]
    if match["ending"]:
        said = with_written(said, match["ending"])
    elif said.endswith("басқалар") and _PLURAL_NEXT.match(match.string, match.end()):
        said = said.removesuffix("лар")
    return said + _stop(match, word[0] in "тж")


def _before_colon(match: re.Match[str]) -> str:
    said = _telephone(match, _WORDS[match["word"].lower()])
    return said.capitalize() if match["word"][0].isupper() else said


def _telephone(match: re.Match[str], said: str) -> str:
    """``Байланыс тел.`` is ``Байланыс телефоны``."""
    of = said == "телефон" and _OWNER.search(_before(match))
    return "телефоны" if of else said


def _named_after(match: re.Match[str]) -> str | None:
    return "атындағы" if _NAME_BEFORE.search(_before(match)) else None


def _before(match: re.Match[str]) -> str:
    """Enough to see the word before."""
    return match.string[max(0, match.start() - 32) : match.start()]


def _name(word: str) -> str:
    return _POSSESSED.get(word) or _WORDS[word]


def _said(match: re.Match[str]) -> str | None:
    if match["hyphened"]:
        return _HYPHENED[match["hyphened"]]
    before = match.string[max(0, match.start() - 8) : match.start()]
    word = match["word"]
    if word in _ONLY_AFTER_NUMBER and not _NUMBER_BEFORE.search(before):
        return None
    if word in _OF_LAW and _LAW.search(match.string, max(0, match.start() - 80), match.start()):
        return _OF_LAW[word] + _stop(match, True)
    if word in _ALSO_WORDS and not _GOES_ON.match(match.string, match.end()):
        return None
    if match["possessed"]:
        if match["possessed"] == "к" and not _HOUSE_NEXT.match(match.string, match.end()):
            return None
        said = _POSSESSED[match["possessed"]]
        if len(match["possessed"]) == 1 and not before.strip():
            return "қала" if match["possessed"] == "қ" else None
        doubtful = len(match["possessed"]) == 1 or match["possessed"] in _ALSO_VERBS
        if doubtful and not _NAME_BEFORE.search(_before(match)):
            return None
        if match["possessed"] == "мкр" and (not before.strip() or before.rstrip()[-1] == ","):
            said = "шағын аудан"
        if match["ending"]:
            said = possessed(said, match["ending"])
    else:
        said = _telephone(match, _WORDS[word])
        if match["ending"]:
            said = with_written(said, match["ending"])
    ends = (word or match["possessed"]) in _ENDERS
    return said + (_stop(match, ends) if not match["stop"] else ".")


def _stop(match: re.Match[str], may_end: bool) -> str:
    """The point that ends the sentence too: at the end, and before a capital if ``may_end``."""
    after = match.string[match.end() : match.end() + 3]
    if not after.strip() or after[0] == "\n":
        return "."
    return "." if may_end and after[0] == " " and after[1].isupper() and _ends(match) else ""


def _ends(match: re.Match[str]) -> bool:
    """Not before a name that goes on: ``Алматы қ. Абай көш.``"""
    return match.group().rstrip(".")[-1:] in "бстж" and not match.group().startswith("ш")


def _initials(match: re.Match[str]) -> str:
    return f"{match['first']} {match['second']} " if match["second"] else f"{match['first']} "


def _multiple(match: re.Match[str]) -> str:
    said = SCALES[match[1]]
    return with_written(said, match["ending"]) if match["ending"] else said
