"""The functions of one number that kernels compute: their exact forms, and how far a kernel may be from them.

a) u is the unit roundoff of a kernel's type. A result is within u·(relative·|y| + absolute) of y = f(x). Where there is
   no `absolute`, relative / 2 is a bound in units in the last place, which tests/core/test_functions.py holds: a unit
   is at most 2u relative to the number.
b) An activation has a row in ACTIVATIONS, and nothing else in tests names it: tests loop over the registry. One that
   takes numbers has those of its class here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from tests.registry import Table

Array = np.ndarray


def wide_range(rng: np.random.Generator) -> Array:
    """From where exp is subnormal to where it overflows, and around 0."""
    return np.concatenate([rng.uniform(-745, 709, 1500), rng.uniform(-1, 1, 500)])


def around_0(rng: np.random.Generator) -> Array:
    """Up to ±25, and numbers of every size below 1."""
    tiny = np.exp(rng.uniform(-740, 0, 500))
    return np.concatenate([rng.uniform(-25, 25, 1000), rng.uniform(-1, 1, 1000), tiny, -tiny])


def around_1(rng: np.random.Generator) -> Array:
    """Positive numbers of every size, and those whose logarithm is near 0."""
    return np.concatenate([np.exp(rng.uniform(-745, 709, 1500)), 1 + rng.uniform(-1e-3, 1e-3, 500)])


def down_to_subnormal(rng: np.random.Generator) -> Array:
    """From where x·Φ(x) is subnormal to where it is x, and numbers of every size below 1."""
    tiny = np.exp(rng.uniform(-708, 0, 250))
    return np.concatenate([rng.uniform(-37.5, 10, 1000), rng.uniform(-1, 1, 500), tiny, -tiny])


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of one number.

    Attributes
    ----------
    exact : callable
        The function of an mpmath number.
    samples : callable
        float64 inputs, drawn by a generator.
    relative, absolute : float
        Roundings of the kernel, as above.
    vectorised : bool
        Whether the twin is one of NumPy's functions, quick enough for many numbers.
    least : float
        In least normal numbers of the type: below it a unit in the last place is that of this number.
    special : tuple of float or None
        What it is of SPECIAL, to the bit; None where that is no short number.
    """

    exact: Callable[[Any], Any]
    samples: Callable[[np.random.Generator], Array]
    relative: float
    absolute: float = 0
    vectorised: bool = True
    least: float = 0
    special: tuple[float | None, ...]

    def error(self, y: Array, dtype: Any) -> Array:
        """How far a result may be from y by its own roundings; below the least normal number they are absolute."""
        u, tiny = np.finfo(dtype).eps / 2, float(np.finfo(dtype).tiny)
        own = u * (self.relative * np.abs(y) + self.absolute)
        return np.asarray(own + tiny if self.relative or self.absolute else own)


@dataclass(frozen=True, kw_only=True)
class Activation(Function):
    """An activation, whose backward is given z: what `keeps` of its class says, but x for a mask.

    Attributes
    ----------
    slope : float
        The largest |f′|.
    change : callable
        How far f′ at z may be from f′ at what is at most e away from z: a function of z and e.
    change_by_x : bool
        Whether what went in is z there, also where the backward is given what came out.
    dx_relative, dx_absolute : float
        The kernel's dx = dout·f′ is within u·(dx_relative·|dx| + dx_absolute·|dout|).
    others_absolute : float
        The twin and other libraries, in float64, may be off by so many of its u more, relative to max(1, |x|).
    dx_special : tuple of float or None
        The derivative at SPECIAL, to the bit, of an activation whose backward needs what went in.
    pytorch, jax : callable
        The same function there: of the module `torch` or `jax`, and x.
    """

    slope: float
    change: Callable[[Array, Array], Array]
    change_by_x: bool = False
    dx_relative: float
    dx_absolute: float = 0
    others_absolute: float = 0
    dx_special: tuple[float, ...] | None = None
    pytorch: Callable[[Any, Any], Any]
    jax: Callable[[Any, Any], Any]

    def others(self, x: Array) -> Array:
        """How far the twin and other libraries may be from the function, or its derivative, at x besides."""
        return np.asarray(self.others_absolute * np.finfo(float).eps / 2 * np.maximum(1, np.abs(x)))


def at(kinks: Array, e: Array) -> Array:
    """Whether what is off by e may be on either side of a kink, which is so far away: 1 or 0."""
    return np.asarray((np.abs(kinks) <= 2 * e) & (e > 0), dtype=float)


NAN, INF = np.nan, np.inf
SELU = mpmath.mpf("1.0507009873554804934193349852946"), mpmath.mpf("1.7580993408473768599402175208123")
X3 = mpmath.mpf("0.044715")
SPECIAL = (0.0, -0.0, INF, -INF, NAN, -1000.0, 1000.0)

