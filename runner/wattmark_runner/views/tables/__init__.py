"""The paper's Tables I, II and III over runs of one's own, of any hosts.

A missing number is None, never zero. Only scores of one workload and boundary stand in one table,
and never estimated energy beside measured.
"""

from importlib import import_module
from typing import Final

from wattmark_runner.views.tables.model import Cell, Choice, Column, PaperTable, Table

__all__ = ["TABLES", "Cell", "Choice", "Column", "PaperTable", "Table"]

MODULES: Final = (
    "table1",
    "table2",
    "table3",
)
"""A module of this package for each table: its ``TABLE``."""
TABLES: Final[dict[str, PaperTable]] = {
    table.name: table for table in (import_module(f"{__name__}.{m}").TABLE for m in MODULES)
}
"""All tables by their names. REST, the command line and their helps follow from it."""
