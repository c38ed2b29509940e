"""Steps of `fit` on sparse samples: MNIST beside the same samples as an array, and a bag of words beside scikit-learn.

MNIST is a network of 784-50-10 with batches of 100; the floor is the time that the multiply-adds of the dense step
take at the peak. The bag of words has 20,000 columns and 10 classes, for a network of 20000-100-10 in float32 with
batches of 100: each row is a text of 120 words, drawn with Zipf's frequencies (the word of rank n has a share of
1 / (n + 1)), and stores about 95 numbers. scikit-learn's MLPClassifier gets the same matrix, batches and settings by
`partial_fit`. Memory is that of a process of its own, beyond what it has when the data is there.
"""

import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

import backprop as bp
from bench.data import mnist_or_digits
from bench.peak import multiply_adds, operations_of_step
from bench.results import Result
from bench.timing import interleaved, paired_ratio

THREADED = True
BATCH, WORDS, LENGTH, CLASSES, HIDDEN = 100, 20_000, 120, 10, 100

MEMORY = """
import sys
from bench.cases import sparse_steps as case

def size(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what))

whose, rule, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
x, t = case.bag_of_words(rows)
try:
    import sklearn.neural_network
except ImportError:
    pass
before = size("VmRSS")
case.contenders(x, t, rule, None)[whose]()
print(size("VmHWM") - before)
"""


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Give the time of a step and of what it is a share; and the memory of training."""
    try:
        from scipy.sparse import csr_array
    except ImportError:
        return
    rounds = 2 if quick else 15
    name, (x, t), *_ = mnist_or_digits()
    x, t = x[: 100 * BATCH].astype(np.float32), t[: 100 * BATCH]
    sizes, steps = [x.shape[1], 50, 10], -(-len(x) // BATCH)
    peak, per_call = multiply_adds("float32", threads)

    def fits(samples: Any) -> Any:
        net = bp.Network(sizes, seed=0)
        return lambda: net.fit(
            samples, t, epochs=5, batch_size=BATCH, optimizer=bp.SGD(0.1), seed=0, threads=threads
        )

    timings = interleaved({"sparse": fits(csr_array(x)), "array": fits(x)}, rounds, 5 * steps)
    yield Result("sparse_steps", f"{name}, SGD: a step on sparse samples", timings["sparse"].best * 1e6, "µs")
    ratio = paired_ratio(timings["sparse"], timings["array"])
    yield Result("sparse_steps", f"{name}, SGD: of a step on the array", ratio, "")
    floor = operations_of_step(sizes, BATCH) / per_call * interleaved({"peak": peak}, rounds)["peak"].best
    required = "<= 0.7" if threads == 1 and not quick and name == "MNIST" else ""
    share = timings["sparse"].best / floor
    yield Result("sparse_steps", f"{name}, SGD: of the dense step's multiply-adds alone", share, "", required)
    x, t = bag_of_words(500 if quick else 3000)
    for rule in ("sgd", "adam"):
        yield from beside_sklearn(x, t, rule, threads, quick)


def bag_of_words(rows: int) -> tuple[Any, np.ndarray]:
    """Texts of 120 words of 20,000, as counts in a `scipy.sparse.csr_array` of float32, and their classes.

    Columns are in no order of their frequency, as a vocabulary's are. Word n belongs to class n % 10: half of the words
    of a text are replaced by the next ones of its class.
    """
    from scipy.sparse import csr_array

    rng = np.random.default_rng(0)
    frequencies = 1 / np.arange(2, WORDS + 2)
    words = rng.choice(WORDS, (rows, LENGTH), p=frequencies / frequencies.sum())
    t = rng.integers(0, CLASSES, rows)
    own = words[:, : LENGTH // 2]
    own += (t[:, np.newaxis] - own) % CLASSES
    np.minimum(own, WORDS - CLASSES + t[:, np.newaxis], out=own)
    columns = rng.permutation(WORDS)[words].reshape(-1)
    places = np.arange(0, rows * LENGTH + 1, LENGTH)
    x = csr_array((np.ones(columns.size, np.float32), columns, places), shape=(rows, WORDS))
    x.sum_duplicates()
    return x, t


def contenders(x: Any, t: np.ndarray, rule: str, threads: int | None) -> dict[str, Any]:
    """Who goes over the data once, in batches."""
    net = bp.Network([WORDS, HIDDEN, CLASSES], seed=0)
    optimizer = bp.SGD(0.1) if rule == "sgd" else bp.Adam()

    def ours() -> None:
        net.fit(x, t, epochs=1, batch_size=BATCH, optimizer=optimizer, seed=0, threads=threads)

    found = {"backprop": ours}
    try:
        from sklearn.neural_network import MLPClassifier
    except ImportError:
        return found
    rate = 0.1 if rule == "sgd" else 0.001
    other = MLPClassifier(
        (HIDDEN,), solver=rule, learning_rate_init=rate, momentum=0, nesterovs_momentum=False, alpha=0,
        batch_size=BATCH, random_state=0,
    )  # fmt: skip

    def theirs() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other.partial_fit(x, t, classes=np.arange(CLASSES))

    return found | {"scikit-learn": theirs}


def beside_sklearn(x: Any, t: np.ndarray, rule: str, threads: int, quick: bool) -> Iterator[Result]:
    """Time and memory of an epoch."""
    steps = -(-x.shape[0] // BATCH)
    calls = contenders(x, t, rule, threads)
    for call in calls.values():
        call()  # which makes what the rule keeps
    timings = interleaved(calls, 2 if quick else 7, steps)
    name = f"bag of words of {WORDS} columns, {rule}"
    for who, timing in timings.items():
        yield Result(
            "sparse_steps", f"{name}: a step, {who}", timing.best * 1e3, "ms", median=timing.median * 1e3
        )
    if "scikit-learn" not in timings:
        return
    ratio = 1 / paired_ratio(timings["backprop"], timings["scikit-learn"])
    yield Result("sparse_steps", f"{name}: times as fast as scikit-learn", ratio, "", "" if quick else ">= 5")
    if sys.platform != "linux" or threads > 1:
        return
    memory = {who: _memory(who, rule, x.shape[0]) for who in calls}
    for who, kilobytes in memory.items():
        yield Result("sparse_steps", f"{name}: memory of training, {who}", kilobytes / 1024, "MB")


def _memory(who: str, rule: str, rows: int) -> int:
    """Kilobytes that training takes beside its data."""
    command = [sys.executable, "-c", MEMORY, who, rule, str(rows)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
