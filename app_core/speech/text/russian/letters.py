"""Names of letters, and abbreviations that are said by them."""

from __future__ import annotations

import re

from app_core.speech.text.russian.grammar.morphology import is_name, known
from app_core.speech.text.span_text import SpanText

CYRILLIC = {
    letter: name
    for letter, name in (
        pair.split(":")
        for pair in "А:а Б:бэ В:вэ Г:гэ Д:дэ Е:е Ё:ё Ж:жэ З:зэ И:и К:ка Л:эль М:эм Н:эн О:о П:пэ"
        " Р:эр С:эс Т:тэ У:у Ф:эф Х:ха Ц:цэ Ч:че Ш:ша Щ:ща Ы:ы Э:э Ю:ю Я:я Ъ:твёрдый·знак"
        " Ь:мягкий·знак Й:и·краткое".replace("·", "_").split()
    )
}
CYRILLIC = {letter: name.replace("_", " ") for letter, name in CYRILLIC.items()}
LATIN = {
    letter: name
    for letter, name in (
        pair.split(":")
        for pair in "A:а B:бэ C:цэ D:дэ E:е F:эф G:гэ H:аш I:и J:джей K:ка L:эль M:эм N:эн O:о P:пэ"
        " Q:ку R:эр S:эс T:тэ U:у V:вэ W:дубль-вэ X:икс Y:игрек Z:зет".split()
    )
}
CYRILLIC |= dict(zip("ӘҒҚҢӨҰҮҺІ", "э гэ ка эн о у у ха и".split(), strict=True))
_SPOKEN = {
    "КОАП": "коап",
    "КО": "ка о",
    "АД": "а дэ",
    "США": "сэ шэ а",
    "ФРГ": "фэ эр гэ",
    "ФСБ": "фэ эс бэ",
    "СССР": "эс эс эс эр",
    "КНР": "ка эн эр",
    "ОАЭ": "о а э",
    "ООН": "оон",
    "ИИН": "иин",
    "БИН": "бин",
    "ВУЗ": "вуз",
    "ЗАГС": "загс",
    "НАТО": "нато",
    "ОБСЕ": "обэсе",
    "ОДКБ": "о дэ ка бэ",
    "ЮНЕСКО": "юнеско",
    "ЮНИСЕФ": "юнисеф",
    "ЦОН": "цон",
    "АЗС": "а зэ эс",
    "АЭС": "аэс",
    "ГЭС": "гэс",
    "ТЭЦ": "тэц",
    "ГРЭС": "грэс",
    "МИД": "мид",
    "СМИ": "сми",
    "СПИД": "спид",
    "ТЮЗ": "тюз",
    "НИШ": "ниш",
    "КСК": "ка эс ка",
    "ОСИ": "оси",
    "МРП": "эм эр пэ",
    "МЗП": "эм зэ пэ",
    "ЕНТ": "е эн тэ",
    "ОГЭ": "огэ",
    "ЕГЭ": "егэ",
    "ЕАЭС": "еаэс",
    "ЕС": "е эс",
    "ЦУМ": "цум",
    "ГУМ": "гум",
    "ПИК": "пик",
    "ОСМС": "о эс эм эс",
    "ОСАГО": "осаго",
    "КАСКО": "каско",
    "ГАИ": "гаи",
    "ДТП": "дэ тэ пэ",
    "УЗИ": "узи",
    "ЭКГ": "э ка гэ",
    "ЛОР": "лор",
    "ВИЧ": "вич",
    "ОРВИ": "о эр вэ и",
    "КАЗ": "каз",
    "КОВИД": "ковид",
    "ГОСТ": "гост",
    "МРОТ": "мрот",
    "ДНК": "дэ эн ка",
    "ФИО": "фио",
    "ИНН": "и эн эн",
    "ИИК": "иик",
    "БИК": "бик",
    "КБЕ": "кбе",
    "КНП": "ка эн пэ",
    "ЭЦП": "э цэ пэ",
    "ЭДО": "э дэ о",
    "ОПВ": "о пэ вэ",
    "ЕНПФ": "е эн пэ эф",
    "ИП": "и пэ",
    "АО": "а о",
    "ТОО": "тэ о о",
    "ООО": "о о о",
    "КПП": "ка пэ пэ",
    "КТЖ": "ка тэ жэ",
    "ТЦ": "тэ цэ",
    "АН": "а эн",
    "УК": "у ка",
    "ПО": "пэ о",
    "ИТ": "ай ти",
    "ИИ": "и и",
    "ОС": "о эс",
    "ОЗУ": "о зэ у",
    "СУБД": "су бэ дэ",
    "ОКПО": "окпо",
    "ВВП": "вэ вэ пэ",
    "ВОЗ": "воз",
    "МОН": "мон",
    "МЧС": "эм че эс",
    "ОВД": "о вэ дэ",
    "МАИ": "маи",
    "ЗОЖ": "зож",
    "КВН": "ка вэ эн",
    "ЧС": "че эс",
    "ЧП": "че пэ",
    "СНГ": "эс эн гэ",
    "СТО": "эс тэ о",
    "ТО": "тэ о",
    "ПОС": "пос",
    "БАД": "бад",
    "ВТО": "вэ тэ о",
    "МВФ": "эм вэ эф",
    "ЦОС": "цос",
    "ЖКХ": "жэ ка ха",
    "ОКУ": "оку",
    "КПД": "ка пэ дэ",
    "НИИ": "нии",
    "ПДД": "пэ дэ дэ",
    "УВД": "у вэ дэ",
    "ЕРАП": "ерап",
    "АЛСЕКО": "алсеко",
    "ШОС": "шос",
    "БРИКС": "брикс",
    "ЭКО": "эко",
    "ЭКСПО": "экспо",
    "НУР": "нур",
    "ВКО": "вэ ка о",
    "ЗКО": "зэ ка о",
    "СКО": "эс ка о",
    "ЮКО": "ю ка о",
    "ЖКО": "жэ ка о",
}
_WORDS_IN_CAPITALS = frozenset(
    "ИЛИ МЫ ВЫ ТЫ ОН ОБ СО ВО ЕЁ ЕЕ УЖ БЫ ЖЕ ЛИ НИ ТО ЭХ АХ ОХ НУ ИХ ИМ НЕ НО ДА НА ЗА ИЗ ОТ ДО"
    " ПОД ПРИ ДЛЯ БЕЗ НАД ЭТО ВСЕ ВСЁ КАК ТАК".split()
)
_CAPITALS = re.compile(
    r"(?<![\w-])([А-ЯЁ]{2,6})(-(?:[аеиуыюя]|ом|ов|ам|ах|ей|ами|ой)(?!\w))?+(?!\w)"
)
_MIXED = re.compile(r"(?<!\w)([А-ЯЁ]{2,4})(?=-\d|\d| ?№)")
_DOTTED = re.compile(r"(?<![\w.])[А-ЯЁ]\.[А-ЯЁ]\.[А-ЯЁ]\.?(?!\w| ?[А-ЯЁ])")
_CAPITALS_INSIDE = re.compile(
    r"(?<![\w-])([А-ЯЁ][а-яё]{1,5}|[А-ЯЁ]{2,3}[а-яё]{1,2})([А-ЯЁ]{1,4})(?!\w)"
)
_VOWELS = "АЕЁИОУЫЭЮЯ"
_CAPITAL_WORD = re.compile(r"[А-ЯЁӘҒҚҢӨҰҮҺІ]{4,}")
_NEAR = 24
"""Characters on either side in which a word in capitals tells that all is written so."""
_INITIALS = re.compile(
    r"(?<![\w.])((?:[А-ЯЁӘҒҚҢӨҰҮҺІ]\.[ -]?){1,2})(?=[А-ЯЁӘҒҚҢӨҰҮҺІ][а-яёәғқңөұүһі]+)"
)
_INITIALS_AFTER = re.compile(
    r"(?<!\w)(?P<name>[А-ЯЁӘҒҚҢӨҰҮҺІ][а-яёәғқңөұүһі]+ )([А-ЯЁ])\. ?([А-ЯЁ])\."
    r"(?! ?[А-ЯЁӘҒҚҢӨҰҮҺІ][а-яё])"
    r"(?=(?P<end> ?$)?)"
)


