"""Abbreviations in capitals: what they stand for with its ending, or the names of the letters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.kazakh.harmony import ENDING, possessed, with_written

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_POSSESSED = {
    "ҚР": "Қазақстан Республикасы", "АҚШ": "Америка Құрама Штаттары",
    "БҰҰ": "Біріккен Ұлттар Ұйымы", "ТМД": "Тәуелсіз Мемлекеттер Достастығы",
    "ІІМ": "Ішкі істер министрлігі", "СІМ": "Сыртқы істер министрлігі",
    "ТЖМ": "Төтенше жағдайлар министрлігі", "ДСМ": "Денсаулық сақтау министрлігі",
    "БҒМ": "Білім және ғылым министрлігі", "ДДҰ": "Дүниежүзілік денсаулық сақтау ұйымы",
    "ДДСҰ": "Дүниежүзілік денсаулық сақтау ұйымы", "ДСҰ": "Дүниежүзілік сауда ұйымы",
    "ШЫҰ": "Шанхай ынтымақтастық ұйымы", "ҰҚШҰ": "Ұжымдық қауіпсіздік шарты ұйымы",
    "ЕҚЫҰ": "Еуропадағы қауіпсіздік және ынтымақтастық ұйымы",
    "ЕАЭО": "Еуразиялық экономикалық одағы", "ХВҚ": "Халықаралық валюта қоры",
    "КСРО": "Кеңестік Социалистік Республикалар Одағы",
    "ШҚО": "Шығыс Қазақстан облысы", "БҚО": "Батыс Қазақстан облысы",
    "СҚО": "Солтүстік Қазақстан облысы", "ОҚО": "Оңтүстік Қазақстан облысы",
    "СҮ": "сауда үйі", "БО": "бизнес орталығы",
    "СОО": "сауда ойын сауық орталығы", "ҰК": "ұлттық компаниясы",
    "ҚТЖ": "Қазақстан темір жолы", "ҚК": "Қылмыстық кодексі",
    "ЖТСМ": "жылдық тиімді сыйақы мөлшерлемесі",
    "ҰҚК": "Ұлттық қауіпсіздік комитеті", "ҰБ": "Ұлттық банкі",
    "ҚХА": "Қазақстан халқы ассамблеясы",
    "БЖЗҚ": "бірыңғай жинақтаушы зейнетақы қоры",
    "ХҚКО": "халыққа қызмет көрсету орталығы", "ЖОО": "жоғары оқу орны",
    "ЖСН": "жеке сәйкестендіру нөмірі", "БСН": "бизнес сәйкестендіру нөмірі",
    "ЖСК": "жеке сәйкестендіру коды", "БАҚ": "бұқаралық ақпарат құралдары",
    "ҚҚС": "қосылған құн салығы", "ЖТС": "жеке табыс салығы", "КТС": "корпоративтік табыс салығы",
    "ӘЧ": "әлем чемпионаты", "ЕЧ": "Еуропа чемпионаты", "АЧ": "Азия чемпионаты",
    "ҚПЛ": "Қазақстан премьер лигасы", "ЧЛ": "Чемпиондар лигасы",
    "ХОК": "Халықаралық олимпиада комитеті",
    "ЖЭО": "жылу электр орталығы",
    "ТҮК": "тұрғын үй кешені",
    "ШЖҚ": "шаруашылық жүргізу құқығы",
    "ЖАО": "жергілікті атқарушы органдары", "ҰОС": "Ұлы Отан соғысы",
}  # fmt: skip
_PLAIN = {
    "ЖИ": "жасанды интеллект", "ЖК": "жеке кәсіпкер", "ҰБТ": "ұлттық бірыңғай тестілеу",
    "ЭЦҚ": "электрондық цифрлық қолтаңба", "ЕО": "Еуропалық Одақ", "ІЖӨ": "ішкі жалпы өнім",
    "ЖІӨ": "жалпы ішкі өнім", "АЕК": "айлық есептік көрсеткіш", "РФ": "Ресей Федерациясы",
    "ҚХР": "Қытай Халық Республикасы", "МӘМС": "міндетті әлеуметтік медициналық сақтандыру",
    "ТЖ": "төтенше жағдай", "ЖКО": "жол көлік оқиғасы", "ЖҚО": "жаңартылатын қуат көзі",
    "ЖЭК": "жаңартылатын энергия көздері", "АЭС": "атом электр станциясы",
    "ГЭС": "су электр станциясы", "СЭС": "су электр станциясы", "ЖЭС": "жылу электр станциясы",
    "МЖӘ": "мемлекеттік жекешелік әріптестік", "ШОБ": "шағын және орта бизнес",
    "ТҮКШ": "тұрғын үй коммуналдық шаруашылық", "БЖБ": "бөлім бойынша жиынтық бағалау",
    "ТЖБ": "тоқсан бойынша жиынтық бағалау", "ККМ": "коммуналдық мемлекеттік мекеме",
    "КММ": "коммуналдық мемлекеттік мекеме", "РММ": "республикалық мемлекеттік мекеме",
    "МКҚК": "мемлекеттік коммуналдық қазыналық кәсіпорын",
    "ЖЖМ": "жанар жағармай", "ҚМЖ": "қысқа мерзімді жоспар",
    "ИИН": "жеке сәйкестендіру нөмірі", "БИН": "бизнес сәйкестендіру нөмірі",
}  # fmt: skip
_POSSESSED_IN_SPITE = frozenset(("РФ", "ҚХР", "АЭС", "ГЭС", "СЭС", "ЖЭС", "ЖЭК", "ИИН", "БИН"))
_COMPANIES = {
    "ЖШС": "жауапкершілігі шектеулі серіктестігі", "АҚ": "акционерлік қоғамы",
    "ҰАҚ": "ұлттық акционерлік қоғамы", "ҚБ": "қоғамдық бірлестігі", "ҚҚ": "қоғамдық қоры",
    "КМК": "коммуналдық мемлекеттік кәсіпорны", "ШҚ": "шаруа қожалығы",
    "КЕАҚ": "коммерциялық емес акционерлік қоғамы",
}  # fmt: skip
"""In the form that stands after a company's name."""
_LETTERS = {
    "Б": "бэ", "В": "вэ", "Г": "гэ", "Ғ": "ға", "Д": "дэ", "Ж": "жэ", "З": "зэ", "Й": "ый",
    "К": "ка", "Қ": "қа", "Л": "эл", "М": "эм", "Н": "эн", "Ң": "эң", "П": "пэ", "Р": "эр",
    "С": "эс", "Т": "тэ", "Ф": "эф", "Х": "ха", "Һ": "һа", "Ц": "цэ", "Ч": "че", "Ш": "ша",
    "Щ": "ща",
}  # fmt: skip
_SPOKEN = {
    "ТВ": "тэ вэ", "СМС": "эс эм эс", "ФМ": "эф эм", "ДНҚ": "дэ эн қа", "БМВ": "бэ эм вэ",
}  # fmt: skip
_CAPITALS = "А-ЯЁӘҒҚҢӨҰҮҺІ"
_ACRONYM = re.compile(
    rf"(?<![\w.-])(?P<word>[{_CAPITALS}]{{2,5}})(?![\w])(?:[-–’](?P<ending>{ENDING}))?(?![-–]\w)"
)
_VOWEL = re.compile("[АЕЁИОУЫЭЮЯӘӨҰҮІ]")
_POSSESSIVE_NEXT = re.compile(rf" [{_CAPITALS}а-яёәғқңөұүһі-]{{3,40}}[ыі](?![\w])")
_IZAFET = frozenset(("ҚР",))
_LOUD = re.compile(
    rf"[{_CAPITALS}]{{4,}} [{_CAPITALS}]{{2,}}|[{_CAPITALS}]{{2,}} [{_CAPITALS}]{{4,}}"
)
_NAMED = re.compile(r"[»\"”]\s?$")


