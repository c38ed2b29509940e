"""Train the demo's network on MNIST and write `python/backprop/demo/network.npz`: `python tools/train_demo.py`.

Each epoch sees every image once, turned, sheared, narrowed, thickened or thinned at random, then fitted into the field
as `backprop.demo.image` fits a drawing. Beside MNIST there are some ones with a serif, which it hardly has and which
look like its sevens, and sevens with and without a bar to tell them from. Weights are stored as int8, multiples of a
step a layer.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import backprop as bp

TARGET = Path(__file__).parents[1] / "python/backprop/demo/network.npz"
SIDE = 28
BOX = 20  # pixels of a digit's longer side
FULL = 255
HIDDEN = (128, 48)
BATCH = 100
RATE = 1e-3
SMOOTHING = (
    0.03  # of a target's weight is shared by all classes, or the network would be surer than it is right
)
# What weights are multiples of, as a share of their layer's standard deviation: the larger, the smaller the file. The
# first layer is nine tenths of it and bears the coarsest step.
STEPS = {"W1": 0.45, "W2": 0.1, "W3": 0.1}
DRAWN = 3000  # ones, and as many sevens

# Each is drawn uniformly from ± its value, the last two from the interval.
TURN = np.radians(22)
SHEAR = 0.3
SHIFT = 1.0  # pixels
SIZE = (0.92, 1.06)
NARROW = (0.45, 1.3)  # width, height staying


def drawn(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lines through points (N, P, 2), in pixels, drawn with round pens of different widths: images (N, 28, 28)."""
    places = np.arange(SIDE) + 0.5
    pixel = np.stack(np.meshgrid(places, places), axis=-1)
    distance = np.full((len(points), SIDE, SIDE), np.inf)
    for n in range(points.shape[1] - 1):
        start, way = points[:, n, None, None], (points[:, n + 1] - points[:, n])[:, None, None]
        length = np.maximum((way * way).sum(axis=-1), 1e-9)
        along = np.clip(((pixel - start) * way).sum(axis=-1) / length, 0, 1)
        distance = np.minimum(distance, np.linalg.norm(pixel - start - along[..., None] * way, axis=-1))
    pen = rng.uniform(1.6, 3.2, (len(points), 1, 1))
    return np.rint(FULL * np.clip(pen / 2 - distance + 0.5, 0, 1)).astype(np.uint8)


def ones_with_serif(count: int, rng: np.random.Generator) -> np.ndarray:
    """Half of them stand on a line."""
    top = np.stack([rng.uniform(14, 17, count), np.full(count, 4.0)], axis=1)
    foot = np.stack([rng.uniform(12, 17, count), np.full(count, 24.0)], axis=1)
    length, angle = rng.uniform(3, 13, count), np.radians(rng.uniform(30, 70, count))
    tip = top + np.stack([-length * np.cos(angle), length * np.sin(angle)], axis=1)
    base = np.stack([np.where(rng.random(count) < 0.5, rng.uniform(2, 6, count), 0), np.zeros(count)], axis=1)
    return drawn(np.stack([tip, top, foot, foot - base, foot + base], axis=1), rng)


def sevens(count: int, rng: np.random.Generator) -> np.ndarray:
    """Half of them have a bar."""
    corner = np.stack([rng.uniform(18, 22, count), rng.uniform(4, 5, count)], axis=1)
    start = np.stack([corner[:, 0] - rng.uniform(9, 15, count), rng.uniform(4, 6, count)], axis=1)
    foot = np.stack([corner[:, 0] - rng.uniform(3, 10, count), np.full(count, 24.0)], axis=1)
    middle = corner + rng.uniform(0.4, 0.6, (count, 1)) * (foot - corner)
    half = np.where(rng.random(count) < 0.5, rng.uniform(3, 6, count), 0)
    bar = np.stack([half, rng.uniform(-0.2, 0.1, count) * half], axis=1)
    return drawn(np.stack([start, corner, foot, middle, middle - bar, middle + bar], axis=1), rng)


def neighbours(images: np.ndarray, choose: np.ufunc) -> np.ndarray:
    """The largest or smallest of each pixel and the four beside it."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    result = images
    for rows, columns in ((0, 1), (2, 1), (1, 0), (1, 2)):
        result = choose(result, padded[:, rows : rows + SIDE, columns : columns + SIDE])
    return result


def other_pens(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Strokes made up to two pixels thicker or one pixel thinner."""
    share = rng.uniform(-0.6, 1, (len(images), 1, 1)).astype(np.float32)
    thick, thin = neighbours(images, np.maximum), neighbours(images, np.minimum)
    return images + np.where(share > 0, share * (thick - images), -share * (thin - images))


