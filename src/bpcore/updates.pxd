# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Parameter updates, in place: what moves a parameter w against its gradient g.

a) Every operation is rounded on its own, in the type of w, and every constant is first rounded to it: the results are
   those of the NumPy line that stands above the loop. Square root and division are exact, never approximate. A constant
   does not leave its range by the rounding: lr stays finite, decay below 1, eps at or above the least normal number.
   Otherwise a gradient of 0 would give 0/0 or 0·inf in float32, and a mean would never decay.
b) What a rule gets as the gradient is clip(g)·scale + weight_decay·w + l1·sign(w), each part of it where it is asked
   for: clip limits g to ±clip_value. In AdamW's rules and Lion's weight decay is decoupled: w is multiplied by
   1 − lr·weight_decay instead (Loshchilov and Hutter 2019).
c) A rule keeps up to three numbers a parameter between its steps, 0 at first: `state1`, `state2` and `state3`.
d) Adam's corrections of the moments' bias are folded into two numbers a step, which saves a division an element:
   lr·(m/c1) / (sqrt(v/c2) + eps) = (lr·sqrt(c2)/c1)·m / (sqrt(v) + eps·sqrt(c2)), c1 = 1 − beta1^t, c2 = 1 − beta2^t.
   The paper has this form in section 2 (Kingma and Ba 2015).
e) What decays while its gradient is 0, as that of a dead unit, would come to the subnormal numbers, on which many
   processors take a hundred times as long, and not leave them: 0.9 times 4 of the smallest rounds to 4 of them. So a
   mean becomes 0 below 2^26 times the least normal number, a mean of squares below that number itself.
f) NaN stays NaN: where a rule takes a sign, that of NaN is NaN.
g) What was just stored is not read again: NumPy's large arrays begin 16 bytes into a cache line, so a vector that was
   stored lies on two, and reading it has to wait for both.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from bpcore._simd.simd cimport exp
from bpcore._parallel.team cimport SPAN, spans_of
from bpcore._updates.loops cimport (
    adadelta_span, adagrad_span, adam_span, amsgrad_span, lion_span, momentum_span, nadam_span, nesterov_span,
    rmsprop_centered_span, rmsprop_span, rprop_span, sgd_span,
)
from bpcore._updates.numbers cimport least_square, part, power, rounded_decay, rounded_eps, rounded_lr, sign, sqrt

cdef enum Rule:
    SGD = 0
    MOMENTUM = 1
    NESTEROV = 2
    ADAGRAD = 3
    RMSPROP = 4
    ADAM = 5
    ADAMW = 6
    RMSPROP_CENTERED = 7
    AMSGRAD = 8
    AMSGRADW = 9
    NADAM = 10
    ADADELTA = 11
    LION = 12
    RPROP = 13
    RULES = 14    # how many there are


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
    double momentum_decay
    double eta_minus
    double eta_plus
    double min_step
    double max_step
    # Of every rule; 0 where they are off, as they are unless the caller sets them.
    double weight_decay
    double l1
    double clip_value
    # Of a network's step, which limits whole arrays by them; 0 where they are off.
    double clip_norm       # the norm of all gradients together
    double max_norm        # the norm of each column of a weight
    bint decays_vectors    # whether weight_decay and l1 also act on biases and on weights of normalisations
    double scale           # what gradients are multiplied by, which a step with clip_norm sets; else 1
    int64_t step           # counted from 1; the caller's to count
    const double* rates    # of a loop's steps, from `step` on, in the place of lr; or NULL


cdef enum:
    SETTINGS = 14   # numbers of an Update that rules read, from lr on
    CHUNK = 1024    # numbers of a gradient with penalties that are made at once


cdef inline const char* setting_name(int n) noexcept nogil:
    """The name of a setting, in the struct's order."""
    return (
        "lr" if n == 0 else "momentum" if n == 1 else "alpha" if n == 2 else "beta1" if n == 3 else "beta2" if n == 4
        else "eps" if n == 5 else "momentum_decay" if n == 6 else "eta_minus" if n == 7 else "eta_plus" if n == 8
        else "min_step" if n == 9 else "max_step" if n == 10 else "weight_decay" if n == 11 else "l1" if n == 12
        else "clip_value" if n == 13 else ""
    )


cdef inline Update no_update() noexcept nogil:
    cdef Update u
    memset(&u, 0, sizeof(Update))
    u.rule, u.scale, u.step = SGD, 1, 1
    return u


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