def acronyms(text: SpanText) -> SpanText:
    """``АҚШ-та`` is ``Америка Құрама Штаттарында``, ``ҚНБ`` is ``қа эн бэ``."""
    return text.sub(_ACRONYM, _said)


def _said(match: re.Match[str]) -> str | None:
    said = _stands_for(match)
    return said and said[0].upper() + said[1:]


def _stands_for(match: re.Match[str]) -> str | None:
    word, ending = match["word"], match["ending"]
    if word == "АҚШ" and match.string.startswith(" доллар", match.end()):
        return "Америка"  # as announcers say it
    if word in _COMPANIES:
        return _company(match)
    said = _POSSESSED.get(word) or _PLAIN.get(word)
    if said and not _explained(match):
        if word in _POSSESSED or word in _POSSESSED_IN_SPITE:
            return possessed(said, ending) if ending else said + _genitive(match)
        return with_written(said, ending) if ending else said
    if word in _SPOKEN:
        return with_written(_SPOKEN[word], ending) if ending else _SPOKEN[word]
    if _VOWEL.search(word) and not said:
        return with_written(word, ending) if ending else None
    around = match.string[max(0, match.start() - 12) : match.end() + 12]
    if _LOUD.search(around) and not ending:
        return None
    said = " ".join(_LETTERS.get(letter, letter.lower()) for letter in word)
    return with_written(said, ending) if ending else said


def _explained(match: re.Match[str]) -> bool:
    """``Жасанды интеллект (ЖИ)``: what it stands for has just been said."""
    word, string = match["word"], match.string
    if string[match.start() - 1 : match.start()] != "(":
        return False
    before = string[max(0, match.start() - 100) : match.start() - 1].split()[-len(word) :]
    return "".join(part[0] for part in before).upper() == word


def _genitive(match: re.Match[str]) -> str:
    """``ҚР Президенті`` is ``Қазақстан Республикасының Президенті``."""
    if match["word"] not in _IZAFET:
        return ""
    return "ның" if _POSSESSIVE_NEXT.match(match.string, match.end()) else ""


def _company(match: re.Match[str]) -> str | None:
    said, ending = _COMPANIES[match["word"]], match["ending"]
    named = _NAMED.search(match.string, max(0, match.start() - 2), match.start())
    if match["word"] == "АҚ" and not named and not match.string.startswith(" «", match.end()):
        return None  # "white"
    if match["word"] == "ЖШС" and not named:
        bare = "жауапкершілігі шектеулі серіктестік"
        return with_written(bare, ending) if ending else bare
    return possessed(said, ending) if ending else said