def maps(count: int, rng: np.random.Generator) -> np.ndarray:
    """Linear maps (count, 2, 2) of (x, y): narrowed, then sheared, then turned."""
    angle, shear = rng.uniform(-TURN, TURN, count), rng.uniform(-SHEAR, SHEAR, count)
    narrow = np.exp(rng.uniform(*np.log(NARROW), count))
    zero, one = np.zeros(count), np.ones(count)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    slant = np.array([[one, shear], [zero, one]])
    width = np.array([[narrow, zero], [zero, one]])
    return np.einsum("ijn,jkn,kln->nil", turn, slant, width)


def varied(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Images (N, 28, 28) drawn differently and fitted into the field again: (N, 784)."""
    images = other_pens(images.astype(np.float32), rng)
    count = len(images)
    linear = maps(count, rng)
    places = np.arange(SIDE) + 0.5
    mass = images.sum(axis=(1, 2))
    centre = np.stack([images.sum(axis=1) @ places, images.sum(axis=2) @ places], axis=1) / mass[:, None]

    # The extent of what is inked, after the map.
    y, x = np.divmod(np.arange(SIDE * SIDE), SIDE)
    inked = images.reshape(count, -1) > FULL / 4
    size = np.zeros(count)
    for row in (0, 1):
        at = linear[:, row, :1] * x + linear[:, row, 1:] * y
        span = np.where(inked, at, -np.inf).max(axis=1) - np.where(inked, at, np.inf).min(axis=1) + 1
        size = np.maximum(size, span)
    scale = BOX / size * rng.uniform(*SIZE, count)

    # Each pixel of the field takes what lies at its place in the image, between four pixels.
    shift = rng.uniform(-SHIFT, SHIFT, (count, 2))
    back = np.linalg.inv(linear) / scale[:, None, None]
    field = np.stack([x + 0.5, y + 0.5]) - SIDE / 2
    source = np.einsum("nij,njp->nip", back, field - shift[:, :, None]) + centre[:, :, None] + 0.5
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).reshape(count, -1)
    source = np.clip(source, 0, SIDE + 1 - 1e-3)
    left = source.astype(np.int32)
    share = (source - left).astype(np.float32)
    first = left[:, 1] * (SIDE + 2) + left[:, 0]

    def pixels(offset: int) -> np.ndarray:
        return np.take_along_axis(padded, first + offset, axis=1)

    above = pixels(0) + share[:, 0] * (pixels(1) - pixels(0))
    below = pixels(SIDE + 2) + share[:, 0] * (pixels(SIDE + 3) - pixels(SIDE + 2))
    return above + share[:, 1] * (below - above)


def batched(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([varied(part, rng) for part in np.array_split(images, max(len(images) // 2000, 1))])


def quantized(net: bp.Network) -> dict[str, np.ndarray]:
    """The parameters as they are stored: weights as int8 and the step they are multiples of, biases as they are."""
    arrays = {}
    for key, array in net.params.items():
        if key in STEPS:
            step = np.float32(max(STEPS[key] * array.std(), np.abs(array).max() / 127))
            arrays[key], arrays[f"step{key[1:]}"] = np.rint(array / step).astype(np.int8), step
        else:
            arrays[key] = array
    return arrays


def main(epochs: int, target: Path) -> None:
    (x, t), (x_test, t_test) = bp.load_mnist(normalize=False)
    x, x_test = x.reshape(-1, SIDE, SIDE), x_test.reshape(-1, SIDE, SIDE)
    rng = np.random.default_rng(0)
    tests = (x_test.reshape(len(x_test), -1), batched(x_test, rng))
    x = np.concatenate([x, ones_with_serif(DRAWN, rng), sevens(DRAWN, rng)])
    t = (1 - SMOOTHING) * np.eye(10)[
        np.concatenate([t, np.full(DRAWN, 1), np.full(DRAWN, 7)])
    ] + SMOOTHING / 10
    net = bp.Network([SIDE * SIDE, *HIDDEN, 10], seed=0, input_scale=1 / FULL)
    # Pixels at the border are hardly ever inked: random weights would stay there as noise.
    net.params["W1"][x.mean(axis=0).reshape(-1) < 0.5] = 0
    optimizer = bp.Adam(RATE)

    def say(what: str) -> float:
        plain, varied = [100 * net.accuracy(images, t_test) for images in tests]
        sys.stdout.write(f"{what}: {plain:.2f} % of the test images right, {varied:.2f} % when varied\n")
        sys.stdout.flush()
        return plain

    for epoch in range(epochs):
        optimizer.lr = RATE * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        net.fit(batched(x, rng), t, epochs=1, batch_size=BATCH, optimizer=optimizer, seed=epoch)
        say(f"epoch {epoch + 1}")
    arrays = quantized(net)
    for key in STEPS:
        net.params[key][...] = arrays[key] * arrays[f"step{key[1:]}"]
    right = say("rounded")
    np.savez_compressed(target, **arrays, right=right)  # which the page says
    sys.stdout.write(f"{target}: {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--target", type=Path, default=TARGET)
    arguments = parser.parse_args()
    main(arguments.epochs, arguments.target)
