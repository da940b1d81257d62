"""Kazakh: numbers, signs and abbreviations as words."""

from app_core.speech.text.kazakh.normaliser import normalise

__all__ = ["normalise"]
