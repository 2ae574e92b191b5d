"""What out of memory looks like."""

from typing import Final

_WORDS: Final = (
    "RESOURCE_EXHAUSTED", "ResourceExhausted", "out of memory", "OutOfMemory", "OOM when",
    "bad_alloc", "can't allocate memory", "Unable to allocate", "MemoryError",
)  # fmt: skip
"""How frameworks and NumPy say so."""


def is_out_of_memory(error: Exception) -> bool:
    """Every framework says so in its own words, and many lines."""
    text = f"{type(error).__name__}: {error}"
    return any(word in text for word in _WORDS)
