"""Years, school years, decades, centuries before our era."""

from __future__ import annotations

import re

from app_core.speech.text.russian.grammar.government import ANY, before_word, case_of_noun, governed
from app_core.speech.text.russian.grammar.morphology import inflect
from app_core.speech.text.russian.grammar.numbers import ordinal
from app_core.speech.text.span_text import SpanText

_YEAR = r"(?:1\d{3}|20\d{2}|21\d{2})"
_CASE_OF = {"год": "nomn", "года": "gent", "году": "loct", "годом": "ablt", "годе": "loct"}
_CASE_OF |= {"годы": "nomn", "годов": "gent", "годам": "datv", "годами": "ablt", "годах": "loct"}
_WORD = (
    r"(?:г\. ?[врп]\.|годами|годам|годах|годов|годом|годы|году|годе|года|год|гг\.?|г\.г\.?|г\.?)"
)
_SCHOOL = r"(?= учебн| отчётн| отчетн| финансов)"
_RANGE = re.compile(
    rf"(?<![\w.,/-])(?P<first>{_YEAR})(?: ?[-–—] ?|/)(?P<second>{_YEAR}|\d\d)(?![\w/-])"
    rf"(?: ?(?P<word>{_WORD})(?!\w)|(?P<school>{_SCHOOL}))?"
)
_LIST = re.compile(
    rf"(?<![\w.,/-])(?P<year>{_YEAR})(?= (?:и|или|по|до) {_YEAR}-?(?:й|м|го)? ?{_WORD}"
    rf"(?!\w)|, {_YEAR} ?{_WORD}(?!\w))"
)
_ONE = re.compile(
    rf"(?<![\w.,/-])(?P<year>\d{{3,4}}) ?(?P<word>{_WORD})(?!\w)(?P<era> до н\.? ?э| н\.? ?э)?"
)
_SCHOOL_ADJECTIVE = re.compile(rf"(?<![\w.,/-])(?P<year>{_YEAR})(?P<school>{_SCHOOL})")
_ALONE = re.compile(
    rf"(?<![\w.,/-])(?P<year>{_YEAR})(?=[)\];!?]|[.,:](?!\d)|$|\n| "
    rf"(?:по|до|и|—|мы|он|она|они|я|вы|в|на"
    rf"|был[аои]?|будет|компания|наша)(?!\w))"
)
_MONTH_BEFORE = re.compile(
    r"(?:январ|феврал|март|апрел|ма|июн|июл|август|сентябр|октябр|ноябр|декабр)(?:е|ь|я|ю|й|ем)?$"
)
_SEASON_BEFORE = re.compile(
    r"(?:весн|лет|осен|зим|квартал|полугоди|конц|начал|итог|бюджет|выпуск)\w{0,3}$"
)
_QUARTER = re.compile(r"(?<![\w.,])([1-4]|I{1,3}|IV)(?:-?й)? ?кв(?!\w)\.?(?= \d{4}| —)")
_TERM = re.compile(
    r"(?<![\w.,])(?P<number>[1-4]|I{1,3}|IV)(?:-?[йяюе])? ?(?P<what>четв|полуг)\.(?!\w)"
)
_YEAR_OF = re.compile(r"(?<!\w)[Гг]од(?: [а-яё]{3,20}){0,2} ?[:—–] ?$")
_ABBREVIATED = re.compile(
    r"(?<!\w)(?:мес|кв|пол|полуг|янв|фев|мар|апр|авг|сент?|окт|нояб?|дек)\. ?$"
)
_DECADE = re.compile(r"(?<=\d-)(?P<ending>х|ых|е|ые|м|ми) гг(?!\w)\.?(?P<end>(?= ?(?:$|[А-ЯЁ])))?")
_ASIDE = re.compile(r"\([^()]{1,40}\) ?$")
_ERA = re.compile(r"(?<!\w)(до )?н\. ?э(?!\w)\.?(?P<end>(?= ?[А-ЯЁ]|$))?")


def years(text: SpanText) -> SpanText:
    """``в 2026 году``, ``2024/25``, ``1941–1945 гг.``, ``в 2026``, ``до н. э.``"""
    text = text.sub(_PART_OF_TIME, _part_of_time)
    text = text.sub(_DECADE, _decade).sub(_QUARTER, _quarter).sub(_TERM, _term).sub(_RANGE, _range)
    text = text.sub(_LIST, _listed).sub(_ONE, _one).sub(_SCHOOL_ADJECTIVE, _school)
    text = text.sub(_ALONE, _alone)
    return text.sub(_ERA, lambda match: (match[1] or "") + "нашей эры" + _stop(match))


