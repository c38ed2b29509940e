"""A network in numbers."""

import numpy as np

import backprop as bp


def test_numbers():
    net = bp.Network([784, 50, 10], dtype="float64", dropout=[0.1, 0.5], seed=0)
    net.layers.insert_after("Affine1", "LayerNorm1", bp.LayerNorm(50, dtype="float64"))
    summary = net.summary()
    assert [layer.name for layer in summary.layers] == list(net.layers)
    assert summary.parameters == net.get_flat_params().size == 784 * 50 + 50 + 2 * 50 + 500 + 10
    assert summary.bytes == sum(array.nbytes for array in net.params.values())
    assert summary.operations == 784 * 50 + 500
    by_name = {layer.name: layer for layer in summary.layers}
    assert by_name["LayerNorm1"].shapes == {"gamma1": (50,), "beta1": (50,)}
    assert (by_name["LayerNorm1"].parameters, by_name["LayerNorm1"].operations) == (100, 0)
    assert [by_name[name].outputs for name in ("Dropout0", "Affine1", "Affine2")] == [784, 50, 10]


class Unknown:
    def forward(self, x):
        return np.concatenate([x, x], axis=1)

    def backward(self, dout):
        return dout[:, : dout.shape[1] // 2] + dout[:, dout.shape[1] // 2 :]


def test_texts(capsys):
    net = bp.Network([4, 8, 3], seed=0)
    text = str(net.summary())
    assert text == repr(net.summary())
    assert text.splitlines()[0] == repr(net)
    assert text.splitlines()[-1].split() == ["total", "67", "268", "56"]
    html = net.summary()._repr_html_()
    assert all(cell in html for cell in ("<th>total</th>", "W1 (4, 8), b1 (8,)", "<td>32</td>"))
    net.layers["Relu1"] = Unknown()
    assert "(B, ?)" in str(net.summary())
    assert capsys.readouterr().out == ""
