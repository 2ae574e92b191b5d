"""The paper's Tables I, II and III over runs of one's own, of any hosts.

A missing number is None, never zero. Only scores of one workload and boundary stand in one table,
and never estimated energy beside measured.
"""

from typing import Final

from wattmark_runner.views.tables import table1, table2, table3
from wattmark_runner.views.tables.model import Cell, Choice, Column, PaperTable, Table

__all__ = ["TABLES", "Cell", "Choice", "Column", "PaperTable", "Table"]

TABLES: Final[dict[str, PaperTable]] = {
    table.name: table
    for table in (
        table1.TABLE,
        table2.TABLE,
        table3.TABLE,
    )
}
"""All tables by their names. REST, the command line and their helps follow from this list."""
