"""Which language a sentence is in: by its letters, its function words and its endings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from app_core.speech.text.letters import latin_kazakh
from app_core.speech.text.letters.cyrillic import KAZAKH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

_RUSSIAN_WORDS = frozenset(
    "в на и не с что это как по для к из за о но а со во ко об от до при под над про без через"
    " между она они мы вы ты мой моя моё мои наш наша ваш ваша его её ее их им нам вам вас нас"
    " меня тебя мне тебе ему ей уже ещё еще если или когда где есть был была было были будет будут"
    " так же бы ли чтобы кто какой какая какие который которая которые этот эта эти того этого"
    " сегодня завтра вчера очень можно нужно надо нет да здравствуйте привет спасибо пожалуйста"
    " добрый день доброе утро вечер всё все вот только тоже"
    " после перед сейчас здесь там потом тенге руб ул обл пр кв стр год года году".split()
)
_RUSSIAN_ENDING = re.compile(
    r".{2,}(?:ого|его|ому|ему|ый|ий|ая|яя|ое|ее|ые|ие|ых|их|ым|ими|ыми|ть|ться|тся|ость|ости|ение"
    r"|ения|ению|ция|ции|цию|ает|ают|яет|ует|уют|ишь|ешь|ете|ите|ила|или|ала|али|ало|ыла|ыли|ел|ил"
    r"|ами|ями|йте|ках|ской|ная|ной|ную|ную|ным)"
)
_RUSSIAN_LETTERS = frozenset("щъцчфьвёэ")
"""Kazakh has them in loans alone."""
_KAZAKH_WORDS = frozenset(
    "де ге ден нен дан астам жсн жшс мен сен сіз біз олар бұл сол осы анау мынау бар жоқ емес"
    " және бен пен ал бірақ деп дейді екен еді болды болады болып болған керек тек барлық көп"
    " қалай қайда қашан неге кім не маған саған оған менің сенің оның біздің сіздің үшін"
    " туралы дейін кейін бүгін ертең кеше рақмет рахмет салем сәлем ма ме ба бе па пе иә"
    " кеткен келген мына ана анда сонда мунда бир мында осында дос балам апа ата бала калай"
    " кайда жаксы барма жылы жыл атты арасында алдында бойынша арналған тамаша сондай андай"
    " мундай алды алып барады келеді келеди жатыр отыр тур бойы атым жасым есимим".split()
)
_KAZAKH_ENDING = re.compile(
    r".{2,}(?:лар|лер|дар|дер|тар|тер|лары|лери|дары|тары|ларын|нан|нен|дан|ден|тан|тен|мын|сын|сыз"
    r"|амын|емин|ады|айды|ейди|атын|аты|сы|ып|лык|лыгы|ымыз|ынын|дагы|деги|лай|лап|мак|мек|йык|йсыз"
    r"|ндар|шы|лы|ды|ты|мыз|сыздар|мен|бен|пен|ны|ра|рак|йын|йик|дым|тым|дик|ган|кан|ген)"
)
_ENGLISH_WORDS = frozenset(
    "the a an is are was were be been am to of in on at for with from by and or not it its it's"
    " this that these those you your we our they their he she his her him me my i i'm you're we're"
    " don't do does did have has had will would can could should what how where when why who which"
    " there here if then but so as all no yes please thank thanks hello hi good morning day new"
    " about into up out over just like get let's now".split()
)
_KAZAKH_LATIN = re.compile(
    r".*q(?!u).*|.{2,}(?:dyn|nyn|nyz|syz|syn|myn|dyq|dym|tym|laryn|darym|mady|[aeiy]m[iy]z|[ae]myn|emin|yly|lyq|[dn]in|[ns]iz|leri|lary)"
)
_PERHAPS_KAZAKH = re.compile(r".{2,}(?:lar|dar|tar|ler|der|men|da|de|dan|den|ga|ge|ap|yp|ip|im|ym)")
_NAME = re.compile(
    r"[a-z]{3,}(?:ova|eva|ov|ev|ina|ovna|evna|ovich|evich|uly|kyzy|qyzy|bek|gul|bayev|zhan|khan)"
)
_WEAK = frozenset("а да не ана ол де ге ден нен дан га".split())
"""Words of more than one language."""


_SURE, _KNOWN = 2.0, 0.4
_SPECIAL, _NAMED = 2.2, 1.1
"""For a word with a letter of Kazakh alone; a name may stand in any language."""
_ANYWHERE = frozenset("tenge bar men an ne er sol su til jan tan ana ata apa ma ba tun dos".split())
"""Kazakh words in Latin letters that other languages have too."""
_EUROPEAN = frozenset("éèêëàâãåæçïîôõøœß")
"""In words of other languages that may have letters of Kazakh too: naïve, Noël."""
CYRILLIC = re.compile(r"[Ѐ-ӿ]")


class Evidence(NamedTuple):
    """How much speaks for each language."""

    ru: float = 0.0
    kk: float = 0.0
    en: float = 0.0


def evidence(text: str) -> Evidence:
    return evidence_of_all(evidence_of(match.group()) for match in _WORD.finditer(text))


def evidence_of_all(words: Iterable[Evidence]) -> Evidence:
    ru = kk = en = 0.0
    for word in words:
        ru, kk, en = ru + word.ru, kk + word.kk, en + word.en
    return Evidence(ru, kk, en)


def evidence_of(word: str) -> Evidence:
    """Of one word in any case."""
    lower = word.lower()
    if is_latin(lower[0]):
        return _latin(word, lower)
    if not KAZAKH.isdisjoint(lower):
        return Evidence(kk=3)
    weight = 0.5 if lower in _WEAK else 2.0
    ru = weight if lower in _RUSSIAN_WORDS else 0.0
    kk = weight if lower in _KAZAKH_WORDS else 0.0
    if not ru and not kk:
        ru += 1.0 if _RUSSIAN_ENDING.fullmatch(lower) else 0.0
        ru += 0.7 if not _RUSSIAN_LETTERS.isdisjoint(lower) else 0.0
        kk += 1.0 if _KAZAKH_ENDING.fullmatch(lower) else 0.0
    return Evidence(ru + 0.05, kk, 0.0)


def looks_like_a_name(words: Sequence[str]) -> bool:
    """Of a person of Kazakhstan, in Latin letters."""
    named = sum(_NAME.fullmatch(word.lower()) is not None for word in words)
    return 2 * named >= len(words) and all(word[0].isupper() for word in words)


def weighed(word: str) -> Evidence:
    """Of a Cyrillic word with the dictionary of Russian: an ending alone makes no Kazakh word of
    one that it has."""
    found = evidence_of(word)
    if not KAZAKH.isdisjoint(word):
        return Evidence(kk=_NAMED if word[0].isupper() else _SPECIAL)
    if max(found) >= _SURE or word.lower() in _WEAK:
        return found
    if word.lower() not in _KAZAKH_WORDS and is_russian(word):
        return Evidence(ru=found.ru + _KNOWN)
    unknown = 0.0 if word[0].isupper() else _KNOWN
    return Evidence(ru=0.5 * found.ru, kk=found.kk + unknown)


def _latin(word: str, lower: str) -> Evidence:
    if not latin_kazakh.SPECIAL.isdisjoint(word) and _EUROPEAN.isdisjoint(lower):
        return Evidence(kk=3)
    if lower in _ENGLISH_WORDS:
        return Evidence(en=0.7 if latin_kazakh.is_typed(lower) else 2, kk=0.0)
    if latin_kazakh.is_typed(lower):
        return Evidence(kk=0.6, en=0.3) if lower in _ANYWHERE else Evidence(kk=2)
    if _KAZAKH_LATIN.fullmatch(lower):
        return Evidence(kk=1, en=0.3)
    if _PERHAPS_KAZAKH.fullmatch(lower):
        return Evidence(kk=0.4, en=0.5)
    return Evidence(en=0.5)


def best(words: Iterable[str], among: Iterable[str]) -> str | None:
    """The language of ``among`` that most speaks for; None where nothing tells."""
    found = evidence(" ".join(words))
    first, *others = sorted(((getattr(found, name), name) for name in among), reverse=True)
    return first[1] if first[0] > (others[0][0] if others else 0) else None


def is_kazakh(words: Sequence[str]) -> bool:
    """Whether Latin words in a Kazakh text are Kazakh."""
    found = evidence(" ".join(words))
    return found.kk > found.en or (found.kk >= 1 and not speaks_english(words))


def is_latin(word: str) -> bool:
    """By its first letter."""
    return word[0] < "\u0300" or "\u1e00" <= word[0] < "\u1f00"


def is_russian(word: str) -> bool:
    """Whether a dictionary of Russian has it, in any form. Some Kazakh words it has too."""
    from app_core.speech.text.russian.grammar.morphology import has_word

    return has_word(word.lower())


def speaks_english(words: Iterable[str]) -> bool:
    """Whether one of them is a word that joins words to sentences."""
    return any(word.lower() in _ENGLISH_WORDS for word in words)


def joins_russian(word: str) -> bool:
    """Whether it joins words to sentences in Russian, and is no Kazakh word too."""
    return word.lower() in _RUSSIAN_WORDS - _WEAK - _KAZAKH_WORDS


def speaks_russian(words: Iterable[str]) -> bool:
    """Whether one of them is inflected, or joins words to sentences, as only Russian does."""
    return any(
        word.lower() in _RUSSIAN_WORDS or _RUSSIAN_ENDING.fullmatch(word.lower()) for word in words
    )
