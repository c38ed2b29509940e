# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Parameter updates, in place: what moves a parameter w against its gradient g.

a) Every operation is rounded on its own, in the type of w, and every constant is first rounded to it: the results are
   those of the NumPy line that stands above the loop. Square root and division are exact, never approximate. A constant
   does not leave its range by the rounding: lr stays finite, decay below 1, eps at or above the least normal number.
   Otherwise a gradient of 0 would give 0/0 or 0·inf in float32, and a mean would never decay.
b) Weight decay is added to the gradient, g + weight_decay·w (L2), in every rule but AdamW's: there w is first
   multiplied by 1 − lr·weight_decay (decoupled; Loshchilov and Hutter 2019).
c) A rule keeps up to two numbers a parameter between its steps, 0 at first: `state1` and `state2`.
d) Adam's corrections of the moments' bias are folded into two numbers a step, which saves a division an element:
   lr·(m/c1) / (sqrt(v/c2) + eps) = (lr·sqrt(c2)/c1)·m / (sqrt(v) + eps·sqrt(c2)), c1 = 1 − beta1^t, c2 = 1 − beta2^t.
   The paper has this form in section 2 (Kingma and Ba 2015).
e) What decays while its gradient is 0, as that of a dead unit, would come to the subnormal numbers, on which many
   processors take a hundred times as long, and not leave them: 0.9 times 4 of the smallest rounds to 4 of them. So a
   mean becomes 0 below 2^26 times the least normal number, a mean of squares below that number itself.
f) What was just stored is not read again: NumPy's large arrays begin 16 bytes into a cache line, so a vector that was
   stored lies on two, and reading it has to wait for both.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.math cimport sqrt as sqrt_of_double, sqrtf
from libc.stdint cimport int64_t

from bpcore._parallel.team cimport SPAN, spans_of

cdef enum Rule:
    SGD = 0
    MOMENTUM = 1
    NESTEROV = 2
    ADAGRAD = 3
    RMSPROP = 4
    ADAM = 5
    ADAMW = 6
    RULES = 7    # how many there are


cdef struct Update:
    # Made by `sgd` and its like. A rule reads the settings that its constructor takes. These are doubles one behind the
    # other, from lr on, in the order of `setting_name`.
    Rule rule
    double lr
    double momentum
    double alpha
    double beta1
    double beta2
    double eps
    double weight_decay    # 0 unless the caller sets it
    int64_t step    # counted from 1; the caller's to count


cdef enum:
    SETTINGS = 7    # numbers of an Update, from lr on
    CHUNK = 1024    # numbers of a gradient with L2 that are made at once


cdef inline const char* setting_name(int n) noexcept nogil:
    """The name of a setting, in the struct's order."""
    return (
        "lr" if n == 0 else "momentum" if n == 1 else "alpha" if n == 2 else "beta1" if n == 3 else "beta2" if n == 4
        else "eps" if n == 5 else "weight_decay" if n == 6 else ""
    )


cdef inline Update no_update() noexcept nogil:
    return Update(rule=SGD, lr=0, momentum=0, alpha=0, beta1=0, beta2=0, eps=0, weight_decay=0, step=1)


cdef inline Update sgd(double lr) noexcept nogil:
    """w -= lr·g. Nothing is kept."""
    cdef Update u = no_update()
    u.rule, u.lr = SGD, lr
    return u


cdef inline Update momentum(double lr, double momentum, bint nesterov) noexcept nogil:
    """v = momentum·v + g, w -= lr·v; Nesterov's w -= lr·(momentum·v + g). state1 is v."""
    cdef Update u = no_update()
    u.rule, u.lr, u.momentum = NESTEROV if nesterov else MOMENTUM, lr, momentum
    return u


cdef inline Update adagrad(double lr, double eps) noexcept nogil:
    """h += g², w -= lr·g / (sqrt(h) + eps). state1 is h."""
    cdef Update u = no_update()
    u.rule, u.lr, u.eps = ADAGRAD, lr, eps
    return u


cdef inline Update rmsprop(double lr, double alpha, double eps) noexcept nogil:
    """h = alpha·h + (1 − alpha)·g², w -= lr·g / (sqrt(h) + eps). state1 is h."""
    cdef Update u = no_update()
    u.rule, u.lr, u.alpha, u.eps = RMSPROP, lr, alpha, eps
    return u


