"""Days of the week: ``Пн–Пт``, ``сб, вс``, ``в ср. и пт.``, ``по вт.``."""

from __future__ import annotations

import re

from app_core.speech.text.russian.grammar.morphology import forms, inflect
from app_core.speech.text.span_text import SpanText

_NAMES = dict(
    zip(
        "пн вт ср чт пт сб вс".split(),
        "понедельник вторник среда четверг пятница суббота воскресенье".split(),
        strict=True,
    )
)
_DAY = "(?i:пн|вт|ср|чт|пт|сб|вс)"
_CASES = {
    "в": "accs",
    "во": "accs",
    "на": "accs",
    "за": "accs",
    "по": "datv",
    "к": "datv",
    "ко": "datv",
}
_CASES |= {"с": "gent", "со": "gent", "до": "gent", "кроме": "gent", "после": "gent"}
_DAYS = re.compile(
    rf"(?<![\w-])(?<!\d )(?:(?P<before>(?i:{'|'.join(_CASES)})) )?"
    rf"(?P<days>{_DAY}(?!\w)\.?(?:(?: ?[-–—] ?|/|,|(?<=\.) |(?:, | и |, и )(?:(?:в|во|по) )?)"
    rf"{_DAY}(?![\w-])\.?){{0,6}}+)"
)
_PART = re.compile(rf"(?P<link>[-–—]|, и|и|,|/)? ?(?:(?:в|во|по) )?(?P<day>{_DAY})\.?\s?")
_SURE_AFTER = re.compile(rf"\.?(?::|,? ?\d| с \d|, ?{_DAY}(?!\w)| —|$)|,(?= )")
_STARTS = re.compile(r"(?:^|[,:(\n;]|ник|верг|ица|реда|бота|енье) ?$")
_FROM_DAY = re.compile(rf"(?<!\w)(?i:со?) (?:{_DAY}\.?|[а-яё]{{5,12}}) $")
_NEXT = re.compile(r" ?([а-яё]{3,})")
_PARTS_OF_DAY = frozenset("утром вечером днём днем ночью после кроме или только".split())


def days(text: SpanText) -> SpanText:
    return text.sub(_DAYS, _said)


def _said(match: re.Match[str]) -> str | None:
    text, before = match.string, (match["before"] or "").lower()
    parts = list(_PART.finditer(match["days"]))
    if len(parts) == 1 and not _is_day(match, before):
        return None
    case = _CASES.get(before, "nomn")
    plural = before == "по" and not _FROM_DAY.search(text[: match.start()][-24:])
    if before == "по" and not plural:
        case = "accs"
    words, opened = [], before in ("с", "со")
    for number, part in enumerate(parts):
        name, link = _NAMES[part["day"].lower()], part["link"] or ""
        following = parts[number + 1]["link"] if number + 1 < len(parts) else ""
        if following in tuple("-–—") and before in ("", "с", "со", "кроме"):
            words.append(("" if opened else " с ") + inflect(name, "gent"))
            opened = False
        elif link in tuple("-–—") and number and before in ("", "с", "со", "кроме"):
            words.append(f" по {inflect(name, 'accs')}")
        else:
            joint = {"и": " и ", ", и": " и ", "-": " — "}.get(link, ", ") if number else ""
            if number and words[-1].startswith(" по ") and link in (",", ""):
                joint = ", "
            words.append(joint + inflect(name, case, plural))
    said = "".join(words).strip().replace("с с ", "с ").replace(",с", ", с")
    rest = text[match.end() :].lstrip(" ")
    stop = "." if match["days"].endswith(".") and (not rest or rest[0].isupper()) else ""
    return (f"{match['before']} " if before else "") + said + stop


def _is_day(match: re.Match[str], before: str) -> bool:
    """Of one alone: ``ср. зарплата`` and ``сб. статей`` are none."""
    text, rest = match.string, match.string[match.end() : match.end() + 24]
    following = _NEXT.match(rest)
    noun = following is not None and following[1] not in _PARTS_OF_DAY and bool(forms(following[1]))
    if noun and match["days"].lower() in ("ср.", "сб."):
        return False
    if before:
        return match["days"].endswith(".") or match["days"].lower() != "ср" or not noun
    if match["days"].endswith("."):
        usual = match["days"].lower() not in ("ср.", "сб.")
        return usual or bool(_SURE_AFTER.match(rest)) or following is not None and not noun
    if not _SURE_AFTER.match(rest):
        return False
    return rest[:1] not in ("", ",") or _STARTS.search(text[: match.start()][-8:]) is not None
