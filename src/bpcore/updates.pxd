# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Parameter updates, in place: what moves a parameter w against its gradient g.

a) Every operation is rounded on its own, in the type of w, and every constant is first rounded to it: the results are
   those of the NumPy line that stands above the loop. Square root and division are exact, never approximate. A constant
   does not leave its range by the rounding: lr stays finite, decay below 1, eps at or above the least normal number.
   Otherwise a gradient of 0 would give 0/0 or 0·inf in float32, and a mean would never decay.
b) A rule keeps up to two numbers a parameter between its steps, 0 at first: the `first` and the `second` moment.
c) Adam's corrections of the moments' bias are folded into two numbers a step, which saves a division an element:
   lr·(m/c1) / (sqrt(v/c2) + eps) = (lr·sqrt(c2)/c1)·m / (sqrt(v) + eps·sqrt(c2)), c1 = 1 − beta1^t, c2 = 1 − beta2^t.
   The paper has this form in section 2 (Kingma and Ba 2015).
d) What decays while its gradient is 0, as that of a dead unit, would come to the subnormal numbers, on which many
   processors take a hundred times as long, and not leave them: 0.9 times 4 of the smallest rounds to 4 of them. So a
   mean becomes 0 below 2^26 times the least normal number, a mean of squares below that number itself.
e) What was just stored is not read again: NumPy's large arrays begin 16 bytes into a cache line, so a vector that was
   stored lies on two, and reading it has to wait for both.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.math cimport sqrt as sqrt_of_double, sqrtf
from libc.stdint cimport int64_t

from bpcore.parallel cimport SPAN, spans_of

cdef enum Rule:
    SGD = 0         # w -= lr·g
    MOMENTUM = 1    # decay: how much of the velocity stays
    NESTEROV = 2
    ADAGRAD = 3     # eps
    RMSPROP = 4     # decay of the mean of squares, eps
    ADAM = 5        # decay (beta1), decay2 (beta2), eps


cdef struct Update:
    Rule rule
    double lr
    double decay
    double decay2
    double eps
    int64_t step    # counted from 1


cdef inline floating sqrt(floating x) noexcept nogil:
    if floating is float:
        return sqrtf(x)
    else:
        return sqrt_of_double(x)


cdef inline floating settled(floating x, floating least) noexcept nogil:
    """x, or 0 where |x| < least."""
    return 0 if -least < x < least else x


cdef inline floating least_square(floating _) noexcept nogil:
    """The least normal number, below which a mean of squares becomes 0."""
    return 1.1754943508222875e-38 if floating is float else 2.2250738585072014e-308


cdef inline floating least_mean(floating _) noexcept nogil:
    """2^26 times the least normal number, below which a mean becomes 0."""
    return least_square(_) * 67108864


cdef inline floating rounded_lr(double lr, floating _) noexcept nogil:
    """lr in the type, the largest finite number at most."""
    cdef double largest = 3.4028234663852886e38 if floating is float else 1.7976931348623157e308
    return <floating> max(min(lr, largest), -largest)


cdef inline floating rounded_decay(double decay, floating _) noexcept nogil:
    """A decay in the type; from below 1 it does not become 1."""
    return <floating> min(decay, 0.99999994039535522) if floating is float and decay < 1 else <floating> decay


cdef inline floating rounded_eps(double eps, floating _) noexcept nogil:
    """eps in the type, the least normal number at least."""
    return max(<floating> eps, least_square(_))


cdef inline double power(double base, int64_t exponent) noexcept nogil:
    """base^exponent by squaring: the same multiplications on every machine, which pow() is not."""
    cdef double result = 1
    while exponent > 0:
        if exponent & 1:
            result = result * base
        base = base * base
        exponent = exponent >> 1
    return result


cdef inline int moments_of(Rule rule) noexcept nogil:
    """How many numbers a parameter the rule keeps."""
    return 0 if rule == SGD else 2 if rule == ADAM else 1


cdef inline Update update_of(tuple settings) except *:
    """(rule, lr, decay, decay2, eps, step) as a struct."""
    cdef Update u
    cdef int rule
    rule, u.lr, u.decay, u.decay2, u.eps, u.step = settings
    if rule < 0 or rule > <int> ADAM:
        raise ValueError(f"the rule is {rule}, wanted 0 to {<int> ADAM}")
    if u.step < 1:
        raise ValueError(f"the number of the first step is {u.step}, wanted at least 1")
    if rule == ADAM and not (0 <= u.decay < 1 and 0 <= u.decay2 < 1):
        raise ValueError(f"the decays are {u.decay} and {u.decay2}, wanted at least 0 and below 1")
    u.rule = <Rule> rule
    return u


