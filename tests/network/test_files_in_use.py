"""Files that other processes use: rewritten in place while they are read, written by two that are killed."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.data import read_idx, read_table

ROOT = Path(__file__).parents[2]
# One of ours has 2.4 MB, so that it is often cut while it is read.
SIZES = [1000, 600, 10]


def network(seed):
    return bp.Network(SIZES, seed=seed)


def write_network(path, seed):
    network(seed).save(path)


def write_csv(path, seed):
    rows = np.random.default_rng(seed).integers(100, size=(4000, 10))
    path.write_text("".join(",".join(map(str, (*row, row[0] % 3))) + "\n" for row in rows.tolist()))


def write_npz(path, seed):
    rng = np.random.default_rng(seed)
    np.savez_compressed(path, x=rng.integers(100, size=(5000 + seed, 10)), t=np.arange(5000 + seed) % 3)


def write_idx(path, seed):
    array = np.full((300 + seed, 1000), seed, np.uint8)
    path.write_bytes(b"\0\0\x08\x02" + np.array(array.shape, ">u4").tobytes() + array.tobytes())


def as_bytes(net):
    return b"".join(array.tobytes() for array in net.params.values())


FILES = {
    "net": (write_network, lambda path: as_bytes(bp.Network.load(path))),
    "t.csv": (write_csv, lambda path: read_table(path).x),
    "t.npz": (write_npz, lambda path: read_table(path).x),
    "t-idx": (write_idx, read_idx),
}


def read_again_and_again(path, count):
    """What a process does that reads a file `count` times: a line of how often it was read and how often refused."""
    path = Path(path)
    read = FILES[path.name][1]
    wanted = [as_bytes(network(seed)) for seed in (0, 1)]
    taken = refused = 0
    for _ in range(int(count)):
        try:
            found = read(path)
        except ValueError as error:
            assert str(error).startswith(str(path))
            refused += 1
        else:
            assert path.name != "net" or found in wanted, "a network that nobody saved"
            taken += 1
    print(taken, refused)


def rewritten(path, count):
    """Read a file in a process of its own, while this one writes it again in place as `cp` does."""
    contents = []
    for seed in (0, 1):
        FILES[path.name][0](path, seed)
        contents.append(path.read_bytes())
    command = f"from tests.network.test_files_in_use import *; read_again_and_again(*{(str(path), count)!r})"
    reader = subprocess.Popen(
        [sys.executable, "-c", command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    turn, chance = 0, random.Random(0)
    while reader.poll() is None:
        with path.open("wb", buffering=0) as file:
            for start in range(0, len(contents[turn]), 1 << 16):
                file.write(contents[turn][start : start + (1 << 16)])
        turn = 1 - turn
        time.sleep(chance.uniform(0, 0.01))  # whole for a while, so that it is cut in any moment of a read
    out, err = reader.communicate()
    assert reader.returncode == 0, err
    assert sum(map(int, out.split())) == count


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_rewritten_in_place_is_read_or_refused(name, tmp_path):
    rewritten(tmp_path / name, 40)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", FILES)
def test_500_reads_of_a_file_that_is_rewritten_in_place(name, tmp_path):
    rewritten(tmp_path / name, 500)


# Two processes that save to one path until they are killed, forked from one that has imported the package.
SAVERS = """
import os, random, signal, sys, time
import backprop as bp
from tests.network.test_files_in_use import as_bytes, network

folder, rounds = sys.argv[1], int(sys.argv[2])
path, chance = os.path.join(folder, "net"), random.Random(0)
wanted = [as_bytes(network(seed)) for seed in (0, 1)]
network(0).save(path)
left = 0
for _ in range(rounds):
    children = []
    for seed in (0, 1):
        child = os.fork()
        if not child:
            net = network(seed)
            while True:
                net.save(path)
        children.append(child)
    for child in children:
        time.sleep(chance.uniform(0, 0.02))  # any moment of a save
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert as_bytes(bp.Network.load(path)) in wanted
    left += len(os.listdir(folder)) - 1
    network(0).save(path)
    assert os.listdir(folder) == ["net"], os.listdir(folder)
print(left)
"""


def killed(folder, rounds):
    """How many temporary files were left in so many rounds, all of which the next save removed."""
    done = subprocess.run(
        [sys.executable, "-c", SAVERS, folder, str(rounds)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_savers_that_are_killed_leave_a_network_and_nothing_else(tmp_path):
    killed(tmp_path, 5)


@pytest.mark.exhaustive
def test_240_savers_that_are_killed(tmp_path):
    assert killed(tmp_path, 120) > 0, "else no save was killed"
