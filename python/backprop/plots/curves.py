"""How a training run went, or several."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._util.arrays import real_array
from backprop._util.names import did_you_mean, named_arguments
from backprop.plots._drawing import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    line_marks,
    plain,
    whole_marks,
)
from backprop.plots._figure import POINTS_PER_INCH, axes_for, figure_of
from backprop.plots._legend import legend_above
from backprop.training.history_parts import EVALUATED, require_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop.training.history import History

# What a history has for each number of `evaluated_at`, or not at all.
# A curve this short is drawn with a mark at every step.
FEW = 20
# The axis of accuracies shows at least that much: a difference of two percentage points looks small.
LEAST_SPAN = 0.2
# Of histories over each other, in their order; and of metrics, behind those of the losses and accuracies.
COLORS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
METRIC_COLORS = (ORANGE, SKY)
DASHES: tuple[Any, ...] = ("--", "-.", ":", (0, (6, 1)), (0, (3, 1, 1, 1)), (0, (1, 3)))
# Points between the labels of an axis on the right and the next axis; inches by which a figure of its own is wider.
APART, WIDER = 8.0, 0.9


@named_arguments
def learning_curve(
    history: "History | Mapping[str, History]",
    ax: "Axes | None" = None,
    *,
    metrics: Sequence[str] | None = None,
) -> "Axes":
    """Draw the loss of every step, its running mean, the accuracies, all metrics, and the rate where it changes.

    Parameters
    ----------
    history : History, or mapping of str to History
        With at least one step. Several are drawn over each other, in a colour each: their loss as a running mean, and
        what was evaluated in the dashes of its name.
    ax : matplotlib Axes, optional
        Where to draw; by default new axes on a figure of their own. The legend stands above them, or inside where it
        covers nothing if a figure without a layout has no room above.
    metrics : sequence of str, optional
        Which columns of `history.others` are drawn, such as "validation_mae"; by default all metrics, and
        "learning_rate" where it changes, but of several histories none.

    Returns
    -------
    matplotlib Axes
        The axes with the loss. Accuracies, and metrics from -1 to 1, are on a twin axis on the right, every other
        metric and the learning rate on an axis of its own beside it; on a figure without a layout, which has no room
        there, the legend says from where to where they go. A vertical line stands where early stopping found the best
        evaluation.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        It is no history or an empty one, or its lists do not belong together; or no history has such a metric.
    """
    owner = "learning_curve"
    several = isinstance(history, Mapping)
    histories: dict[str, History] = dict(history) if isinstance(history, Mapping) else {"": history}
    if not histories:
        raise ValueError(f"{owner}: history has no histories, wanted at least one")
    for name, one in histories.items():
        _check(owner, one, f"history[{name!r}]" if several else "history")
    columns = _columns(owner, [*histories.values()], metrics)
    groups = _groups([*histories.values()], columns)
    ax = axes_for(owner, ax, (7 + WIDER * max(len(groups) - 1, 0), 4))
    lines: list[Any] = []
    for n, (name, one) in enumerate(histories.items()):
        lines += _losses(ax, one, COLORS[n % len(COLORS)], plain(name) if several else "")
    ax.set_xlabel("step")
    ax.set_ylabel("loss")
    _whole_steps(ax)
    # From 0, and over steps without a finite loss too; limits that were fixed would not follow a logarithmic scale.
    ax.update_datalim([(1, 0), (max(len(one.loss) for one in histories.values()), 0)])
    lines[0].sticky_edges.y.append(0)
    lines += _on_the_right(ax, [*histories.values()], groups, columns, several)
    for n, one in enumerate(histories.values()):
        if one.best_at is not None:
            look: dict[str, Any] = dict(color=COLORS[n] if several else "gray", linestyle=":", marker="")
            best = ax.axvline(one.best_at, linewidth=1.2, label=f"best, at step {one.best_at}", **look)
            lines += [] if several else [best]
    whole_marks(ax, lines)
    if len(lines) > 1:
        legend_above(ax, lines, [str(line.get_label()) for line in lines])
    return ax


def _losses(ax: "Axes", history: "History", color: str, name: str) -> list[Any]:
    """The loss of every step and that of the validation data; with a name in one colour, and the first alone named."""
    steps = np.arange(1, len(history.loss) + 1)
    window = max(len(history.loss) // 50, 1)
    # What a style's lines have beside a colour would stand for something: each line says it.
    look: dict[str, Any] = dict(color=color, linestyle="-", marker="")
    raw = look | dict(label=name or "loss of the step's batch")
    if window == 1:
        lines = ax.plot(
            steps, history.loss, **raw | (line_marks(color, len(steps)) if len(steps) <= FEW else {})
        )
    else:
        lines = [] if name else ax.plot(steps, history.loss, alpha=0.3, linewidth=0.8, **raw)
        smooth = np.convolve(history.loss, np.ones(window) / window, mode="valid")
        label = name or f"loss, mean of {window} steps"
        lines += ax.plot(steps[window - 1 :], smooth, **look | dict(label=label))
    if history.validation_loss:
        found = ax.plot(
            history.evaluated_at,
            history.validation_loss,
            **_look(color if name else VERMILION, DASHES[0] if name else "-", history, bool(name)),
            label="validation loss",
        )
        lines += [] if name else found
    return lines


def _look(color: str, dash: Any, history: "History", plain_line: bool) -> dict[str, Any]:
    """Options of `plot` for what was evaluated: with marks, if lines are not told apart by their dashes."""
    marked = {} if plain_line else line_marks(color, len(history.evaluated_at))
    return dict(color=color, marker="") | marked | dict(linestyle=dash)


def _groups(histories: Sequence["History"], columns: Sequence[str]) -> list[list[str]]:
    """What stands on each axis on the right: accuracies and what is from -1 to 1 on the first, others on their own."""
    shared, alone = ["train_accuracy", "validation_accuracy"], list[str]()
    for name in columns:
        numbers = [value for one in histories for value in _series(one, name) if np.isfinite(value)]
        small = name != "learning_rate" and all(-1 <= value <= 1 for value in numbers)
        (shared if small else alone).append(name)
    shared = [name for name in shared if any(_series(one, name) for one in histories)]
    return [group for group in (shared, *([name] for name in alone)) if group]


def _on_the_right(
    ax: "Axes",
    histories: Sequence["History"],
    groups: Sequence[list[str]],
    columns: Sequence[str],
    several: bool,
) -> list[Any]:
    """Draw accuracies and metrics on axes on the right; returns what the legend has of them."""
    fixed = {"train_accuracy": GREEN, "validation_accuracy": PURPLE, "learning_rate": "gray"}
    metrics = [name for name in columns if name not in fixed]
    looks = {name: (color, DASHES[0]) for name, color in fixed.items()}
    for n, name in enumerate(metrics):
        dash = DASHES[n // len(METRIC_COLORS) % len(DASHES)]
        looks[name] = METRIC_COLORS[n % len(METRIC_COLORS)], dash
    names = [name for group in groups for name in group]
    keys = {name: DASHES[(n + 1) % len(DASHES)] for n, name in enumerate(names)}
    lines = []
    if several and any(one.validation_loss for one in histories):
        lines.append(_key("validation loss", DASHES[0]))
    last: Axes | None = None
    for group in groups:
        right = ax.twinx()
        right.set_ylabel(_axis_name(group))
        has_numbers = last is None or _move_outwards(ax, right, last)
        for name in group:
            words = plain(name.replace("_", " ")) + ("" if has_numbers else _span(histories, name))
            for n, one in enumerate(histories):
                color, dash = (COLORS[n % len(COLORS)], keys[name]) if several else looks[name]
                look = _look(color, dash, one, several or name == "learning_rate")
                if values := _series(one, name):
                    found = right.plot(one.evaluated_at, values, **look, label=words)
                    lines += [] if several else found
            if several:
                lines.append(_key(words, keys[name]))
        right.grid(False)  # the loss has its own, at other heights
        if group is groups[0] and _is_shared(group, columns):
            right.set_ylim(_limits(*right.dataLim.intervaly))
        last = right
    return lines


def _is_shared(group: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether accuracies are among them."""
    return any(name not in columns for name in group)


