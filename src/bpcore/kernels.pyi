"""The kernels of the chosen instruction-set level. Written by tools/kernel_stubs.py."""

import inspect
from typing import Any, TypeAlias

from numpy import bool_, floating, int32, int64, uint8
from numpy.typing import NDArray

from bpcore.errors import ArgumentSpec

# float32 or float64, one type a call: NumPy's stubs have no way to say "the same one" for both at once.
_Floats: TypeAlias = NDArray[floating[Any]]
_Mask: TypeAlias = NDArray[bool_] | NDArray[uint8]
_Indices: TypeAlias = NDArray[int32] | NDArray[int64]
_Targets: TypeAlias = NDArray[int64] | _Floats

class Entry:
    arguments: list[list[ArgumentSpec]]
    returns: bool
    __name__: str
    __signature__: inspect.Signature

def affine_forward(x: _Floats, W: _Floats, b: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def affine_backward_input(dout: _Floats, W: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def affine_backward_params(
    x: _Floats, dout: _Floats, dW: _Floats, db: _Floats, threads: int | None = None
) -> None: ...
def csr_forward(
    indptr: _Indices,
    indices: _Indices,
    data: _Floats,
    W: _Floats,
    b: _Floats,
    out: _Floats,
    threads: int | None = None,
) -> None: ...
def csr_backward_params(
    indptr: _Indices,
    indices: _Indices,
    data: _Floats,
    dout: _Floats,
    dW: _Floats,
    db: _Floats,
    threads: int | None = None,
) -> None: ...
def sum_rows(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def squared_norm(g: _Floats, threads: int | None = None) -> float: ...
def limit_columns(W: _Floats, max_norm: float, threads: int | None = None) -> None: ...
def relu_forward(x: _Floats, out: _Floats, mask: _Mask, threads: int | None = None) -> None: ...
def relu_backward(dout: _Floats, mask: _Mask, dx: _Floats, threads: int | None = None) -> None: ...
def softmax(x: _Floats, y: _Floats, threads: int | None = None) -> None: ...
def softmax_cross_entropy(
    x: _Floats, t: _Targets, y: _Floats, dx: _Floats, threads: int | None = None
) -> float: ...
def softmax_cross_entropy_forward(
    x: _Floats, t: _Targets, y: _Floats, threads: int | None = None
) -> float: ...
def softmax_cross_entropy_backward(
    y: _Floats, t: _Targets, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def weighted_softmax_cross_entropy_forward(
    x: _Floats, t: _Targets, shares: _Floats, y: _Floats, threads: int | None = None
) -> float: ...
def weighted_softmax_cross_entropy_backward(
    y: _Floats, t: _Targets, shares: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def add(x: _Floats, y: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def multiply(x: _Floats, y: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def exp(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def log(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def reciprocal(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def reciprocal_backward(dout: _Floats, out: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def blend(p: _Floats, q: _Floats, tau: float, threads: int | None = None) -> None: ...
def dropout_forward(
    x: _Floats, rate: float, seed: float, step: int, out: _Floats, mask: _Floats, threads: int | None = None
) -> None: ...
def batch_norm_forward(
    x: _Floats,
    weight: _Floats,
    bias: _Floats,
    running_mean: _Floats,
    running_var: _Floats,
    eps: float,
    momentum: float,
    out: _Floats,
    z: _Floats,
    scale: _Floats,
    threads: int | None = None,
) -> None: ...
def batch_norm_inference(
    x: _Floats,
    weight: _Floats,
    bias: _Floats,
    running_mean: _Floats,
    running_var: _Floats,
    eps: float,
    out: _Floats,
    z: _Floats,
    scale: _Floats,
    threads: int | None = None,
) -> None: ...
def batch_norm_backward(
    dout: _Floats,
    z: _Floats,
    scale: _Floats,
    weight: _Floats,
    dx: _Floats,
    dweight: _Floats,
    dbias: _Floats,
    threads: int | None = None,
) -> None: ...
def softmax_backward(dout: _Floats, y: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def log_softmax(x: _Floats, y: _Floats, threads: int | None = None) -> None: ...
def log_softmax_backward(dout: _Floats, y: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def sigmoid_forward(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def sigmoid_backward(dout: _Floats, out: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def tanh_forward(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def tanh_backward(dout: _Floats, out: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def gelu_forward(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def gelu_backward(dout: _Floats, x: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def gelu_tanh_forward(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def gelu_tanh_backward(dout: _Floats, x: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def leaky_relu_forward(
    x: _Floats, negative_slope: float, out: _Floats, threads: int | None = None
) -> None: ...
def leaky_relu_backward(
    dout: _Floats, out: _Floats, negative_slope: float, dx: _Floats, threads: int | None = None
) -> None: ...
def elu_forward(x: _Floats, alpha: float, out: _Floats, threads: int | None = None) -> None: ...
def elu_backward(
    dout: _Floats, out: _Floats, alpha: float, dx: _Floats, threads: int | None = None
) -> None: ...
def selu_forward(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def selu_backward(dout: _Floats, out: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def silu_forward(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def silu_backward(dout: _Floats, x: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def mish_forward(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def mish_backward(dout: _Floats, x: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def softplus_forward(x: _Floats, beta: float, out: _Floats, threads: int | None = None) -> None: ...
def softplus_backward(
    dout: _Floats, x: _Floats, beta: float, dx: _Floats, threads: int | None = None
) -> None: ...
def hardtanh_forward(
    x: _Floats, min_val: float, max_val: float, out: _Floats, threads: int | None = None
) -> None: ...
def hardtanh_backward(
    dout: _Floats, out: _Floats, min_val: float, max_val: float, dx: _Floats, threads: int | None = None
) -> None: ...
def hardswish_forward(x: _Floats, out: _Floats, threads: int | None = None) -> None: ...
def hardswish_backward(dout: _Floats, x: _Floats, dx: _Floats, threads: int | None = None) -> None: ...
def squared_error(x: _Floats, t: _Floats, dx: _Floats, threads: int | None = None) -> float: ...
def squared_error_forward(x: _Floats, t: _Floats, threads: int | None = None) -> float: ...
def squared_error_backward(
    x: _Floats, t: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def weighted_squared_error_forward(
    x: _Floats, t: _Floats, shares: _Floats, threads: int | None = None
) -> float: ...
def weighted_squared_error_backward(
    x: _Floats, t: _Floats, shares: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def huber(x: _Floats, t: _Floats, delta: float, dx: _Floats, threads: int | None = None) -> float: ...
def huber_forward(x: _Floats, t: _Floats, delta: float, threads: int | None = None) -> float: ...
def huber_backward(
    x: _Floats, t: _Floats, dout: float, delta: float, dx: _Floats, threads: int | None = None
) -> None: ...
def weighted_huber_forward(
    x: _Floats, t: _Floats, shares: _Floats, delta: float, threads: int | None = None
) -> float: ...
def weighted_huber_backward(
    x: _Floats,
    t: _Floats,
    shares: _Floats,
    dout: float,
    delta: float,
    dx: _Floats,
    threads: int | None = None,
) -> None: ...
def absolute_error(x: _Floats, t: _Floats, dx: _Floats, threads: int | None = None) -> float: ...
def absolute_error_forward(x: _Floats, t: _Floats, threads: int | None = None) -> float: ...
def absolute_error_backward(
    x: _Floats, t: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def weighted_absolute_error_forward(
    x: _Floats, t: _Floats, shares: _Floats, threads: int | None = None
) -> float: ...
def weighted_absolute_error_backward(
    x: _Floats, t: _Floats, shares: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def log_cosh(x: _Floats, t: _Floats, dx: _Floats, threads: int | None = None) -> float: ...
def log_cosh_forward(x: _Floats, t: _Floats, threads: int | None = None) -> float: ...
def log_cosh_backward(
    x: _Floats, t: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def weighted_log_cosh_forward(
    x: _Floats, t: _Floats, shares: _Floats, threads: int | None = None
) -> float: ...
def weighted_log_cosh_backward(
    x: _Floats, t: _Floats, shares: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def quantile(x: _Floats, t: _Floats, quantile: float, dx: _Floats, threads: int | None = None) -> float: ...
def quantile_forward(x: _Floats, t: _Floats, quantile: float, threads: int | None = None) -> float: ...
def quantile_backward(
    x: _Floats, t: _Floats, dout: float, quantile: float, dx: _Floats, threads: int | None = None
) -> None: ...
def weighted_quantile_forward(
    x: _Floats, t: _Floats, shares: _Floats, quantile: float, threads: int | None = None
) -> float: ...
def weighted_quantile_backward(
    x: _Floats,
    t: _Floats,
    shares: _Floats,
    dout: float,
    quantile: float,
    dx: _Floats,
    threads: int | None = None,
) -> None: ...
def binary_cross_entropy(x: _Floats, t: _Floats, dx: _Floats, threads: int | None = None) -> float: ...
def binary_cross_entropy_forward(x: _Floats, t: _Floats, threads: int | None = None) -> float: ...
def binary_cross_entropy_backward(
    x: _Floats, t: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def weighted_binary_cross_entropy_forward(
    x: _Floats, t: _Floats, shares: _Floats, threads: int | None = None
) -> float: ...
def weighted_binary_cross_entropy_backward(
    x: _Floats, t: _Floats, shares: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def poisson(x: _Floats, t: _Floats, dx: _Floats, threads: int | None = None) -> float: ...
def poisson_forward(x: _Floats, t: _Floats, threads: int | None = None) -> float: ...
def poisson_backward(
    x: _Floats, t: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def weighted_poisson_forward(
    x: _Floats, t: _Floats, shares: _Floats, threads: int | None = None
) -> float: ...
def weighted_poisson_backward(
    x: _Floats, t: _Floats, shares: _Floats, dout: float, dx: _Floats, threads: int | None = None
) -> None: ...
def gaussian_nll(
    x: _Floats, t: _Floats, min_variance: float, dx: _Floats, threads: int | None = None
) -> float: ...
def gaussian_nll_forward(
    x: _Floats, t: _Floats, min_variance: float, threads: int | None = None
) -> float: ...
def gaussian_nll_backward(
    x: _Floats, t: _Floats, dout: float, min_variance: float, dx: _Floats, threads: int | None = None
) -> None: ...
def weighted_gaussian_nll_forward(
    x: _Floats, t: _Floats, shares: _Floats, min_variance: float, threads: int | None = None
) -> float: ...
def weighted_gaussian_nll_backward(
    x: _Floats,
    t: _Floats,
    shares: _Floats,
    dout: float,
    min_variance: float,
    dx: _Floats,
    threads: int | None = None,
) -> None: ...
def layer_norm_forward(
    x: _Floats,
    weight: _Floats,
    bias: _Floats,
    eps: float,
    out: _Floats,
    z: _Floats,
    scale: _Floats,
    threads: int | None = None,
) -> None: ...
def layer_norm_backward_input(
    dout: _Floats, z: _Floats, scale: _Floats, weight: _Floats, dx: _Floats, threads: int | None = None
) -> None: ...
def layer_norm_backward_params(
    z: _Floats, dout: _Floats, dweight: _Floats, dbias: _Floats, threads: int | None = None
) -> None: ...
def rms_norm_forward(
    x: _Floats,
    weight: _Floats,
    eps: float,
    out: _Floats,
    z: _Floats,
    scale: _Floats,
    threads: int | None = None,
) -> None: ...
def rms_norm_backward_input(
    dout: _Floats, z: _Floats, scale: _Floats, weight: _Floats, dx: _Floats, threads: int | None = None
) -> None: ...
def rms_norm_backward_params(
    z: _Floats, dout: _Floats, dweight: _Floats, threads: int | None = None
) -> None: ...
def sgd_update(
    w: _Floats,
    g: _Floats,
    lr: float,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def momentum_update(
    w: _Floats,
    g: _Floats,
    v: _Floats,
    lr: float,
    momentum: float,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def nesterov_update(
    w: _Floats,
    g: _Floats,
    v: _Floats,
    lr: float,
    momentum: float,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def adagrad_update(
    w: _Floats,
    g: _Floats,
    h: _Floats,
    lr: float,
    eps: float,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def rmsprop_update(
    w: _Floats,
    g: _Floats,
    h: _Floats,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def adam_update(
    w: _Floats,
    g: _Floats,
    m: _Floats,
    v: _Floats,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    step: int,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def adamw_update(
    w: _Floats,
    g: _Floats,
    m: _Floats,
    v: _Floats,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    step: int,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def rmsprop_centered_update(
    w: _Floats,
    g: _Floats,
    h: _Floats,
    m: _Floats,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def amsgrad_update(
    w: _Floats,
    g: _Floats,
    m: _Floats,
    v: _Floats,
    largest: _Floats,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    step: int,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def amsgradw_update(
    w: _Floats,
    g: _Floats,
    m: _Floats,
    v: _Floats,
    largest: _Floats,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    step: int,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def nadam_update(
    w: _Floats,
    g: _Floats,
    m: _Floats,
    v: _Floats,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    momentum_decay: float,
    step: int,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def adadelta_update(
    w: _Floats,
    g: _Floats,
    h: _Floats,
    d: _Floats,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def lion_update(
    w: _Floats,
    g: _Floats,
    m: _Floats,
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def rprop_update(
    w: _Floats,
    g: _Floats,
    last: _Floats,
    size: _Floats,
    lr: float,
    eta_minus: float,
    eta_plus: float,
    min_step: float,
    max_step: float,
    weight_decay: float,
    l1: float,
    clip_value: float,
    threads: int | None = None,
) -> None: ...
def has_threads() -> bool: ...
def multiply_adds(dtype: str, rounds: int, threads: int = 1) -> int: ...
