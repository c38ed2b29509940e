"""Which sparse matrices networks take, what they refuse, and what sparse samples never do."""

import copy
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import backprop as bp
from backprop._util.sparse import SparseRows, sparse_rows
from bpcore.plan import SparseMatrix
from tests.training.runs import NETWORKS, T, with_own_layer
from tests.training.sparse_samples import Csr, alike, sparse

X = sparse(np.random.default_rng(3), 53, 6, 0.4)
X[7] = 0


def test_scipys_matrices():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    net, t = NETWORKS["plain"](), T
    wanted = net.loss(X, t)
    for made in (scipy_sparse.csr_array, scipy_sparse.csr_matrix):
        assert net.loss(made(X), t) == wanted
    for form in ("csc", "coo", "bsr", "lil", "dok", "dia"):
        with pytest.raises(
            TypeError, match=rf"^Network: x is a sparse matrix of format '{form}', .*x\.tocsr\(\)"
        ):
            net.predict(scipy_sparse.csr_array(X).asformat(form))
    # Room for more numbers than there are.
    roomy = scipy_sparse.csr_array(X)
    roomy.data, roomy.indices = np.append(roomy.data, 9), np.append(roomy.indices, 99)
    assert net.loss(roomy, t) == wanted


GOOD = Csr(X)
SECOND = GOOD.indices.copy()
SECOND[:2] = SECOND[1::-1]
TWICE = GOOD.indices.copy()
TWICE[1] = TWICE[0]
REFUSED = {
    "x has 6 columns": (
        GOOD.replaced(shape=(53, 7)),
        ValueError,
        "x has 7 columns, the network has 6 inputs",
    ),
    "dimensions": (GOOD.replaced(shape=(53,)), ValueError, "x has 1 dimension, wanted"),
    "unsorted": (GOOD.replaced(indices=SECOND), ValueError, r"ascend, none twice: x\.sum_duplicates\(\)"),
    "twice": (GOOD.replaced(indices=TWICE), ValueError, r"ascend, none twice: x\.sum_duplicates\(\)"),
    "beyond": (
        GOOD.replaced(indices=GOOD.indices + 5),
        ValueError,
        r"x\.indices\[\d+\] is \d+, wanted 0 to 5",
    ),
    "below": (GOOD.replaced(indices=GOOD.indices - 3), ValueError, r"x\.indices\[0\] is -\d, wanted 0 to 5"),
    "falling": (
        GOOD.replaced(indptr=GOOD.indptr[::-1].copy()),
        ValueError,
        r"x\.indptr is that of no matrix",
    ),
    "beyond the end": (GOOD.replaced(data=GOOD.data[:-1]), ValueError, r"x\.indptr is that of no matrix"),
    "short": (GOOD.replaced(indptr=GOOD.indptr[:-1]), ValueError, r"x\.indptr has shape \(53,\)"),
    "complex": (GOOD.replaced(data=GOOD.data + 1j), TypeError, r"x\.data has dtype complex64"),
    "indices of floats": (
        GOOD.replaced(indices=GOOD.indices + 0.0),
        TypeError,
        r"x\.indices has dtype float64",
    ),
    "another format": (GOOD.replaced(format="csc"), TypeError, r"format 'csc', wanted 'csr': x\.tocsr\(\)"),
}


