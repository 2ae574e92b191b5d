"""What stands in for the world in tests: of this project, and of sensors that others write.

``FakeClock`` moves when it is set. ``MemoryStore`` is SQLite's store, gone when it is closed;
``CountingStore`` counts the calls of any store. ``FakeExporter`` answers over HTTP what it is
given.
"""

from wattmark_core.testing.clock import FakeClock
from wattmark_core.testing.exporter import FakeExporter
from wattmark_store.testing import CountingStore, MemoryStore

__all__ = ["CountingStore", "FakeClock", "FakeExporter", "MemoryStore"]