cdef inline void update_shared(
    const Update* u, floating* w, const floating* g, floating* first, floating* second, Py_ssize_t n, int threads
) noexcept nogil:
    cdef Py_ssize_t i, t
    if threads <= 1:
        update_span(u, w, g, first, second, n)
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
        update_span(
            u, w + i, g + i, <floating*> NULL if first is NULL else first + i,
            <floating*> NULL if second is NULL else second + i, min(<Py_ssize_t> SPAN, n - i),
        )


cdef inline void update_span(
    const Update* u,
    floating* w,                 # INOUT  (n,)
    const floating* g,           # IN     (n,) its gradient
    floating* first,             # INOUT  (n,) or NULL where the rule keeps nothing
    floating* second,            # INOUT  (n,) or NULL
    Py_ssize_t n,
) noexcept nogil:
    cdef double c1, c2
    cdef floating lr = rounded_lr(u.lr, <floating> 0), eps = rounded_eps(u.eps, <floating> 0)
    cdef floating decay = rounded_decay(u.decay, <floating> 0), decay2 = rounded_decay(u.decay2, <floating> 0)
    if u.rule == SGD:
        sgd(w, g, lr, n)
    elif u.rule == MOMENTUM:
        momentum(w, g, first, lr, decay, n)
    elif u.rule == NESTEROV:
        nesterov(w, g, first, lr, decay, n)
    elif u.rule == ADAGRAD:
        adagrad(w, g, first, lr, eps, n)
    elif u.rule == RMSPROP:
        rmsprop(w, g, first, lr, decay, <floating> (1 - u.decay), eps, n)
    elif u.rule == ADAM:
        c1 = 1 - power(u.decay, u.step)
        c2 = sqrt(1 - power(u.decay2, u.step))
        lr = rounded_lr(u.lr * c2 / c1, <floating> 0)
        eps = rounded_eps(u.eps * c2, <floating> 0)
        adam(w, g, first, second, lr, decay, <floating> (1 - u.decay), decay2, <floating> (1 - u.decay2), eps, n)


cdef inline void sgd(floating* w, const floating* g, floating lr, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    # w -= lr·g
    for i in range(n):
        w[i] = w[i] - lr * g[i]


cdef inline void momentum(
    floating* w, const floating* g, floating* v, floating lr, floating decay, Py_ssize_t n
) noexcept nogil:
    cdef floating least = least_mean(lr), velocity
    cdef Py_ssize_t i
    # v = decay·v + g, w -= lr·v
    for i in range(n):
        velocity = settled(decay * v[i] + g[i], least)
        w[i] = w[i] - lr * velocity
        v[i] = velocity


cdef inline void nesterov(
    floating* w, const floating* g, floating* v, floating lr, floating decay, Py_ssize_t n
) noexcept nogil:
    cdef floating least = least_mean(lr), velocity
    cdef Py_ssize_t i
    # v = decay·v + g, w -= lr·(decay·v + g)
    for i in range(n):
        velocity = settled(decay * v[i] + g[i], least)
        w[i] = w[i] - lr * (decay * velocity + g[i])
        v[i] = velocity


cdef inline void adagrad(
    floating* w, const floating* g, floating* h, floating lr, floating eps, Py_ssize_t n
) noexcept nogil:
    cdef floating squares
    cdef Py_ssize_t i
    # h += g², w -= lr·g / (sqrt(h) + eps)
    for i in range(n):
        squares = h[i] + g[i] * g[i]
        w[i] = w[i] - lr * g[i] / (sqrt(squares) + eps)
        h[i] = squares


cdef inline void rmsprop(
    floating* w, const floating* g, floating* h, floating lr, floating decay, floating rest, floating eps, Py_ssize_t n
) noexcept nogil:
    cdef floating least = least_square(lr), square
    cdef Py_ssize_t i
    # h = decay·h + (1 − decay)·g², w -= lr·g / (sqrt(h) + eps)
    for i in range(n):
        square = settled(decay * h[i] + rest * (g[i] * g[i]), least)
        w[i] = w[i] - lr * g[i] / (sqrt(square) + eps)
        h[i] = square


cdef inline void adam(
    floating* w,
    const floating* g,
    floating* m,
    floating* v,
    floating lr,
    floating beta1,
    floating rest1,
    floating beta2,
    floating rest2,
    floating eps,
    Py_ssize_t n,
) noexcept nogil:
    cdef floating least = least_mean(lr), least2 = least_square(lr), mean, square
    cdef Py_ssize_t i
    # m = beta1·m + (1 − beta1)·g, v = beta2·v + (1 − beta2)·g², w -= lr·m / (sqrt(v) + eps), lr and eps as in c)
    for i in range(n):
        mean = settled(beta1 * m[i] + rest1 * g[i], least)
        square = settled(beta2 * v[i] + rest2 * (g[i] * g[i]), least2)
        w[i] = w[i] - lr * mean / (sqrt(square) + eps)
        m[i] = mean
        v[i] = square
