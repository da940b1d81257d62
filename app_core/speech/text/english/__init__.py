"""English: numbers, signs and abbreviations as words."""

from app_core.speech.text.english.normaliser import normalise

__all__ = ["normalise"]
