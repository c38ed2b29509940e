"""Callbacks that write what a run records: to a table, to lines of JSON, or for TensorBoard.

a) Each writes to its path and nowhere else, has it open from the beginning of a `fit` to its end, also an end by an
   error, and gives every row to the system in one piece: a process that is killed loses at most the row in progress.
b) A row an epoch, when what belongs to it is recorded; with `every=n` one after each n steps, too. Steps go up from row
   to row: where both are due there is the epoch's.
c) A run that goes on by `continue_from` has its rows in the same file: those it lacks are written from the history, and
   those of steps that the run has not taken are cut off.
"""

from backprop.training.logs.csv_log import CSVLog
from backprop.training.logs.event_files import TensorBoard
from backprop.training.logs.json_lines import JSONLines

__all__ = ["CSVLog", "JSONLines", "TensorBoard"]
