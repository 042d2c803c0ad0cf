"""
Import of subscribers from a file.

Takes a file as spreadsheets and other systems write them; yields new and changed subscribers, members of one list,
and a report; promises that a row is taken whole or not at all, that nobody who left or is suppressed comes back, that
importing the same file again changes nothing, and that an import that was killed can simply be started again.
"""

from subscribers.importing.headings import Column, plan_columns
from subscribers.importing.loading import Listeners, Manner, import_subscribers
from subscribers.importing.origins import Elsewhere
from subscribers.importing.reasons import Problem, Reason
from subscribers.importing.report import ImportReport
from subscribers.importing.rows import Row, read_rows
from subscribers.importing.table import UPLOAD_OCTETS, Table, open_table

__all__ = [
    "UPLOAD_OCTETS",
    "Column",
    "Elsewhere",
    "ImportReport",
    "Listeners",
    "Manner",
    "Problem",
    "Reason",
    "Row",
    "Table",
    "import_subscribers",
    "open_table",
    "plan_columns",
    "read_rows",
]
