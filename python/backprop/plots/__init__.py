"""Pictures, through matplotlib (extra `plot`), which is imported when one is drawn.

a) Each takes `ax`, draws there and changes nothing else of the figure. Each returns the axes:
   `plot(…).figure.savefig("picture.png")`.
b) Without `ax` there is a figure of its own, which is pyplot's: a notebook shows it below the cell, `plt.show` and
   `plt.savefig` know it. Where pyplot's backend cannot be loaded, or would open a window from another thread than the
   main one, it is a plain figure. A backend that only writes files (Agg, PDF, SVG) keeps the newest
   `rcParams["figure.max_open_warning"]` of them open in pyplot, 20 by default, so that loops fill no memory.
c) A legend stands above the axes. On a figure without a layout, which moves nothing, there may be no room above: there
   it stands inside, where it covers no curve, point or text, for which rows
   make room above the first; and if there is no such place, where it covers least.
d) Text, frames and backgrounds keep the colours of the reader's style, light or dark; _drawing.py has the others.
"""

from backprop._util.names import suggesting_getattr
from backprop.plots.curves import learning_curve
from backprop.plots.errors import gradient_errors
from backprop.plots.flow import gradient_flow
from backprop.plots.matrices import confusion_counts, confusion_matrix
from backprop.plots.rates import rate_range
from backprop.plots.regions import decision_regions
from backprop.plots.weights import weight_images

__all__ = [
    "confusion_counts",
    "confusion_matrix",
    "decision_regions",
    "gradient_errors",
    "gradient_flow",
    "learning_curve",
    "rate_range",
    "weight_images",
]

__getattr__ = suggesting_getattr(__name__, __all__, "PLOTS")
