"""The functions of one number that kernels compute: their exact forms, and how far a kernel may be from them.

a) u is the unit roundoff of a kernel's type. A result is within u·(relative·|y| + absolute) of y = f(x). Where there is
   no `absolute`, relative / 2 is a bound in units in the last place, which tests/core/test_functions.py holds: a unit
   is at most 2u relative to the number.
b) An activation has a row in ACTIVATIONS, and nothing else in tests names it: tests loop over the registry.
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
    special : tuple of float or None
        What it is of SPECIAL, to the bit; None where that is no short number.
    """

    exact: Callable[[Any], Any]
    samples: Callable[[np.random.Generator], Array]
    relative: float
    absolute: float = 0
    vectorised: bool = True
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
    dx_relative: float
    dx_absolute: float = 0
    others_absolute: float = 0
    dx_special: tuple[float, ...] | None = None
    pytorch: Callable[[Any, Any], Any]
    jax: Callable[[Any, Any], Any]

    def others(self, x: Array) -> Array:
        """How far the twin and other libraries may be from the function, or its derivative, at x besides."""
        return np.asarray(self.others_absolute * np.finfo(float).eps / 2 * np.maximum(1, np.abs(x)))


NAN, INF = np.nan, np.inf
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
            change=lambda x, e: ((np.abs(x) <= 2 * e) & (e > 0)).astype(float),
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
    },
)
# Every function by the name of its kernel.
KERNELS = FUNCTIONS | {f"{kind}_forward": row for kind, row in ACTIVATIONS.items()}