cdef inline Update rmsprop_centered(double lr, double alpha, double eps) noexcept nogil:
    """RMSprop by the variance: m = alpha·m + (1 − alpha)·g, w -= lr·g / (sqrt(h − m²) + eps). state1 is h, state2 m."""
    cdef Update u = rmsprop(lr, alpha, eps)
    u.rule = RMSPROP_CENTERED
    return u


cdef inline Update amsgrad(double lr, double beta1, double beta2, double eps) noexcept nogil:
    """Adam with the largest v so far, state3, in the place of v (Reddi et al. 2018); as AMSGRADW beside AdamW."""
    cdef Update u = adam(lr, beta1, beta2, eps)
    u.rule = AMSGRAD
    return u


cdef inline Update nadam(double lr, double beta1, double beta2, double eps, double momentum_decay) noexcept nogil:
    """Adam with Nesterov's momentum (Dozat 2016), which grows: mu = beta1·(1 − 0.96^(t·momentum_decay) / 2) at step t.

    w -= lr·((1 − mu)·g/(1 − M) + mu'·m/(1 − M·mu')) / (sqrt(v/c2) + eps), mu' that of step t + 1 and M the product of
    mu so far.
    """
    cdef Update u = adam(lr, beta1, beta2, eps)
    u.rule, u.momentum_decay = NADAM, momentum_decay
    return u


cdef inline Update adadelta(double lr, double rho, double eps) noexcept nogil:
    """h = rho·h + (1 − rho)·g², s = g·sqrt(d + eps) / sqrt(h + eps), d = rho·d + (1 − rho)·s², w -= lr·s.

    state1 is h, state2 is d (Zeiler 2012).
    """
    cdef Update u = no_update()
    u.rule, u.lr, u.alpha, u.eps = ADADELTA, lr, rho, eps
    return u


cdef inline Update lion(double lr, double beta1, double beta2, double weight_decay) noexcept nogil:
    """w = w·(1 − lr·weight_decay) − lr·sign(beta1·m + (1 − beta1)·g), then m = beta2·m + (1 − beta2)·g. state1 is m.

    Chen et al. 2023, algorithm 2.
    """
    cdef Update u = no_update()
    u.rule, u.lr, u.beta1, u.beta2, u.weight_decay = LION, lr, beta1, beta2, weight_decay
    return u


cdef inline Update rprop(double lr, double eta_minus, double eta_plus, double min_step, double max_step) noexcept nogil:
    """w -= sign(g)·size; the size, lr at first, grows by eta_plus while the sign stays, and shrinks where it changes.

    There the step is left out (Riedmiller and Braun 1993, as PyTorch has it). For gradients of all data. state1 is the
    last gradient, state2 the size.
    """
    cdef Update u = no_update()
    u.rule, u.lr, u.eta_minus, u.eta_plus, u.min_step, u.max_step = RPROP, lr, eta_minus, eta_plus, min_step, max_step
    return u


cdef inline const char* rule_name(int rule) noexcept nogil:
    """What Python calls it."""
    return (
        "sgd" if rule == SGD else "momentum" if rule == MOMENTUM else "nesterov" if rule == NESTEROV
        else "adagrad" if rule == ADAGRAD else "rmsprop" if rule == RMSPROP else "adam" if rule == ADAM
        else "adamw" if rule == ADAMW else "rmsprop_centered" if rule == RMSPROP_CENTERED
        else "amsgrad" if rule == AMSGRAD else "amsgradw" if rule == AMSGRADW else "nadam" if rule == NADAM
        else "adadelta" if rule == ADADELTA else "lion" if rule == LION else "rprop" if rule == RPROP else ""
    )


