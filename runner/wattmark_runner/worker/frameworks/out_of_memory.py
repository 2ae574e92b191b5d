"""What out of memory looks like."""

from typing import Final

_WORDS: Final = (
    "RESOURCE_EXHAUSTED", "ResourceExhausted", "out of memory", "OutOfMemory", "OOM when",
    "bad_alloc", "can't allocate memory", "Unable to allocate", "MemoryError",
)  # fmt: skip
"""Parts of the messages of frameworks and NumPy."""


def is_out_of_memory(error: Exception) -> bool:
    """Does an error, by its message, report that memory was short?"""
    text = f"{type(error).__name__}: {error}"
    return any(word in text for word in _WORDS)
