"""The bar chart that the README shows: a training step of each contender, one thread."""

from collections.abc import Iterable
from pathlib import Path

from bench.results import Result

JOB = "784-50-10 ×100, float32, sgd: "
NOT_CONTENDERS = ("multiply-adds alone", "net.fit, of the peak", "times ", "backprop, net.fit")


def draw(results: Iterable[Result], path: Path) -> None:
    """Horizontal bars, the fastest on top, and a line at the floor that the multiply-adds alone set."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    of_the_job = [r for r in results if r.case == "steps" and r.threads == 1 and r.what.startswith(JOB)]
    if not of_the_job:
        raise ValueError("chart: the case steps was not measured on one thread")
    named = {result.what.removeprefix(JOB): result.value for result in of_the_job}
    floor = named["backprop, net.fit"] * named["net.fit, of the peak"]
    bars = {"backprop": named["backprop, net.fit"]} | {
        name: value
        for name, value in named.items()
        if not name.startswith(NOT_CONTENDERS) and name != "backprop"
    }
    names = sorted(bars, key=bars.__getitem__, reverse=True)
    mpl.rcParams["svg.hashsalt"] = "backprop"
    figure = Figure(figsize=(7, 0.5 * len(names) + 1.1), layout="constrained")
    ax = figure.subplots()
    colors = ["#1f77b4" if name == "backprop" else "#b0b7bf" for name in names]
    drawn = ax.barh(names, [bars[name] for name in names], color=colors)
    ax.bar_label(drawn, [f"{bars[name]:.0f} µs" for name in names], padding=4)
    ax.axvline(floor, color="#d62728", linewidth=1, linestyle="--")
    ax.text(floor, len(names) - 0.42, " multiply-adds alone", color="#d62728", va="bottom", fontsize=9)
    ax.set_xlim(right=1.15 * max(bars.values()))
    ax.set_ylim(top=len(names) - 0.05)
    ax.set_xlabel("µs a training step: 784-50-10, batch 100 of 60,000, float32, one thread")
    ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