cdef inline Update adam(double lr, double beta1, double beta2, double eps) noexcept nogil:
    """m and v running means of g and g², w -= lr·(m/c1) / (sqrt(v/c2) + eps). state1 is m, state2 is v."""
    cdef Update u = no_update()
    u.rule, u.lr, u.beta1, u.beta2, u.eps = ADAM, lr, beta1, beta2, eps
    return u


cdef inline Update adamw(double lr, double beta1, double beta2, double eps, double weight_decay) noexcept nogil:
    """Adam of w·(1 − lr·weight_decay)."""
    cdef Update u = adam(lr, beta1, beta2, eps)
    u.rule, u.weight_decay = ADAMW, weight_decay
    return u


cdef inline const char* rule_name(int rule) noexcept nogil:
    """What Python calls it."""
    return (
        "sgd" if rule == SGD else "momentum" if rule == MOMENTUM else "nesterov" if rule == NESTEROV
        else "adagrad" if rule == ADAGRAD else "rmsprop" if rule == RMSPROP else "adam" if rule == ADAM
        else "adamw" if rule == ADAMW else ""
    )


cdef inline const char* rule_signature(int rule) noexcept nogil:
    """What its entry takes: w, its gradient, what the rule keeps, and the settings."""
    return (
        "w:N! g:N lr weight_decay[0,inf)=0" if rule == SGD
        else "w:N! g:N v:N! lr momentum weight_decay[0,inf)=0" if rule == MOMENTUM or rule == NESTEROV
        else "w:N! g:N h:N! lr eps weight_decay[0,inf)=0" if rule == ADAGRAD
        else "w:N! g:N h:N! lr alpha eps weight_decay[0,inf)=0" if rule == RMSPROP
        else "w:N! g:N m:N! v:N! lr beta1[0,1) beta2[0,1) eps step weight_decay[0,inf)=0" if rule in (ADAM, ADAMW)
        else ""
    )


cdef inline int states_of(Rule rule) noexcept nogil:
    """How many numbers a parameter the rule keeps."""
    return 0 if rule == SGD else 2 if rule == ADAM or rule == ADAMW else 1


cdef inline floating sqrt(floating x) noexcept nogil:
    if floating is float:
        return sqrtf(x)
    else:
        return sqrt_of_double(x)


cdef inline floating flushed(floating x, floating least) noexcept nogil:
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


cdef inline void update_shared(
    const Update* u, floating* w, const floating* g, floating* state1, floating* state2, Py_ssize_t n, int threads
) noexcept nogil:
    cdef Py_ssize_t i, t
    if threads <= 1:
        update_span(u, w, g, state1, state2, n)
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
        update_span(
            u, w + i, g + i, <floating*> NULL if state1 is NULL else state1 + i,
            <floating*> NULL if state2 is NULL else state2 + i, min(<Py_ssize_t> SPAN, n - i),
        )


cdef inline void update_span(
    const Update* u,
    floating* w,                 # INOUT  (n,)
    const floating* g,           # IN     (n,) its gradient
    floating* state1,            # INOUT  (n,) or NULL where the rule keeps nothing
    floating* state2,            # INOUT  (n,) or NULL
    Py_ssize_t n,
) noexcept nogil:
    cdef Constants c = constants_of(u)
    cdef floating[CHUNK] decayed
    cdef floating weight_decay = <floating> u.weight_decay
    cdef Py_ssize_t first = 0, count, i
    if weight_decay == 0 or u.rule == ADAMW:
        rule_span(u.rule, &c, w, g, state1, state2, n)
        return
    while first < n:
        count = min(<Py_ssize_t> CHUNK, n - first)
        # g + weight_decay·w
        for i in range(count):
            decayed[i] = g[first + i] + weight_decay * w[first + i]
        rule_span(
            u.rule, &c, w + first, <const floating*> &decayed[0],
            <floating*> NULL if state1 is NULL else state1 + first,
            <floating*> NULL if state2 is NULL else state2 + first, count,
        )
        first = first + count


cdef struct Constants:
    # What the loops take, the same for all elements of a step; Adam's lr and eps are those of d).
    double lr
    double momentum
    double alpha
    double beta1
    double beta2
    double eps
    double keep    # what decoupled weight decay multiplies w by


cdef inline Constants constants_of(const Update* u) noexcept nogil:
    cdef Constants c = Constants(
        lr=u.lr, momentum=u.momentum, alpha=u.alpha, beta1=u.beta1, beta2=u.beta2, eps=u.eps, keep=1
    )
    cdef double c1, c2
    if u.rule == ADAM or u.rule == ADAMW:
        c1 = 1 - power(u.beta1, u.step)
        c2 = sqrt(1 - power(u.beta2, u.step))
        c.lr, c.eps = u.lr * c2 / c1, u.eps * c2
    if u.rule == ADAMW:
        c.keep = 1 - u.lr * u.weight_decay
    return c


