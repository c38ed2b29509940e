"""Check a wheel's size and content: `python tools/check_wheel.py dist/bpcore-….whl`."""

import sys
import zipfile
from pathlib import Path

LARGEST, LARGEST_UNPACKED = 2_000_000, 5_000_000
WANTED = (
    "bpcore/_api/version.h",
    "bpcore/_gemm/blocks.h",
    "bpcore/_gemm/edges.h",
    "bpcore/_gemm/operands.h",
    "bpcore/_gemm/product.h",
    "bpcore/_parallel/scratch.h",
    "bpcore/_simd/simd.h",
    "bpcore/affine.pxd",
    "bpcore/cmake/bpcore-config.cmake",
    "bpcore/cmake/bpcore-levels.cmake",
    "bpcore/kernels.pyi",
    "bpcore/py.typed",
    "backprop/py.typed",
    "backprop/data/digits.npz",
    "backprop/data/DIGITS.md",
    "backprop/demo/page.html",
    "backprop/demo/page.css",
    "backprop/demo/page.js",
    "backprop/demo/asking.js",
    "backprop/demo/drawing.js",
    "backprop/demo/charts.js",
    "backprop/demo/icon.svg",
    "backprop/demo/network.npz",
    "backprop/demo/NETWORK.md",
)


def main(path: Path) -> int:
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        unpacked = sum(entry.file_size for entry in wheel.infolist())
    missing = [name for name in WANTED if name not in names]
    unwanted = [name for name in names if name.endswith((".pyx", ".c")) or "__pycache__" in name]
    size = path.stat().st_size
    sys.stdout.write(
        f"{path.name}: {size / 1e6:.2f} MB, unpacked {unpacked / 1e6:.2f} MB, {len(names)} files\n"
    )
    if size > LARGEST or unpacked > LARGEST_UNPACKED or missing or unwanted:
        sys.stderr.write(
            f"limits {LARGEST} and {LARGEST_UNPACKED}; missing: {missing}; unwanted: {unwanted}\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
