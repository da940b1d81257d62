"""Capital letters: said as a word where people do, letter by letter otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.numbers import cardinal, digits
from app_core.speech.text.english.points import closes_sentence

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_AS_WORDS = frozenset(
    "NASA NATO UNESCO UNICEF OPEC FIFA UEFA AIDS COVID LASER RAM ROM PIN SIM GIF JPEG NASDAQ"
    " IKEA LEGO"
    " SWAT SCUBA RADAR ASEAN NAFTA FEMA NOAA INTERPOL DOTA SARS MERS PISA TOEFL IELTS YOLO"
    " FOMO CAPTCHA"
    " WASP BASIC COBOL AJAX JSON YAML BIOS CAD SAP GAAP GUI LAN WAN WIMAX NORAD CERN OPEC"
    " BRICS ASCII"
    " UNIX LINUX SOYLE ZOOM SUM MAX MIN KIMEP KASE APEC EXPO".split()
)
_PLAIN_WORDS = frozenset(
    "a i an and the you are new no yes all any for but can get now one two off on in at to"
    " of or if is as so"
    " up we he me my be by do go our out not was who how why her his him she its it's let"
    " may see say top"
    " big hot old own use way man men day sale free stop buy pay ten six red sea sun war end"
    " far few god"
    " had has did too try via win won yet your bad bar boy car cat dog eat ever fun guy hey"
    " hi job key kid"
    " low lot mom dad art big bus cup cut ear egg eye fly fox gas hit ice ill oil pen per"
    " pet put ran run"
    " sad set sit sky son tea tie toy van wet zoo open shop wow oh ah ha lol tip tips zip"
    " kit add".split()
)
_LETTERS = frozenset(
    "IT US AM PM OK TV ID UN UK EU AI WHO VIP FAQ ASAP ETA AIFC EDU IIN BIN CIS NGO VAT HR"
    " ISBN".split()
)
_WORDS_TOO = frozenset("IT US AM WHO".split())
_ONSETS = frozenset(
    "bl br ch cl cr dr dw fl fr gl gr kl kn kr ph pl pr qu sc sh sk sl sm sn sp st sw th tr"
    " tw wh wr".split()
)
_CODAS = frozenset(
    "ch ck ct ft ld lf lk ll lm lp lt mb mp nd ng nk nt pt rd rk rl rm rn rp rs rt sh sk sp"
    " ss st th ts xt"
    " ns ls ps ks rb rc rf rg".split()
)
_WORD = re.compile(r"(?<![\w])([A-Z]{2,}+)('?s)?(?![a-z\d]|['’][a-z])")
_AMPERSAND = re.compile(r"(?<!\w)([A-Z]{1,3}) ?& ?([A-Z]{1,3})(?!\w)")
_POINTED = re.compile(r"(?<![\w.])(?<!\d )((?:[A-Z]\.){2,}|(?:[A-Z]\.)+[A-Z](?!\w))('?s\b)?")
STARTERS = frozenset(
    "After All And Are At But Can Do For From He Here How I If In Is It It's Just Let Most My New"
    " Next Not Now On Or Our Please See She Since So Some That The Then There They This Those To We"
    " What When Where While Who Why With Yes You Your".split()
)
"""Words that begin a sentence more often than they are a name after an abbreviation."""
_NEXT_WORD = re.compile(r"[ ,;:)\]]*(?=[^ \n])([\w'’]*)")
_INITIALS = re.compile(
    r"(?<![\w.])([A-Z])\. ?(?=(?:[A-Z]\. ?)*[A-Z][a-z])"
    rf"(?!(?:{'|'.join(sorted(STARTERS))})(?![\w]))"
)
_MIXED = re.compile(r"(?<![\w])(?=[A-Za-z]{0,12}\d)(?=\d{0,12}[A-Za-z])([A-Za-z\d]{2,24})(?![\w])")
_HYPHENED = re.compile(r"(?<=[A-Za-z])-(?=\d)")
_DEGREES_OF_STUDY = re.compile(r"(?<!\w)(Ph|M|B|LL)\.? ?([DA]|Sc|B|M)\.(?!\w)")
_LANGUAGES = re.compile(
    r"(?<![\w])([A-Z])(#|\+\+)(?![\w])|(?<!\w)\.(NET|Net)\b|\b([A-Za-z]{2,20})\.(js|JS|io|py|ai)(?!\w)"
)
_SERIES = re.compile(r"(?<=\d) ?[-–] ?(?=[A-Z]\d)")
_RUNS = re.compile(r"[A-Z]+(?![a-z])|[A-Za-z][a-z]*|\d+")


def letters(word: str) -> str:
    """``API`` as its letters' names. A is tied to its neighbours, for alone it is an article:
    ``A-P-I``, ``U S.A``."""
    said = word[:1]
    for at, char in enumerate(word[1:], 1):
        if char == "A" and at == len(word) - 1:
            said += "."
        else:
            said += "-" if word[at - 1] == "A" else " "
        said += char
    return said


def initials(text: SpanText) -> SpanText:
    """``U.S.``: U S; ``J. R. Smith``: J R Smith, without points that would be pauses."""
    text = text.sub(_DEGREES_OF_STUDY, _degree).sub(_POINTED, _pointed)
    return text.sub(_INITIALS, lambda match: match[1] + " ")


def acronyms(text: SpanText) -> SpanText:
    """``GPU``: G P U; ``NASA`` stays; ``AT&T``: A-T and T; ``H2O``: H two O."""
    text = text.sub(_LANGUAGES, _language)
    text = text.sub(_AMPERSAND, lambda match: f"{letters(match[1])} and {letters(match[2])}")
    text = text.sub(_SERIES, " to ")
    text = text.sub(_HYPHENED, " ").sub(_MIXED, _mixed)
    return text.sub(_WORD, _word)


def _language(match: re.Match[str]) -> str:
    if match[1]:
        return f"{match[1]} {'sharp' if match[2] == '#' else 'plus plus'}"
    if match[3]:
        return "dot net"
    return f"{match[4]} dot {'I O' if match[5] == 'io' else letters(match[5].upper())}"


def _degree(match: re.Match[str]) -> str:
    """Of study: ``Ph.D.``"""
    said = letters(match[1].upper() + match[2].upper())
    return said + ("." if closes_sentence(match) else "")


def _pointed(match: re.Match[str]) -> str:
    word, owner = match[1].replace(".", ""), match[2]
    following = _NEXT_WORD.match(match.string, match.end())
    ends = match.group().endswith(".") and (not following or following[1] in STARTERS)
    return letters(word) + ("'s" if owner else "") + ("." if ends and not owner else "")


def _word(match: re.Match[str]) -> str | None:
    word = match[1]
    if not spelled(word) or (word not in _LETTERS or word in _WORDS_TOO) and _shouted(match):
        return None
    return letters(word) + ("'s" if match[2] else "")


def spelled(word: str) -> bool:
    if word in _LETTERS:
        return True
    if word in _AS_WORDS or word.lower() in _PLAIN_WORDS:
        return False
    return len(word) <= 3 or not _pronounceable(word.lower())


def _pronounceable(word: str) -> bool:
    """By how English words begin and end."""
    vowels = [at for at, char in enumerate(word) if char in "aeiouy"]
    if not vowels:
        return False
    onset, coda = word[: vowels[0]], word[vowels[-1] + 1 :]
    if len(onset) > 1 and onset[:2] not in _ONSETS or len(coda) > 1 and coda[-2:] not in _CODAS:
        return False
    return not re.search("[^aeiouy]{4}|[aeiouy]{3}", word)


def _shouted(match: re.Match[str]) -> bool:
    """Whether words around it are in capitals too."""
    start, end = match.span()
    around = match.string[max(0, start - 40) : start] + " " + match.string[end : end + 40]
    words = re.findall(r"[A-Za-z]{2,}", around)
    return (
        len(words) >= 2
        and all(word.isupper() for word in words)
        and bool(set(match[1]) & set("AEIOUY"))
    )


def _mixed(match: re.Match[str]) -> str | None:
    runs = _RUNS.findall(match[1])
    if re.fullmatch(r"\d+(?:st|nd|rd|th|s)", match[1]):
        return None
    named = len(runs[0]) > 1 and runs[0].isalpha()
    said = [_digit_run(run, named) if run.isdecimal() else _letter_run(run) for run in runs]
    return re.sub(r"\bA (?=\w)", "A-", " ".join(said))


def _digit_run(run: str, named: bool) -> str:
    """``A320`` is A three twenty, ``KC851`` K C eight five one."""
    if len(run) > 4 or run[0] == "0" and len(run) > 1 or len(run) == 3 and named:
        return digits(run)
    if len(run) == 3 and run[1] != "0":
        return f"{cardinal(int(run[0]))} {cardinal(int(run[1:]))}"
    return cardinal(int(run))


def _letter_run(run: str) -> str:
    if len(run) == 1:
        return run
    return (
        letters(run)
        if run.isupper() and spelled(run)
        else letters(run.upper())
        if not set(run.lower()) & set("aeiouy")
        else run
    )
