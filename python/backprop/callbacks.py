"""Callbacks of `fit`: the base of one's own, and logs: `net.fit(…, callbacks=[bp.callbacks.CSVLog("log.csv")])`."""

from backprop._util.names import suggesting_getattr
from backprop.training.callbacks import Callback as Callback
from backprop.training.logs import CSVLog as CSVLog
from backprop.training.logs import JSONLines as JSONLines
from backprop.training.logs import TensorBoard as TensorBoard

__all__ = ["CSVLog", "Callback", "JSONLines", "TensorBoard"]

__getattr__ = suggesting_getattr(__name__, __all__, "CALLBACKS")