cdef inline const char* rule_signature(int rule) noexcept nogil:
    """What its entry takes: w, its gradient, what the rule keeps, and the settings of its own."""
    return (
        "w:N! g:N lr" if rule == SGD
        else "w:N! g:N v:N! lr momentum" if rule == MOMENTUM or rule == NESTEROV
        else "w:N! g:N h:N! lr eps" if rule == ADAGRAD
        else "w:N! g:N h:N! lr alpha eps" if rule == RMSPROP
        else "w:N! g:N m:N! v:N! lr beta1[0,1) beta2[0,1) eps step" if rule in (ADAM, ADAMW)
        else "w:N! g:N h:N! m:N! lr alpha eps" if rule == RMSPROP_CENTERED
        else "w:N! g:N m:N! v:N! largest:N! lr beta1[0,1) beta2[0,1) eps step" if rule in (AMSGRAD, AMSGRADW)
        else "w:N! g:N m:N! v:N! lr beta1[0,1) beta2[0,1) eps momentum_decay[0,inf) step" if rule == NADAM
        else "w:N! g:N h:N! d:N! lr alpha[0,1) eps" if rule == ADADELTA
        else "w:N! g:N m:N! lr beta1[0,1) beta2[0,1)" if rule == LION
        else "w:N! g:N last:N! size:N! lr eta_minus(0,1) eta_plus[1,inf) min_step(0,inf) max_step(0,inf)"
        if rule == RPROP else ""
    )


cdef inline int states_of(Rule rule) noexcept nogil:
    """How many numbers a parameter the rule keeps."""
    return (
        0 if rule == SGD else 3 if rule == AMSGRAD or rule == AMSGRADW
        else 1 if rule == MOMENTUM or rule == NESTEROV or rule == ADAGRAD or rule == RMSPROP or rule == LION else 2
    )


cdef inline bint is_decoupled(Rule rule) noexcept nogil:
    """Whether weight decay acts on w itself, and not on its gradient."""
    return rule == ADAMW or rule == AMSGRADW or rule == LION


cdef inline bint has_moments(Rule rule) noexcept nogil:
    """Whether the rule corrects the bias of moments, as Adam."""
    return rule == ADAM or rule == ADAMW or rule == AMSGRAD or rule == AMSGRADW or rule == NADAM


cdef inline void update_shared(
    const Update* u, floating* w, const floating* g, floating* state1, floating* state2, floating* state3,
    Py_ssize_t n, int threads,
) noexcept nogil:
    cdef Py_ssize_t i, t
    if threads <= 1:
        update_span(u, w, g, state1, state2, state3, n)
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
        update_span(
            u, w + i, g + i, part(state1, i), part(state2, i), part(state3, i), min(<Py_ssize_t> SPAN, n - i)
        )


cdef inline void update_span(
    const Update* u,
    floating* w,                 # INOUT  (n,)
    const floating* g,           # IN     (n,) its gradient
    floating* state1,            # INOUT  (n,) or NULL where the rule keeps less
    floating* state2,            # INOUT  (n,) or NULL
    floating* state3,            # INOUT  (n,) or NULL
    Py_ssize_t n,
) noexcept nogil:
    cdef Constants c = constants_of(u)
    cdef floating[CHUNK] made
    cdef floating weight_decay = 0 if is_decoupled(u.rule) else rounded_lr(u.weight_decay, <floating> 0)
    cdef Py_ssize_t first = 0, count
    if weight_decay == 0 and u.l1 == 0 and u.clip_value == 0 and u.scale == 1:
        rule_span(u, &c, w, g, state1, state2, state3, n)
        return
    while first < n:
        count = min(<Py_ssize_t> CHUNK, n - first)
        gradient_span(u, weight_decay, w + first, g + first, &made[0], count)
        rule_span(
            u, &c, w + first, <const floating*> &made[0], part(state1, first), part(state2, first),
            part(state3, first), count,
        )
        first = first + count


cdef inline void gradient_span(
    const Update* u, floating weight_decay, const floating* w, const floating* g, floating* made, Py_ssize_t n
) noexcept nogil:
    """clip(g)·scale + weight_decay·w + l1·sign(w): what the rule gets."""
    cdef floating limit = max(rounded_lr(u.clip_value, weight_decay), least_square(weight_decay))
    cdef floating scale = <floating> u.scale, l1 = rounded_lr(u.l1, weight_decay)
    cdef floating x
    cdef Py_ssize_t i
    if u.clip_value > 0:
        for i in range(n):
            x = g[i]
            made[i] = limit if x > limit else -limit if x < -limit else x
        g = made
    if u.scale != 1:
        for i in range(n):
            made[i] = g[i] * scale
        g = made
    if weight_decay != 0:
        for i in range(n):
            made[i] = g[i] + weight_decay * w[i]
        g = made
    if l1 != 0:
        for i in range(n):
            made[i] = g[i] + l1 * sign(w[i])
        g = made
    # A constant that the type rounds to 0 has made nothing.
    if g is not made:
        memcpy(made, g, n * sizeof(floating))