_PARTS_OF_TIME = {"нач": "начало", "кон": "конец", "сер": "середина", "пол": "половина"}
_PART_OF_TIME = re.compile(
    rf"(?<!\w)(?P<part>{'|'.join(_PARTS_OF_TIME)})\. ?"
    r"(?=[IVXХ]{1,6} ?(?:в|ст|тыс)|\d{4}|\d0-х|века|столет|года|[а-яё]+(?:ря|ля|ня|та|мая) )"
)


def _part_of_time(match: re.Match[str]) -> str:
    """``в нач. XX в.``, ``2-я пол. 1990 г.``"""
    noun = _PARTS_OF_TIME[match["part"]]
    text, at = match.string, match.start()
    case = case_of_noun(text, at)
    ended = re.search(r"\d-(й|я|ю) $", text[max(0, at - 6) : at])
    if ended:
        asked = case_of_noun(text, at - len(ended.group()))
        case = {"я": "nomn", "ю": "accs"}.get(ended[1], "gent" if asked == "nomn" else asked)
    return inflect(noun, case) + " "


def _quarter(match: re.Match[str]) -> str:
    number = {"I": 1, "II": 2, "III": 3, "IV": 4}.get(match[1]) or int(match[1])
    case = _case(match.string, match.start())
    return f"{ordinal(number, case)} {inflect('квартал', case)}"


def _term(match: re.Match[str]) -> str:
    """``за III четв.``"""
    noun, gender = {"четв": ("четверть", "femn"), "полуг": ("полугодие", "neut")}[match["what"]]
    written = match["number"]
    number = {"I": 1, "II": 2, "III": 3, "IV": 4}.get(written) or int(written)
    case = _case(match.string, match.start())
    rest = match.string[match.end() : match.end() + 2].strip()
    stop = "." if rest.isupper() else ""
    return f"{ordinal(number, case, gender)} {inflect(noun, case)}{stop}"


_IN_YEARS = re.compile(r"(?<!\w)[ВвОо]о? [\dхи ,–—-]{1,20}$")


def _decade(match: re.Match[str]) -> str:
    """``1860-х гг.``"""
    form = {"е": "годы", "ые": "годы", "м": "годам", "ми": "годами"}.get(match["ending"], "годов")
    if form == "годов" and _IN_YEARS.search(
        match.string[max(0, match.start() - 24) : match.start()]
    ):
        form = "годах"
    return f"{match['ending']} {form}" + ("." if match["end"] is not None else "")


def _stop(match: re.Match[str]) -> str:
    """The point that ends a sentence too."""
    return "." if match["end"] is not None and match.group().endswith(".") else ""


def _case(text: str, at: int) -> str:
    """Of a year whose word is an abbreviation."""
    aside = _ASIDE.search(text[max(0, at - 60) : at])
    at -= len(aside.group()) if aside else 0
    before = before_word(text, at)
    cases = governed(text, at)
    if _ABBREVIATED.search(text[max(0, at - 8) : at]):
        return "gent"
    if before in ("в", "во"):
        return "loct"
    if before in ("за", "на", "по", "через"):
        return "accs"
    if cases is not ANY:
        return cases[0]
    return "gent" if before and (before.isalpha() or "-" in before) else "nomn"


def _range(match: re.Match[str]) -> str | None:
    word = (match["word"] or "").lower()
    first, second = int(match["first"]), int(match["second"])
    written_short = len(match["second"]) == 2
    text, at = match.string, match.start()
    if written_short and not (word or match["school"] or second == first % 100 + 1):
        return None
    if not written_short and not word and not match["school"] and second <= first:
        return None
    if match["school"]:
        adjective = text[match.end() : match.end() + 20].split()[0].lower()
        case = {"ом": "loct", "го": "gent", "му": "datv", "ый": "nomn"}.get(adjective[-2:], "nomn")
    else:
        case = _CASE_OF.get(word, _case(text, at) if word or before_word(text, at) else "nomn")
        case = "datv" if word == "году" and before_word(text, at) in ("к", "ко") else case
    plural = {"nomn": "годы", "accs": "годы", "gent": "годов", "datv": "годам"}
    plural |= {"ablt": "годами", "loct": "годах"}
    said = f"{ordinal(first, case)} — {ordinal(second, case)}"
    if not word:
        return said
    return (
        f"{said} {plural[case] if word.startswith('г') and word[1:2] in ('г', '.', '') else word}"
        + ("." if word.endswith(".") and _ends(match) else "")
    )


