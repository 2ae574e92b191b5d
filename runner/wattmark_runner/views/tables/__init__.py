"""The paper's Tables I, II and III over runs of one's own, of any hosts.

A missing number is None, never zero. Only scores of one workload and boundary stand in one table,
and never estimated energy beside measured.
"""

from wattmark_runner.views.tables.model import Cell, Choice, Column, Table
from wattmark_runner.views.tables.table1 import table1
from wattmark_runner.views.tables.table2 import table2
from wattmark_runner.views.tables.table3 import table3

__all__ = ["TABLES", "Cell", "Choice", "Column", "Table", "table1", "table2", "table3"]

TABLES = {"1": table1, "2": table2, "3": table3}