@pytest.mark.parametrize(("x", "error", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_no_such_matrix(x, error, message):
    net = NETWORKS["plain"]()
    before = copy.deepcopy(net)
    calls = [
        lambda: net.predict(x),
        lambda: net.loss(x, T),
        lambda: net.accuracy(x, T),
        lambda: net.train_step(x, T, bp.SGD(0.1)),
        lambda: net.fit(x, T, epochs=1),
        lambda: net.fit(X, T, epochs=1, validation=(x, T)),
    ]
    for call in calls:
        with pytest.raises(error, match=message):
            call()
    assert alike(net, before)


def test_networks_that_need_the_zeros():
    shifted = bp.Network([6, 3], input_mean=0.5)
    dropped = bp.Network([6, 8, 3], dropout=[0.1, 0.1])
    first = bp.Network([6, 8, 3])
    first.layers.insert(0, "Mine", NETWORKS["with_own_layer"]().layers["Doubles1"])
    for call in ("predict", "fit", "train_step", "gradient"):
        arguments = {"fit": (T,), "train_step": (T, bp.SGD(0.1)), "gradient": (T,)}.get(call, ())
        options = {"epochs": 1} if call == "fit" else {}
        with pytest.raises(ValueError, match="x is sparse, and input_mean is not 0"):
            getattr(shifted, call)(GOOD, *arguments, **options)
        for net, name in ((dropped, "Dropout0 .Dropout."), (first, "Mine .Doubles.")):
            with pytest.raises(TypeError, match=f"x is sparse, and the first layer, {name}, is no Affine"):
                getattr(net, call)(GOOD, *arguments, **options)


def test_what_reads_arrays_alone():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    net, csr = NETWORKS["plain"](), scipy_sparse.csr_array(X)
    calls = [
        lambda: net.jacobian(csr),
        lambda: net.input_gradient(csr, T),
        lambda: bp.Network.standardised(csr, [6, 3]),
        lambda: bp.Affine(np.ones((6, 2)), np.ones(2)).forward(csr),
        lambda: bp.Relu().forward(csr),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"x.* sparse matrix, x\.toarray\(\) makes an array of it"):
            call()
    with pytest.raises(TypeError, match=r"x is sparse, .*x\.toarray\(\)"):
        np.asarray(sparse_rows("test", csr))


def test_infinite_weights_reach_only_what_is_stored():
    net = bp.Network([6, 3], seed=0)
    net.params["W1"][2] = np.inf
    x = np.eye(6, dtype=np.float32)
    assert np.isnan(net.predict(x)[0]).all()
    found = net.predict(Csr(x))
    assert np.isfinite(found[[0, 1, 3, 4, 5]]).all()
    assert np.isinf(found[2]).all()


def test_the_warning_names_the_number_that_is_not_finite():
    x = X.copy()
    x[13, 4] = np.nan
    with pytest.warns(RuntimeWarning, match=r"x\[13, 4\] is nan, no finite number of float32"):
        NETWORKS["plain"]().fit(Csr(x), T, epochs=1)


def test_indices_that_change_meanwhile_do_no_harm():
    def made():
        return NETWORKS["plain"]()

    csr, wanted, net = Csr(X), made(), made()
    wanted.fit(X, T, epochs=3, seed=0)

    def spoil(*_):
        csr.indices[:] = 10**9
        csr.indptr[:] = -(10**9)

    net.fit(csr, T, epochs=3, seed=0, callbacks=[spoil])
    assert alike(net, wanted)


def test_data_in_the_memory_of_a_parameter_is_copied():
    csr = Csr(np.ones((8, 6), np.float32))
    one, other = bp.Network([6, 8, 3], seed=0), bp.Network([6, 8, 3], seed=0)
    x, shared = other.params["W1"].copy().reshape(8, 6), csr.replaced(data=one.params["W1"].reshape(-1))
    one.fit(shared, T[:8], epochs=3, seed=0)
    other.fit(x, T[:8], epochs=3, seed=0)
    assert alike(one, other)


@pytest.mark.parametrize("made", ["plain", "with_own_layer"])
def test_no_array_of_its_size_is_made(made):
    rows, columns = 400, 20_000
    rng = np.random.default_rng(0)
    indices = np.sort(rng.integers(0, columns // 10, (rows, 10)) + np.arange(10) * (columns // 10), axis=1)
    csr = Csr(np.zeros((0, 0))).replaced(
        shape=(rows, columns),
        indptr=np.arange(0, 10 * rows + 1, 10),
        indices=indices.reshape(-1),
        data=rng.normal(size=10 * rows).astype(np.float32),
    )
    net = bp.Network([columns, 8, 3], seed=0)
    if made == "with_own_layer":
        net.layers.insert_after("Relu1", "Doubles1", with_own_layer().layers["Doubles1"])
    t = np.arange(rows) % 3
    net.fit(csr, t, epochs=1)
    tracemalloc.start()
    try:
        net.fit(csr, t, epochs=2, batch_size=100, validation_fraction=0.5)
        net.predict(csr)
        net.accuracy(csr, t)
        net.loss(csr, t)
        net.train_step(csr, t, bp.SGD(0.1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A batch of rows as an array has 8 MB, the weight and its gradient 0.64 MB each.
    assert peak < 100 * columns * 4


def test_scipy_is_not_imported():
    script = (
        "import sys, numpy as np, backprop as bp\n"
        "from tests.training.sparse_samples import Csr\n"
        "bp.Network([6, 3], seed=0).fit(Csr(np.eye(6)), np.zeros(6, int), epochs=1)\n"
        "assert 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_what_a_plan_takes():
    csr = Csr(X)
    good = dict(
        indptr=csr.indptr.astype(np.int64), indices=csr.indices.view(np.uint8), data=csr.data, columns=6
    )
    SparseMatrix(**good)
    wrong = [
        dict(indptr=good["indptr"][:0]),
        dict(indptr=good["indptr"][:-1]),
        dict(indptr=good["indptr"] + 1),
        dict(indices=good["indices"][:-4]),
        dict(data=csr.data[:-1]),
        dict(data=csr.data.reshape(-1, 1)),
        dict(data=list(csr.data)),
        dict(columns=1),
        dict(indices=SECOND.view(np.uint8)),
    ]
    for change in wrong:
        with pytest.raises(ValueError, match="no matrix in compressed sparse rows"):
            SparseMatrix(**(good | change))
    with pytest.raises(ValueError, match=r"an array is int32 \(54,\), wanted int64"):
        SparseMatrix(**(good | {"indptr": csr.indptr}))
    net, optimizer = NETWORKS["plain"](), bp.SGD(0.1)
    for other in (
        SparseMatrix(**(good | {"columns": 7})),
        SparseMatrix(**(good | {"data": csr.data.astype(float)})),
        SparseMatrix(**(good | {"data": np.ones(len(csr.data), np.int64)})),
    ):
        with pytest.raises(ValueError, match=r"x has [67] columns, wanted 6 of the network's type"):
            net._plan().train(other, T, np.zeros((1, 2), np.int64), optimizer.plan_update(), np.empty(1))
    with pytest.raises(ValueError, match="targets"):
        net._plan().train(
            SparseMatrix(**good), T[:-1], np.zeros((1, 2), np.int64), optimizer.plan_update(), np.empty(1)
        )


def test_rows_are_views():
    rows = sparse_rows("test", GOOD)
    assert type(rows) is SparseRows
    assert rows.data is GOOD.data or np.shares_memory(rows.data, GOOD.data)
    assert np.shares_memory(rows[5:20].data, GOOD.data)
    assert sparse_rows("test", rows) is rows