cdef inline void rule_span(
    Rule rule, const Constants* c, floating* w, const floating* g, floating* state1, floating* state2, Py_ssize_t n
) noexcept nogil:
    cdef floating lr = rounded_lr(c.lr, <floating> 0), eps = rounded_eps(c.eps, <floating> 0)
    cdef floating momentum = rounded_decay(c.momentum, <floating> 0)
    if rule == SGD:
        sgd_span(w, g, lr, n)
    elif rule == MOMENTUM:
        momentum_span(w, g, state1, lr, momentum, n)
    elif rule == NESTEROV:
        nesterov_span(w, g, state1, lr, momentum, n)
    elif rule == ADAGRAD:
        adagrad_span(w, g, state1, lr, eps, n)
    elif rule == RMSPROP:
        rmsprop_span(w, g, state1, lr, rounded_decay(c.alpha, <floating> 0), <floating> (1 - c.alpha), eps, n)
    elif rule == ADAM or rule == ADAMW:
        adam_span(
            w, g, state1, state2, lr, rounded_decay(c.beta1, <floating> 0), <floating> (1 - c.beta1),
            rounded_decay(c.beta2, <floating> 0), <floating> (1 - c.beta2), eps, rounded_lr(c.keep, <floating> 0), n,
        )


cdef inline void sgd_span(floating* w, const floating* g, floating lr, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    # w -= lr·g
    for i in range(n):
        w[i] = w[i] - lr * g[i]


cdef inline void momentum_span(
    floating* w, const floating* g, floating* v, floating lr, floating momentum, Py_ssize_t n
) noexcept nogil:
    cdef floating least = least_mean(lr), velocity
    cdef Py_ssize_t i
    # v = momentum·v + g, w -= lr·v
    for i in range(n):
        velocity = flushed(momentum * v[i] + g[i], least)
        w[i] = w[i] - lr * velocity
        v[i] = velocity


cdef inline void nesterov_span(
    floating* w, const floating* g, floating* v, floating lr, floating momentum, Py_ssize_t n
) noexcept nogil:
    cdef floating least = least_mean(lr), velocity
    cdef Py_ssize_t i
    # v = momentum·v + g, w -= lr·(momentum·v + g)
    for i in range(n):
        velocity = flushed(momentum * v[i] + g[i], least)
        w[i] = w[i] - lr * (momentum * velocity + g[i])
        v[i] = velocity


cdef inline void adagrad_span(
    floating* w, const floating* g, floating* h, floating lr, floating eps, Py_ssize_t n
) noexcept nogil:
    cdef floating squares
    cdef Py_ssize_t i
    # h += g², w -= lr·g / (sqrt(h) + eps)
    for i in range(n):
        squares = h[i] + g[i] * g[i]
        w[i] = w[i] - lr * g[i] / (sqrt(squares) + eps)
        h[i] = squares


cdef inline void rmsprop_span(
    floating* w, const floating* g, floating* h, floating lr, floating alpha, floating rest, floating eps, Py_ssize_t n
) noexcept nogil:
    cdef floating least = least_square(lr), square
    cdef Py_ssize_t i
    # h = alpha·h + (1 − alpha)·g², w -= lr·g / (sqrt(h) + eps)
    for i in range(n):
        square = flushed(alpha * h[i] + rest * (g[i] * g[i]), least)
        w[i] = w[i] - lr * g[i] / (sqrt(square) + eps)
        h[i] = square


cdef inline void adam_span(
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
    floating keep,
    Py_ssize_t n,
) noexcept nogil:
    cdef floating least = least_mean(lr), least2 = least_square(lr), mean, square
    cdef Py_ssize_t i
    # m = beta1·m + (1 − beta1)·g, v = beta2·v + (1 − beta2)·g², w = keep·w − lr·m / (sqrt(v) + eps), as in d)
    for i in range(n):
        mean = flushed(beta1 * m[i] + rest1 * g[i], least)
        square = flushed(beta2 * v[i] + rest2 * (g[i] * g[i]), least2)
        # keep is 1 but for AdamW: the product is then w itself.
        w[i] = w[i] * keep - lr * mean / (sqrt(square) + eps)
        m[i] = mean
        v[i] = square
