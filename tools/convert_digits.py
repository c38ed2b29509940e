"""Make `python/backprop/data/digits.npz` from the copy of the data in scikit-learn's wheel.

`pip download --no-deps scikit-learn && python tools/convert_digits.py scikit_learn-*.whl`. Twice gives the same bytes.
"""

import gzip
import sys
import zipfile
from pathlib import Path

import numpy as np

SOURCE = "sklearn/datasets/data/digits.csv.gz"
TARGET = Path(__file__).parents[1] / "python/backprop/data/digits.npz"
TEST_SHARE = 0.2
SEED = 10


def split(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices to train and to test with: every class gives the same share to the test, up to one image."""
    # RandomState's permutation is frozen, so the split can be made again with any NumPy.
    order = np.random.RandomState(SEED).permutation(len(t))
    shuffled = [order[t[order] == label] for label in np.unique(t)]
    # Cumulated shares are rounded, so that the parts of the classes add up to the share of the whole.
    edges = np.rint(np.cumsum([0, *(len(indices) for indices in shuffled)]) * TEST_SHARE + 0.5).astype(int)
    counts = np.diff(edges)
    test = np.concatenate([indices[:count] for indices, count in zip(shuffled, counts, strict=True)])
    in_test = np.zeros(len(t), dtype=bool)
    in_test[test] = True
    return order[~in_test[order]], order[in_test[order]]


def main(wheel: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        rows = gzip.decompress(archive.read(SOURCE)).decode("ascii").split()
    table = np.array([[float(cell) for cell in row.split(",")] for row in rows])
    x, t = table[:, :-1].astype(np.uint8), table[:, -1].astype(np.uint8)
    assert table.shape == (1797, 65)
    assert np.array_equal(table, np.column_stack([x, t]))
    train, test = split(t)
    np.savez_compressed(TARGET, x_train=x[train], t_train=t[train], x_test=x[test], t_test=t[test])
    sys.stdout.write(f"{TARGET}: {len(train)} + {len(test)} images, {TARGET.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1])
