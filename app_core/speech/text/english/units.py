"""Units of measure, percent and degrees, in the number that their amount asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.numbers import (
    DASH,
    FRACTIONS,
    NUMBER,
    START,
    amount,
    fraction,
    is_one,
    plural,
)

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_UNITS = {
    "km": "kilometer", "m": "meter", "dm": "decimeter", "cm": "centimeter", "mm": "millimeter",
    "μm": "micrometer", "nm": "nanometer", "mi": "mile", "yd": "yard", "yds": "yard",
    "ft": "foot", "kg": "kilogram", "g": "gram", "gr": "gram", "mg": "milligram",
    "μg": "microgram", "mcg": "microgram", "t": "ton", "lb": "pound", "lbs": "pound",
    "oz": "ounce", "l": "liter", "L": "liter", "ml": "milliliter", "mL": "milliliter",
    "cl": "centiliter", "dl": "deciliter", "dL": "deciliter", "gal": "gallon", "pt": "pint",
    "qt": "quart", "tbsp": "tablespoon", "tsp": "teaspoon", "ha": "hectare", "ac": "acre",
    "s": "second", "sec": "second", "secs": "second", "ms": "millisecond", "min": "minute",
    "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour", "wk": "week", "wks": "week",
    "mo": "month", "mos": "month", "yr": "year", "yrs": "year", "B": "byte", "KB": "kilobyte",
    "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "PB": "petabyte",
    "Kb": "kilobit", "Mb": "megabit", "Gb": "gigabit", "kbit": "kilobit", "Mbit": "megabit",
    "Gbit": "gigabit", "W": "watt", "kW": "kilowatt", "MW": "megawatt", "GW": "gigawatt",
    "kWh": "kilowatt hour", "MWh": "megawatt hour", "Wh": "watt hour", "V": "volt",
    "kV": "kilovolt", "mV": "millivolt", "mA": "milliamp", "mAh": "milliamp hour",
    "Ah": "amp hour", "Ω": "ohm", "kΩ": "kilohm", "cal": "calorie", "kcal": "kilocalorie",
    "J": "joule", "kJ": "kilojoule", "MJ": "megajoule", "N": "newton", "Pa": "pascal",
    "hPa": "hectopascal", "kPa": "kilopascal", "MPa": "megapascal", "bar": "bar",
    "atm": "atmosphere", "px": "pixel", "MP": "megapixel", "mph": "mile per hour",
    "kph": "kilometer per hour", "kmh": "kilometer per hour", "bps": "bit per second",
    "kbps": "kilobit per second", "Kbps": "kilobit per second", "Mbps": "megabit per second",
    "Gbps": "gigabit per second", "fps": "frame per second", "rpm": "revolution per minute",
    "bpm": "beat per minute", "pcs": "piece", "pc": "piece", "pts": "point", "doz": "dozen",
    "mol": "mole", "mmol": "millimole", "μmol": "micromole",
    "mSv": "millisievert",
    "ppl": "person", "cup": "cup", "dpi": "dot per inch", "nmi": "nautical mile",
}  # fmt: skip
_UNCOUNTED = {
    "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "dB": "decibels",
    "psi": "P S I", "hp": "horsepower", "mmHg": "millimeters of mercury",
    "ppm": "parts per million", "pH": "P H", "p": "p", "K": "kelvin",
}  # fmt: skip
_EXACT = frozenset("m t s h B W V N J K p pt ac mo L l g MP".split())
"""Symbols that mean something else in other letters, or that are words."""
_SPACED_ONLY = frozenset("B W V N J K ac mo".split())
_UNITS_BY_LOWER = {unit.lower(): unit for unit in _UNITS if unit not in _EXACT}
_IRREGULAR = {"foot": "feet", "person": "people"}
_PER = {
    "sec": "second",
    "month": "month",
    "d": "day",
    "day": "day",
    "p": "person",
    "in": "inch",
    "bbl": "barrel",
    "pp": "person",
}
_SQUARE = re.compile(r"(?:sq|cu)\.? ?(?:m|ft|km|in)$")
_UNIT = (
    r"(?:sq\.? ?(?:m|ft|km|in)|cu\.? ?m|[A-Za-zμΩ]{1,5}?(?:[²³]|[23](?!\d))?)"
    r"(?:/[A-Za-zμ]{1,6}[²³23]?)?(?![\w²³])"
)
_RANGE = rf"({NUMBER})(?:(?:{DASH}|( to | × ))({NUMBER})(?:( × )({NUMBER}))?)?"
_MEASURE = re.compile(rf"{START}(?!1[0,]*s of)(\+?){_RANGE}([ -]?)({_UNIT})(?:\.(?= +[a-z]|[,;]))?")
_PERCENT = re.compile(rf"{START}(\+?)({NUMBER})(?: ?[%‰]?(?:{DASH}|( to ))({NUMBER}))? ?([%‰])")
_DEGREES = re.compile(
    rf"{START}(\+?)({NUMBER})(?:°?(?:{DASH}|…| (to) )([−+]?)({NUMBER}))? ?°(?: ?([CFNSEW])(?!\w))?"
)
_FRACTION = re.compile(
    rf"(?<![\w.,/])(?:(\d{{1,4}}) ?)?(?:(?<!\d)(\d{{1,2}})/(\d{{1,2}})"
    rf"|([{''.join(FRACTIONS)}]))[ -]?({_UNIT})"
    r"(?:\.(?= +[a-z]|[,;]))?"
)
_SCALED = re.compile(
    rf"{START}({NUMBER})(?:({DASH})({NUMBER}))?(?:([KMB])|(k)| ?(mln|mn|bln|bn))(?![\w])"
)
_SCALE = {"k": "thousand", "K": "thousand", "M": "million", "B": "billion", "mln": "million",
          "mn": "million", "bln": "billion", "bn": "billion"}  # fmt: skip
_THINGS = re.compile(r" (?:in|of|from|by|a|(?!has|is|was|does)[a-z]+s|people|men|women|U?S D?)\b")
_PICTURE_SIZES = frozenset({"2", "4", "5", "6", "8", "16"})
_DURATION = re.compile(r"(?<![\w.,])(\d{1,3})h ?(\d{1,2})(?:m|min)?(?![\w.])")
_PER_SLASH = re.compile(
    r"(?<=[A-Za-z²³]) ?/ ?(?=(?:\d{1,4} ?(?:km|g|ml|kg|m)|days?|wk|week|mo|month|yr|year|hr"
    r"|hour|night|person"
    r"|visit|class|lesson|student|pupil|child|adult|guest|unit|item|piece|user)\b)"
)
_PER_SHORT = re.compile(r"(?<= per )(wk|mo|yr|hr)\b")
_AFTER_SCALE = re.compile(rf"(?:(?<=\bthousand )|(?<=[mb]illion ))({_UNIT})")
_AFTER_POWER = re.compile(rf"(?<=\d)([⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,4}}) ({_UNIT})")
_CUPS = re.compile(r"(?<=[\d½¼¾⅓⅔]) c\.(?= [a-z])")
_UNIT_ALONE = re.compile(
    r"(?<![\w/])(km/h|m/s|MB/s|Mbit/s|kg/m³|g/l|kWh|Mbps|Gbps|kcal|m²|m³|km²)(?![\w/²³])"
)
_ATTRIBUTE = re.compile(r"\b(?:an?|another|this|that|the same) [+−]?$", re.IGNORECASE)
NO_NOUN = re.compile(
    r" (?:and|or|for|to|in|per|is|was|more|off|of|from|on|at|less|by|with|away|long|wide|tall|high"
    r"|deep|old|each|every|a|an|the|than|as|but|if|when|so|now|today|ago|later|before|after)\b"
)


def attributive(match: re.Match[str]) -> bool:
    """Whether a measure stands before a noun, as in "a 5 km run": then it has no plural."""
    text, (start, end) = match.string, match.span()
    if not _ATTRIBUTE.search(text[max(0, start - 12) : start]):
        return False
    return (
        text[end : end + 1] == " "
        and text[end + 1 : end + 2].islower()
        and not NO_NOUN.match(text, end)
    )


def per(unit: str | None) -> str:
    """What stands after a slash: ``/mo`` is "per month"."""
    if not unit:
        return ""
    name = _name(unit) or _PER.get(unit) or unit
    return f" per {name}"


def measures(text: SpanText) -> SpanText:
    """``5 km``: five kilometers; ``-5 °C``: minus five degrees Celsius."""
    text = text.sub(_PER_SLASH, " per ").sub(_PERCENT, _percent).sub(_DEGREES, _degrees)
    text = text.sub(_DURATION, lambda m: f"{_counted(m[1], 'hour')} {_counted(m[2], 'minute')}")
    text = text.sub(_CUPS, " cup").sub(_FRACTION, _fraction)
    text = text.sub(_SCALED, _scaled).sub(_MEASURE, _measure)
    text = text.sub(_AFTER_SCALE, lambda match: _known(match[1]))
    text = text.sub(_AFTER_POWER, lambda m: f"{m[1]} {_known(m[2])}" if _known(m[2]) else None)
    text = text.sub(_PER_SHORT, lambda match: _name(match[1]) or match[1])
    return text.sub(_UNIT_ALONE, lambda match: _many(_name(match[1]) or match[1]))


def _name(unit: str) -> str | None:
    """In the singular."""
    if _SQUARE.match(unit):
        square = "square" if unit[0] == "s" else "cubic"
        side = {"m": "meter", "t": "foot", "n": "inch"}[unit[-1]]
        return f"{square} {'kilometer' if unit.endswith('km') else side}"
    if unit in _UNITS:
        return _UNITS[unit]
    above, slash, below = unit.partition("/")
    if slash:
        many, one = _name(above) or _UNCOUNTED.get(above), _name(below) or _PER.get(below)
        return f"{many} per {one}" if many and one else None
    power = {"²": "square", "2": "square", "³": "cubic", "3": "cubic"}.get(unit[-1:])
    if power:
        base = _name(unit[:-1])
        long = base and base.endswith(("meter", "foot", "inch", "mile"))
        if base == "second" and power == "square":
            return "second squared"
        return f"{power} {base}" if long else None
    exact = _UNITS_BY_LOWER.get(unit.lower())
    return _UNITS[exact] if exact and (unit.isupper() or unit.istitle()) else None


def _many(name: str) -> str:
    head, space, rest = name.partition(" per ")
    words = head.split(" ")
    words[-1] = _IRREGULAR.get(words[-1]) or plural(words[-1])
    return " ".join(words) + space + rest


def _known(unit: str) -> str | None:
    """A written unit in the plural."""
    name = _name(unit)
    return _many(name) if name else _UNCOUNTED.get(unit)


def _counted(number: str, name: str) -> str:
    return f"{amount(number)} {name if is_one(number) else plural(name)}"


def _measure(match: re.Match[str]) -> str | None:
    sign, first, joint, second, _, third, space, unit = match.groups()
    name = _name(unit)
    uncounted = _UNCOUNTED.get(unit)
    if unit == "B" and re.match(r"\.[A-Z]", match.string[match.end() :][:2]):
        return None
    if unit in _SPACED_ONLY and match.string[match.end() : match.end() + 1] in ("+", "#"):
        return None  # a mark of a school
    if not name and not uncounted or unit in _SPACED_ONLY and space != " ":
        return None
    if unit == "p" and not (first.isdecimal() and len(first) in (3, 4) and not space):
        return None
    if unit == "p":
        return f"{_pairs(first)} p"
    words = [amount(first)]
    if second:
        words += ["by" if joint == " × " else "to", amount(second)]
    if third:
        words += ["by", amount(third)]
    said = ("plus " if sign else "") + " ".join(words)
    if not name:
        return f"{said} {uncounted}"
    single = space == "-" or attributive(match) or not second and is_one(first)
    return f"{said} {name if single else _many(name)}"


def _fraction(match: re.Match[str]) -> str | None:
    whole, above, below, sign, unit = match.groups()
    name = _name(unit)
    if not name:
        return None
    value = FRACTIONS[sign] if sign else (int(above), int(below))
    if not 0 < value[0] < value[1]:
        return None
    if whole is None:
        return f"{fraction(*value)} {name}"
    return f"{amount(whole)} and {fraction(*value, mixed=True)} {_many(name)}"


def _pairs(number: str) -> str:
    """``1080``: ten eighty."""
    if len(number) == 3 or number.endswith("00"):
        return (
            f"{amount(number[:-2])} {amount(number[-2:])}" if len(number) == 3 else amount(number)
        )
    return f"{amount(number[:2])} {amount(number[2:])}"


def _percent(match: re.Match[str]) -> str:
    sign, first, _, second, symbol = match.groups()
    name = "percent" if symbol == "%" else "per mille"
    twice = f" {name}" if match.group().count(symbol) > 1 and " to " in match.group() else ""
    both = f"{amount(first)}{twice} to {amount(second)}" if second else amount(first)
    return f"{'plus ' if sign else ''}{both} {name}"


def _degrees(match: re.Match[str]) -> str:
    sign, first, _, sign2, second, scale = match.groups()
    said = ("plus " if sign else "") + amount(first)
    if second:
        said += " to " + {"+": "plus ", "−": "minus "}.get(sign2, "") + amount(second)
    name = "degree" if not second and is_one(first.lstrip("−")) else "degrees"
    names = {
        "C": "Celsius",
        "F": "Fahrenheit",
        "N": "north",
        "S": "south",
        "E": "east",
        "W": "west",
    }
    return f"{said} {name}" + (f" {names[scale]}" if scale else "")


def _scaled(match: re.Match[str]) -> str | None:
    first, dash, second, big, small, word = match.groups()
    letter = big or small or word
    following = match.string[match.end() : match.end() + 30]
    if letter == "B" and "." not in first and not _THINGS.match(following):
        return None  # a house or a class: 7B
    if letter in "kK" and re.match(r" (?:run|race|walk|marathon)\b", following):
        return None
    if letter == "K" and first in _PICTURE_SIZES and not dash:
        return None
    both = f"{amount(first)} to {amount(second)}" if dash else amount(first)
    return f"{both} {_SCALE[letter]}"
