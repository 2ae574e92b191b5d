"""A queue on disk between the pollers and a store that may be away, and what sends from it."""

from wattmark_collector.spool.spool import DEFAULT_BYTES
from wattmark_collector.spool.spooled_store import SpooledStore

__all__ = ["DEFAULT_BYTES", "SpooledStore"]