def _ends(match: re.Match[str]) -> bool:
    """Whether the point of an abbreviation closes a sentence too."""
    rest = match.string[match.end() : match.end() + 4].lstrip(" ")
    if opens_sentence(match.string, match.start()) and rest:
        return False
    return not rest or rest[0] in "\n" or rest[0].isupper()


def opens_sentence(text: str, at: int) -> bool:
    """Whether only a word or two of the sentence stand before ``at``: ``В 1465 г. Керей``."""
    before = re.split(r"[.!?\n]", text[max(0, at - 40) : at])[-1].strip()
    return len(before) < 20 and len(before.split()) <= 2


def _listed(match: re.Match[str]) -> str:
    text, at = match.string, match.start()
    return ordinal(int(match["year"]), _case(text, at))


def _one(match: re.Match[str]) -> str | None:
    word, year = match["word"].lower(), int(match["year"])
    text, at = match.string, match.start()
    old = len(match["year"]) == 3 and before_word(text, at) in ("в", "до", "после") and word == "г."
    if len(match["year"]) == 3 and not match["era"] and not old and not _old(match):
        return None
    era = match["era"] or ""
    if word.endswith(("в.", "р.", "п.")):
        kind = {"в": "выпуска", "п": "постройки"}.get(word[-2], "рождения")
        return f"{ordinal(year, 'gent')} года {kind}"
    if word.startswith("год"):
        case = _CASE_OF.get(word)
        if case is None or word in ("годы", "годов", "годам", "годах", "годами"):
            return None
        before = before_word(text, at)
        case = "datv" if word == "году" and before in ("к", "ко", "по") else case
        case = "accs" if word == "год" else case
        return f"{ordinal(year, case)} {word}{era}"
    if not 1000 <= year < 2200 and not era and not old:
        return None
    case = _case(text, at)
    form = {"nomn": "год", "accs": "год", "gent": "года", "ablt": "годом"}.get(case, "году")
    return f"{ordinal(year, case)} {form}{era}" + (
        "." if word.endswith(".") and not era and _ends(match) else ""
    )


def _old(match: re.Match[str]) -> bool:
    """Whether three digits are a year: ``в 751 году``, ``до 751 года``, but not ``за 101 год``."""
    word, year = match["word"].lower(), int(match["year"])
    before = before_word(match.string, match.start())
    if word == "году":
        return True
    if word == "года":
        return before in ("до", "после", "с", "от") or year % 10 not in (2, 3, 4)
    return word == "год" and year % 10 != 1


def _school(match: re.Match[str]) -> str:
    adjective = match.string[match.end() : match.end() + 20].split()[0].lower()
    case = {"ом": "loct", "го": "gent", "му": "datv"}.get(adjective[-2:], "nomn")
    return ordinal(int(match["year"]), case)


def _alone(match: re.Match[str]) -> str | None:
    """A year without its word: only where little else can be meant."""
    text, at, year = match.string, match.start(), int(match["year"])
    before = before_word(text, at)
    if text[at - 1 : at] == "(" and text[match.end() : match.end() + 1] == ")" and year >= 1500:
        return ordinal(year)
    aside = text[max(0, at - 60) : at].rpartition("(")[2]
    if 1900 <= year < 2100 and aside.endswith(", ") and ")" not in aside and "(" in text[:at]:
        return ordinal(year) if text[match.end() : match.end() + 1] == ")" else None
    if _YEAR_OF.search(text[max(0, at - 40) : at]):
        return ordinal(year)
    if _MONTH_BEFORE.search(before) and before not in ("ма",):
        return ordinal(year, "gent") + " года"
    if not 1800 <= year < 2100 or year % 100 == 0 and year != 2000:
        return None
    if _SEASON_BEFORE.search(before):
        return f"{ordinal(year, 'gent')} года"
    if before in ("в", "с", "со", "до", "после", "к", "от", "за"):
        return ordinal(year, _case(text, at))
    return None