_ITEM = re.compile(r"(?<![\w(-])([a-zа-яё])(?=\) ?[^\W_])")
"""The letter of a list: ``б)``."""
_ONE_LATIN = re.compile(
    r"(?<![\w.'’&-])(?<![A-Za-z] )([A-Z])(?![\w'’&-]|\.\w|\.? ?[A-Za-z]|\. [А-ЯЁ])"
)


def _one_latin(match: re.Match[str]) -> str:
    return LATIN[match[1]]


def letters(text: SpanText) -> SpanText:
    """``МЧС``, ``А. С. Пушкин``, ``КазНУ``."""
    text = text.sub(_DOTTED, lambda match: _by_name(match.group().replace(".", "")))
    text = text.sub(_ITEM, lambda match: spelled(match[1])).sub(_ONE_LATIN, _one_latin)
    text = text.sub(_CAPITALS_INSIDE, _inside)
    text = (
        text.sub(_INITIALS_AFTER, _initials_after)
        .sub(_ONE_AFTER, _one_after)
        .sub(_INITIALS, _initials)
    )
    return text.sub(_MIXED, lambda match: _by_name(match[1])).sub(_CAPITALS, _capitals)


def _inside(match: re.Match[str]) -> str:
    """``КазНУ`` is said as a word, ``КазНПУ`` is not."""
    end = match[2]
    if match.group().upper() in _SPOKEN:
        return _SPOKEN[match.group().upper()]
    if any(char in _VOWELS for char in end[1:]) or (len(end) == 1):
        return match.group().lower()
    return f"{match[1].lower()} {spelled(end)}"


