"""Words in the letters of another language, in the nearest ones of the language that is spoken."""

from app_core.speech.text.letters.nearest import nearest

__all__ = ["nearest"]