FUNCTIONS = {
    "exp": Function(
        exact=mpmath.exp,
        samples=wide_range,
        relative=4,
        special=(1, 1, INF, 0, NAN, 0, INF),
    ),
    "log": Function(
        exact=mpmath.log,
        samples=around_1,
        relative=6,
        special=(-INF, -INF, INF, NAN, NAN, NAN, None),
    ),
    "reciprocal": Function(
        exact=lambda x: 1 / x,
        samples=lambda rng: np.maximum(around_1(rng), 1e-307),
        relative=1,
        special=(INF, -INF, 0, -0.0, NAN, -0.001, 0.001),
    ),
}
ACTIVATIONS = Table(
    "activation",
    "tests/functions.py",
    {
        "relu": Activation(
            exact=lambda x: max(x, 0),
            samples=around_0,
            relative=0,
            special=(0, 0, INF, 0, NAN, 0, 1000),
            slope=1,
            # Where x may have either sign, so may the mask be.
            change=at,
            dx_relative=0,
            pytorch=lambda torch, x: torch.relu(x),
            jax=lambda jax, x: jax.nn.relu(x),
        ),
        "sigmoid": Activation(
            exact=lambda x: 1 / (1 + mpmath.exp(-x)),
            samples=wide_range,
            relative=8,
            special=(0.5, 0.5, 1, 0, NAN, 0, 1),
            slope=0.25,
            # y·(1 − y): its slope is at most 1, its second derivative −2. Three products and differences.
            change=lambda y, e: e + e**2,
            dx_relative=3,
            pytorch=lambda torch, x: torch.sigmoid(x),
            jax=lambda jax, x: jax.nn.sigmoid(x),
        ),
        "tanh": Activation(
            exact=mpmath.tanh,
            samples=around_0,
            relative=6,
            special=(0, -0.0, 1, -1, NAN, -1, 1),
            slope=1,
            # 1 − y²: what rounding y² costs is absolute, at most u; then a difference and a product.
            change=lambda y, e: 2 * np.abs(y) * e + e**2,
            dx_relative=3,
            dx_absolute=2,
            pytorch=lambda torch, x: torch.tanh(x),
            jax=lambda jax, x: jax.numpy.tanh(x),
        ),
        "gelu": Activation(
            exact=lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
            samples=down_to_subnormal,
            relative=8,
            vectorised=False,
            special=(0, -0.0, INF, 0, NAN, 0, 1000),
            # Least and most at ∓√2; the second derivative is (2 − x²)·φ(x), φ the normal density.
            slope=1.129,
            change=lambda x, e: 0.798 * e,
            # Of −t it is exp(−t²/2)·(r − t/√(2π)): exp has 4 roundings and the product with it 3, of at most 1/2;
            # t/√(2π) one, of at most 1/4; r, a polynomial, 5, of at most 1/2. The difference from 1 is one of 1.13.
            dx_special=(0.5, 0.5, 1, 0, NAN, 0, 1),
            dx_relative=1,
            dx_absolute=8,
            # x·(1 + erf(x/√2))/2: erf and the sum, each of a few u at most; erfc of the twin has up to 5 ULP.
            others_absolute=8,
            pytorch=lambda torch, x: torch.nn.functional.gelu(x),
            jax=lambda jax, x: jax.nn.gelu(x, approximate=False),
        ),
        "gelu_tanh": Activation(
            exact=lambda x: x * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + X3 * x**3))) / 2,
            samples=down_to_subnormal,
            # |x|·s, s = e/(1 + e), e = exp(−a): a has 6 roundings, exp 4, the rest 3. In all they come to
            # |x|·s·((6a + 4)·(1 − s) + 3), at most 2.41. The difference from max(x, 0) is one more.
            relative=1,
            absolute=2.5,
            special=(0, -0.0, INF, 0, NAN, 0, 1000),
            slope=1.129,
            change=lambda x, e: 0.798 * e,
            # s·(1 − b·(1 − s)), b = |x|·da/d|x| with 6 roundings: as above, at most 4.72. The difference from 1: 1.13.
            dx_special=(0.5, 0.5, 1, 0, NAN, 0, 1),
            dx_relative=1,
            dx_absolute=6,
            # 1 + tanh has a few u, times |x|/2. In the derivative 1 − tanh² has 6 until tanh is 1, at |x| = 7.6, times
            # |x|/2·(√(2/π) + 0.107·x²), at most 3.5·|x|.
            others_absolute=24,
            pytorch=lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
            jax=lambda jax, x: jax.nn.gelu(x, approximate=True),
        ),
        "leaky_relu": Activation(
            exact=lambda x: x if x > 0 else x * mpmath.mpf(0.01),
            samples=around_0,
            # The slope and the product, both of which may be two units in the last place.
            relative=3,
            special=(0, -0.0, INF, -INF, NAN, -10, 1000),
            slope=1,
            change=at,
            dx_relative=2,
            pytorch=lambda torch, x: torch.nn.functional.leaky_relu(x),
            jax=lambda jax, x: jax.nn.leaky_relu(x),
        ),
        "elu": Activation(
            exact=lambda x: x if x > 0 else mpmath.expm1(x),
            samples=around_0,
            relative=6,
            special=(0, -0.0, INF, -1, NAN, -1, 1000),
            slope=1,
            # min(out, 0) + 1: its slope is 1. A sum and a product.
            change=lambda y, e: e,
            dx_relative=2,
            # exp(x) − 1 of another library.
            others_absolute=4,
            pytorch=lambda torch, x: torch.nn.functional.elu(x),
            jax=lambda jax, x: jax.nn.elu(x),
        ),
        "selu": Activation(
            exact=lambda x: SELU[0] * x if x > 0 else SELU[1] * mpmath.expm1(x),
            samples=around_0,
            # As elu, a number and a product.
            relative=9,
            special=(0, -0.0, INF, None, NAN, None, None),
            slope=1.7581,
            # From λα it falls to λ at 0.
            change=lambda y, e: e + 0.7074 * at(y, e),
            # λα, at most 1.7581, is rounded; a sum, and λ or a product.
            dx_relative=2,
            dx_absolute=1.7581,
            others_absolute=8,
            pytorch=lambda torch, x: torch.nn.functional.selu(x),
            jax=lambda jax, x: jax.nn.selu(x),
        ),
        "silu": Activation(
            exact=lambda x: x / (1 + mpmath.exp(-x)),
            samples=down_to_subnormal,
            # |x|·s, s = e/(1 + e): exp has 4 roundings, of which s has at most all, the sum, the product and the
            # division one each; the difference from max(x, 0) one more. exp(−|x|) may be subnormal where |x| times it
            # is not.
            relative=8,
            least=128,
            special=(0, -0.0, INF, 0, NAN, 0, 1000),
            slope=1.1,
            change=lambda x, e: 0.5 * e,
            # s·(1 − |x|·(1 − s)): s has 6, and is at most 1/2; |x|·s·(1 − s) 12, and is at most 0.224. The difference
            # from 1: 1.1.
            dx_special=(0.5, 0.5, 1, 0, NAN, 0, 1),
            dx_relative=1,
            dx_absolute=8,
            others_absolute=8,
            pytorch=lambda torch, x: torch.nn.functional.silu(x),
            jax=lambda jax, x: jax.nn.silu(x),
        ),
        "mish": Activation(
            exact=lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
            samples=down_to_subnormal,
            # n = e·(e + 2): exp has 4 roundings, which count at most 1.34 times, the sum and the product one each: 7.4.
            # n / (n + 2) has them at most once, since both have the same; 1 of the sum, 1 of the division, 1 of the
            # product with x.
            relative=11,
            least=128,
            special=(0, -0.0, INF, 0, NAN, 0, 1000),
            slope=1.0885,
            change=lambda x, e: 0.645 * e,
            # T, at most 0.6, has 10; |x|·4e·(1 + e) / (n + 2)², at most 0.264, has 6 of e·(1 + e), 3 products, twice
            # 5.4 of n + 2, and 3 more. Beyond 0 both are less. The sum: 1.1.
            dx_special=(0.6, 0.6, 1, 0, NAN, 0, 1),
            dx_relative=1,
            dx_absolute=14,
            others_absolute=8,
            pytorch=lambda torch, x: torch.nn.functional.mish(x),
            jax=lambda jax, x: jax.nn.mish(x),
        ),
        "softplus": Activation(
            exact=lambda x: mpmath.log1p(mpmath.exp(x)),
            samples=wide_range,
            # exp has 4 roundings, log1p 3, the sum one.
            relative=8,
            special=(None, None, INF, 0, NAN, 0, 1000),
            slope=1,
            change=lambda x, e: 0.25 * e,
            dx_special=(0.5, 0.5, 1, 0, NAN, 0, 1),
            # That of the sigmoid, and a product.
            dx_relative=9,
            others_absolute=4,
            # Its own is x from a threshold on, or overflows.
            pytorch=lambda torch, x: torch.logaddexp(x, torch.zeros_like(x)),
            jax=lambda jax, x: jax.nn.softplus(x),
        ),
        "hardtanh": Activation(
            exact=lambda x: max(-1, min(x, 1)),
            samples=around_0,
            relative=0,
            special=(0, -0.0, 1, -1, NAN, -1, 1),
            slope=1,
            change=lambda x, e: at(np.abs(x) - 1, e),
            change_by_x=True,
            dx_relative=0,
            pytorch=lambda torch, x: torch.nn.functional.hardtanh(x),
            jax=lambda jax, x: jax.nn.hard_tanh(x),
        ),
        "hardswish": Activation(
            exact=lambda x: x * max(0, min(x + 3, 6)) / 6,
            samples=around_0,
            # A sum, a product and a division; the first two may be two units in the last place.
            relative=5,
            special=(0, -0.0, INF, 0, NAN, 0, 1000),
            slope=1.5,
            change=lambda x, e: e / 3 + 0.5 * at(np.abs(x) - 3, e),
            # x/3, at most 1, is rounded; a sum and a product.
            dx_special=(0.5, 0.5, 1, 0, NAN, 0, 1),
            dx_relative=2,
            dx_absolute=1,
            pytorch=lambda torch, x: torch.nn.functional.hardswish(x),
            jax=lambda jax, x: jax.nn.hard_swish(x),
        ),
    },
)
# Every function by the name of its kernel.
KERNELS = FUNCTIONS | {f"{kind}_forward": row for kind, row in ACTIVATIONS.items()}
