"""Russian: numbers, signs and abbreviations as words."""

from app_core.speech.text.russian.normaliser import normalise

__all__ = ["normalise"]
