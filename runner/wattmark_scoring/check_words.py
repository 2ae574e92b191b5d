"""The words of each check, by its name: see ``checks``."""

from wattmark_scoring.checks import WORDS, Question, Words

__all__ = ["WORDS", "Question", "Words"]
