"""Which case the words before a number ask for."""

from __future__ import annotations

import re
from functools import lru_cache

from app_core.speech.text.russian.grammar.morphology import Form, forms, takes_object

_LOOK_BACK = 60
_WORD_BEFORE = re.compile(r"([А-Яа-яё]+) $")
_LAST_WORD = re.compile(r"(?<![\w-])[\w-]{1,40}+$")
_OPENERS = " \n(«\"'—–-"
_SKIPPED = frozenset(
    "примерно приблизительно почти всего целых ровно уже ещё еще только лишь где-то порой"
    " ориентировочно минимум максимум хотя бы аж чуть минус плюс".split()
)
_AFTER = {
    "gent": "ок. без от до из из-под из-за у около для после вместо кроме свыше более менее больше"
    " меньше выше ниже старше моложе младше дороже дешевле длиннее короче дольше порядка"
    " против вокруг возле ввиду вследствие накануне течение размере количестве районе пределах"
    " достиг достигла достигло достигли достигает достигнет превысив внутри среди посреди ради"
    " итогам итоги результатам протяжении возрасте радиусе высоте глубине расстоянии объёме"
    " объеме сумме менее-чем исходя истечении истечению синус косинус котангенс",
    "datv": "к ко благодаря согласно вопреки навстречу равен равна равны подобно",
    "ablt": "над перед передо между",
    "loct": "о об обо при",
}
_BEFORE_ONE_OF = {
    "в": ("accs", "loct"),
    "во": ("accs", "loct"),
    "на": ("accs", "loct"),
    "за": ("accs", "ablt"),
    "под": ("accs", "ablt"),
    "по": ("accs", "datv"),
    "с": ("gent", "ablt"),
    "со": ("gent", "ablt"),
    "через": ("accs",),
    "сумму": ("accs",),
    "про": ("accs",),
    "спустя": ("accs",),
    "сквозь": ("accs",),
}
_CASES: dict[str, tuple[str, ...]] = dict(_BEFORE_ONE_OF)
for _case, _words in _AFTER.items():
    _CASES.update(dict.fromkeys(_words.split(), (_case,)))
_PART_OF = re.compile(
    r"(?:(?:пункт|подпункт|част|абзац|глав|стать)\w{0,3}|(?<!\w)(?:п|пп|подп|ч|абз|гл)\.)"
    r" ?[\w.-]{1,20}\)? $"
)
_TOGETHER = re.compile(r"(?:соответствии|согласии|сравнении|связи|вместе|наряду|совместно)$")
_FROM = re.compile(
    r"(?<!\w)[Ии]з (?:г\.|города |с\.|пос\.)[^.,;]{2,30}$"
    r"|(?<!\w)(?:прибы|прие[хз]|поех|едет|еду|вылет|отправ"
    r"|переех|переезж|направ|достав|прилет)\w* в $"
)
_WEIGHS = frozenset(
    "стоит стоят стоил стоила стоило стоили стоить весит весят весил весила весить длится длятся"
    " длился длилась длилось длиться".split()
)
_NO_COUNT_AFTER = frozenset(
    "число числа"
    " дом дома доме квартира квартире кабинет кабинете офис офисе номер номере рейс рейсе аудитория"
    " комната комнате глава пункт статья страница школа школе лицей маршрут автобус".split()
)
_NUMBERED_BEFORE = re.compile(
    r"(?:пункт|подпункт|стать|част|глав|абзац|рисун|таблиц|параграф|раздел|приложени|задач|пример|упражнени|теорем|формул|страниц|вагон|мест[оае]$|кабинет|терминал|квартир|этаж|уровен|групп[аеу]$|маршрут|рейс|форм[аеуы]$|шаг$|урок$|поезд|вариант)"
)
ANY = ("nomn", "accs", "gent", "datv", "ablt", "loct")


def governed(text: str, at: int) -> tuple[str, ...]:
    """The cases that a number which begins at ``at`` may stand in, likely ones first; ANY where
    nothing asks for one."""
    before = text[max(0, at - _LOOK_BACK) : at].rstrip(_OPENERS)
    while before:
        before, _, word = before.rpartition(" ")
        word = word.lower()
        if word in ("с", "со") and _TOGETHER.search(before.lower()):
            return ("ablt",)
        if word not in _SKIPPED:
            return _CASES.get(word.lstrip(_OPENERS), ANY)
    return ANY


def shared_out(cases: tuple[str, ...], number: int) -> tuple[str, ...]:
    """``cases`` after «по»: the dative for one and a thousand (по одной тысяче), for others the
    accusative (по пять)."""
    if cases != _CASES["по"]:
        return cases
    ones = re.search(r"1$|1\d{3}$|1\d{6}$", str(number)) and not re.search(
        r"11(?:\d{3})*$", str(number)
    )
    return ("datv",) if ones else cases


def before_word(text: str, at: int) -> str:
    """The word right before ``at``, in small letters; empty after a mark or at the start."""
    before = text[max(0, at - _LOOK_BACK) : at].rstrip()
    return _last_word(before[before.rfind(" ") + 1 :])


@lru_cache(maxsize=1024)
def _last_word(before: str) -> str:
    word = _LAST_WORD.search(before.lower())
    return word.group() if word else ""


def is_numbered(text: str, at: int) -> bool:
    """Whether the number belongs to the noun before it: ``дом 5``, ``пункту 2``."""
    return _has_number(before_word(text, at))


@lru_cache(maxsize=1024)
def _has_number(word: str) -> bool:
    return word in _NO_COUNT_AFTER or _NUMBERED_BEFORE.match(word) is not None


def is_object(text: str, at: int) -> bool:
    """Whether the amount that begins at ``at`` is what is bought or paid: ``стоит 1 000``."""
    word = before_word(text, at)
    return bool(word) and (word in _WEIGHS or takes_object(word))


def case_of_amount(text: str, at: int, number: int = 0) -> str:
    """The case of an amount whose unit is an abbreviation or sign, and so shows none."""
    cases = shared_out(governed(text, at), number)
    return ("accs" if is_object(text, at) else "nomn") if cases is ANY else cases[0]


def case_of_noun(text: str, at: int) -> str:
    """The case of a noun whose abbreviation begins at ``at``: where, rather than whither."""
    cases = governed(text, at)
    if before_word(text, at) in ("угол", "углу", "пересечение", "пересечении", "перекрёсток"):
        return "gent"
    if cases == _CASES["в"] and _FROM.search(text[max(0, at - _LOOK_BACK) : at]):
        return "accs"
    if cases is ANY:
        return "gent" if _PART_OF.search(text[max(0, at - _LOOK_BACK) : at].lower()) else "nomn"
    return next((case for case in ("loct", "datv", "gent", "ablt") if case in cases), cases[0])


def is_met(ways: tuple[Form, ...], text: str, at: int) -> bool:
    """Whether somebody is the object of what is told: ``эвакуировали 125 жильцов, в том числе
    21 ребёнка``, and not whose something is: ``список 21 студента``."""
    if not any(way.animate and way.case == "accs" and way.gender == "masc" for way in ways):
        return False
    before = _WORD_BEFORE.search(text, max(0, at - 40), at)
    owner = (
        before
        and before[1].lower() != "числе"
        and any(form.part == "NOUN" for form in forms(before[1].lower()))
    )
    return not owner