def _key(name: str, dash: Any) -> Any:
    """A line for the legend alone, whose dashes are those of many."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color="gray", linestyle=dash, marker="", label=name)


def _span(histories: Sequence["History"], name: str) -> str:
    """From where to where a column goes, for one whose axis has no numbers."""
    values = [value for one in histories for value in _series(one, name) if np.isfinite(value)]
    return f" ({min(values):.3g} to {max(values):.3g})".replace("-", "−") if values else ""


def _move_outwards(ax: "Axes", right: "Axes", last: "Axes") -> bool:
    """Let an axis on the right stand beside the labels of the last one; False if the figure has no room for it.

    Only a layout makes that room.
    """
    if figure_of(ax).get_layout_engine() is None:
        right.yaxis.set_visible(False)
        return False
    box = last.get_tightbbox()
    taken = 0.0 if box is None else float(box.x1 - ax.bbox.x1)
    right.spines["right"].set_position(("outward", taken * POINTS_PER_INCH / figure_of(ax).dpi + APART))
    return True


def _axis_name(group: Sequence[str]) -> str:
    if all(name.endswith("accuracy") for name in group):
        return "accuracy"
    if len(group) == 1:
        return plain(group[0].replace("_", " "))
    return "accuracy and metrics" if any(name.endswith("accuracy") for name in group) else "metrics"


def _series(history: "History", name: str) -> list[float]:
    """A column of a history; empty where it has none."""
    if name in EVALUATED:
        return [*getattr(history, name)]
    if not any(name in row for row in history.others):
        return []
    return [row.get(name, np.nan) for row in history.others]


def _columns(owner: str, histories: Sequence["History"], metrics: Any) -> list[str]:
    """Which columns of `others` are drawn."""
    known = [*dict.fromkeys(name for one in histories for row in one.others for name in row)]
    if metrics is None and len(histories) > 1:
        return []
    if metrics is None:
        rates = [{*_series(one, "learning_rate")} for one in histories]
        changes = any(len(found) > 1 for found in rates)
        return [name for name in known if name != "learning_rate" or changes]
    if isinstance(metrics, str) or not isinstance(metrics, Sequence):
        raise TypeError(
            f"{owner}: metrics is {metrics!r}, wanted a sequence of names, such as ['validation_mae']"
        )
    for name in metrics:
        if name not in known:
            hint = did_you_mean(name, known) or f"; wanted some of {', '.join(known) or 'none'}"
            raise ValueError(f"{owner}: metrics has {name!r}, which was not recorded{hint}")
    return [*dict.fromkeys(metrics)]


def _check(owner: str, history: Any, what: str) -> None:
    """That there are steps, numbers, and one evaluation each time; before there is a figure."""
    from backprop.training.history import History

    if not isinstance(history, History):
        raise TypeError(f"{owner}: {what} is a {type(history).__name__}, wanted a History")
    series = ("loss", *EVALUATED, "evaluated_at")
    for name in series:
        values = real_array(owner, name, getattr(history, name))
        if values.ndim != 1:
            raise ValueError(f"{owner}: {name} has shape {values.shape}, wanted a list of numbers")
    if not len(history.loss):
        raise ValueError(f"{owner}: the {what} has no steps")
    require_rows(f"{owner}: ", history)


def _limits(low: float, high: float) -> tuple[float, float]:
    """Limits of an axis of accuracies from `low` to `high`."""
    if not low <= high:  # there is nothing finite
        low, high = 0.0, 1.0
    least = min(low, 0.0)
    low = max(min(low - max(LEAST_SPAN - (high - low), 0.0) / 2, 1.0 - LEAST_SPAN), least)
    high = max(low + LEAST_SPAN, high)
    margin = (high - low) / 20
    return low - margin, high + margin


def _whole_steps(ax: "Axes") -> None:
    """No marks between two steps, unless the axis is logarithmic or has marks of its own."""
    from matplotlib.ticker import MaxNLocator

    locator = ax.xaxis.get_major_locator()
    if isinstance(locator, MaxNLocator):
        locator.set_params(integer=True, min_n_ticks=1)