cdef struct Constants:
    # What the loops take, the same for all elements of a step; Adam's lr and eps are those of d).
    double lr
    double gradient_lr    # what NAdam multiplies the gradient by, and lr the mean
    double eps
    double keep           # what decoupled weight decay multiplies w by


cdef inline Constants constants_of(const Update* u) noexcept nogil:
    cdef Constants c = Constants(lr=u.lr, gradient_lr=0, eps=u.eps, keep=1)
    cdef double c2, now, after, unit
    if has_moments(u.rule):
        c2 = sqrt(1 - power(u.beta2, u.step))
        c.eps = u.eps * c2
        if u.rule == NADAM:
            unit = exp(-0.040821994520255166 * u.momentum_decay)    # log(0.96)
            now = u.beta1 * (1 - 0.5 * power(unit, u.step))
            after = u.beta1 * (1 - 0.5 * power(unit, u.step + 1))
            c.gradient_lr = u.lr * c2 * (1 - now) / (1 - momenta(u, unit, u.step))
            c.lr = u.lr * c2 * after / (1 - momenta(u, unit, u.step + 1))
        else:
            c.lr = u.lr * c2 / (1 - power(u.beta1, u.step))
    if is_decoupled(u.rule):
        c.keep = 1 - u.lr * u.weight_decay
    return c


cdef inline double momenta(const Update* u, double unit, int64_t steps) noexcept nogil:
    """The product of NAdam's momenta of so many steps, or 0 where 1 minus it is 1."""
    cdef double product = 1, decay = 1
    cdef int64_t t
    for t in range(steps):
        decay = decay * unit
        product = product * (u.beta1 * (1 - 0.5 * decay))
        if product < 1e-17:
            return 0
        if decay < 1e-17:    # from here on they are beta1
            return product * power(u.beta1, steps - t - 1)
    return product


cdef inline void rule_span(
    const Update* u, const Constants* c, floating* w, const floating* g, floating* state1, floating* state2,
    floating* state3, Py_ssize_t n,
) noexcept nogil:
    cdef floating lr = rounded_lr(c.lr, <floating> 0), eps = rounded_eps(c.eps, <floating> 0)
    cdef floating momentum = rounded_decay(u.momentum, <floating> 0), keep = rounded_lr(c.keep, <floating> 0)
    cdef floating alpha = rounded_decay(u.alpha, <floating> 0), rest = <floating> (1 - u.alpha)
    cdef floating beta1 = rounded_decay(u.beta1, <floating> 0), rest1 = <floating> (1 - u.beta1)
    cdef floating beta2 = rounded_decay(u.beta2, <floating> 0), rest2 = <floating> (1 - u.beta2)
    if u.rule == SGD:
        sgd_span(w, g, lr, n)
    elif u.rule == MOMENTUM:
        momentum_span(w, g, state1, lr, momentum, n)
    elif u.rule == NESTEROV:
        nesterov_span(w, g, state1, lr, momentum, n)
    elif u.rule == ADAGRAD:
        adagrad_span(w, g, state1, lr, eps, n)
    elif u.rule == RMSPROP:
        rmsprop_span(w, g, state1, lr, alpha, rest, eps, n)
    elif u.rule == RMSPROP_CENTERED:
        rmsprop_centered_span(w, g, state1, state2, lr, alpha, rest, eps, n)
    elif u.rule == ADAM or u.rule == ADAMW:
        adam_span(w, g, state1, state2, lr, beta1, rest1, beta2, rest2, eps, keep, n)
    elif u.rule == AMSGRAD or u.rule == AMSGRADW:
        amsgrad_span(w, g, state1, state2, state3, lr, beta1, rest1, beta2, rest2, eps, keep, n)
    elif u.rule == NADAM:
        nadam_span(
            w, g, state1, state2, rounded_lr(c.gradient_lr, <floating> 0), lr, beta1, rest1, beta2, rest2, eps, n
        )
    elif u.rule == ADADELTA:
        adadelta_span(w, g, state1, state2, lr, alpha, rest, eps, n)
    elif u.rule == LION:
        lion_span(w, g, state1, lr, beta1, rest1, beta2, rest2, keep, n)
    elif u.rule == RPROP:
        rprop_span(
            w, g, state1, state2, lr, rounded_decay(u.eta_minus, <floating> 0), rounded_lr(u.eta_plus, <floating> 0),
            rounded_eps(u.min_step, <floating> 0), rounded_lr(u.max_step, <floating> 0), n,
        )