def _initials(match: re.Match[str]) -> str | None:
    following = _NAME_NEXT.match(match.string, match.end())
    if match[1].count(".") == 1 and following and not is_name(following[0].lower()):
        return None  # the letter of a list
    names = [CYRILLIC[char] for char in match[1] if char in CYRILLIC]
    return " ".join(names) + " "


def _initials_after(match: re.Match[str]) -> str:
    names = f"{match['name']}{CYRILLIC[match[2]]} {CYRILLIC[match[3]]}"
    return names + ("." if match["end"] is not None else "")


_NAME_NEXT = re.compile(r"\w+")
_ONE_AFTER = re.compile(r"(?<!\w)([А-ЯЁӘҒҚҢӨҰҮҺІ][а-яёәғқңөұүһі]{2,20} )([А-ЯЁ])\.(?= [а-яё—]|$)")


def _one_after(match: re.Match[str]) -> str:
    return match[1] + CYRILLIC[match[2]] + "." * (match.end() == len(match.string))


def _by_name(word: str) -> str:
    return _SPOKEN.get(word) or spelled(word)


def spelled(word: str) -> str:
    """The names of the letters, Latin ones too."""
    return " ".join(CYRILLIC.get(char) or LATIN.get(char, char) for char in word.upper())


def _capitals(match: re.Match[str]) -> str | None:
    word = match[1]
    ending = (match[2] or "").lstrip("-")
    if word in _SPOKEN and not _shouted(match):
        said = _SPOKEN[word]
        return said + ending if ending and " " not in said else said
    if word in _WORDS_IN_CAPITALS or _shouted(match):
        return None
    if _pronounceable(word) or (
        len(word) > 2 and known(word.lower()) and any(char in _VOWELS for char in word)
    ):
        return word.lower() + ending
    return spelled(word)


def _shouted(match: re.Match[str]) -> bool:
    """Whether words around it are in capitals too."""
    text = match.string
    around = (
        text[max(0, match.start() - _NEAR) : match.start()]
        + " "
        + text[match.end() : match.end() + _NEAR]
    )
    return any(
        word not in _SPOKEN and known(word.lower()) for word in _CAPITAL_WORD.findall(around)
    )


def _pronounceable(word: str) -> bool:
    """Consonants and vowels take turns, and a consonant begins: МИД, НАТО."""
    if len(word) < 3 or word[0] in _VOWELS:
        return False
    shape = "".join("v" if char in _VOWELS else "c" for char in word)
    return re.fullmatch(r"(?:cv){1,3}c?", shape) is not None
