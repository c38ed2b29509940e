# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The loops of the update rules over n numbers; the comments are the NumPy lines whose bits they have."""

from cython cimport floating

from bpcore._updates.numbers cimport flushed, least_mean, least_square, sign, sqrt


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


cdef inline void amsgrad_span(
    floating* w, const floating* g, floating* m, floating* v, floating* largest, floating lr, floating beta1,
    floating rest1, floating beta2, floating rest2, floating eps, floating keep, Py_ssize_t n,
) noexcept nogil:
    cdef floating least = least_mean(lr), least2 = least_square(lr), mean, square, most
    cdef Py_ssize_t i
    # Adam's with largest = max(largest, v) in the place of v; NaN is the largest
    for i in range(n):
        mean = flushed(beta1 * m[i] + rest1 * g[i], least)
        square = flushed(beta2 * v[i] + rest2 * (g[i] * g[i]), least2)
        most = largest[i] if square <= largest[i] else square
        w[i] = w[i] * keep - lr * mean / (sqrt(most) + eps)
        m[i] = mean
        v[i] = square
        largest[i] = most


cdef inline void nadam_span(
    floating* w, const floating* g, floating* m, floating* v, floating gradient_lr, floating lr, floating beta1,
    floating rest1, floating beta2, floating rest2, floating eps, Py_ssize_t n,
) noexcept nogil:
    cdef floating least = least_mean(lr), least2 = least_square(lr), mean, square
    cdef Py_ssize_t i
    # m and v as Adam's, w -= (gradient_lr·g + lr·m) / (sqrt(v) + eps)
    for i in range(n):
        mean = flushed(beta1 * m[i] + rest1 * g[i], least)
        square = flushed(beta2 * v[i] + rest2 * (g[i] * g[i]), least2)
        w[i] = w[i] - (gradient_lr * g[i] + lr * mean) / (sqrt(square) + eps)
        m[i] = mean
        v[i] = square


cdef inline void adadelta_span(
    floating* w, const floating* g, floating* h, floating* d, floating lr, floating rho, floating rest, floating eps,
    Py_ssize_t n,
) noexcept nogil:
    cdef floating least = least_square(lr), square, change
    cdef Py_ssize_t i
    # h = rho·h + (1 − rho)·g², s = g·sqrt(d + eps) / sqrt(h + eps), d = rho·d + (1 − rho)·s², w -= lr·s
    for i in range(n):
        square = flushed(rho * h[i] + rest * (g[i] * g[i]), least)
        change = g[i] * sqrt(d[i] + eps) / sqrt(square + eps)
        w[i] = w[i] - lr * change
        d[i] = flushed(rho * d[i] + rest * (change * change), least)
        h[i] = square


cdef inline void lion_span(
    floating* w, const floating* g, floating* m, floating lr, floating beta1, floating rest1, floating beta2,
    floating rest2, floating keep, Py_ssize_t n,
) noexcept nogil:
    cdef floating least = least_mean(lr)
    cdef Py_ssize_t i
    # w = keep·w − lr·sign(beta1·m + (1 − beta1)·g), m = beta2·m + (1 − beta2)·g
    for i in range(n):
        w[i] = w[i] * keep - lr * sign(beta1 * m[i] + rest1 * g[i])
        m[i] = flushed(beta2 * m[i] + rest2 * g[i], least)


cdef inline void rprop_span(
    floating* w, const floating* g, floating* last, floating* size, floating lr, floating eta_minus, floating eta_plus,
    floating min_step, floating max_step, Py_ssize_t n,
) noexcept nogil:
    cdef floating direction, agrees, step
    cdef Py_ssize_t i
    # size *= eta_plus where g has the sign of the last, eta_minus and g = 0 where the other; w -= sign(g)·size
    for i in range(n):
        direction = sign(g[i])
        agrees = direction * last[i]
        step = (lr if size[i] == 0 else size[i]) * (eta_plus if agrees > 0 else eta_minus if agrees < 0 else 1)
        step = min_step if step < min_step else step
        step = max_step if step > max_step else step
        w[i] = w[i] - (0 if agrees < 0 else direction) * step
        last[i] = 0 if agrees < 0 else g[i]
        size[i] = step


cdef inline void rmsprop_centered_span(
    floating* w, const floating* g, floating* h, floating* m, floating lr, floating alpha, floating rest, floating eps,
    Py_ssize_t n,
) noexcept nogil:
    cdef floating least = least_square(lr), least_m = least_mean(lr), square, mean, variance
    cdef Py_ssize_t i
    # h and m running means of g² and g, w -= lr·g / (sqrt(h − m²) + eps); by rounding the variance may be below 0
    for i in range(n):
        square = flushed(alpha * h[i] + rest * (g[i] * g[i]), least)
        mean = flushed(alpha * m[i] + rest * g[i], least_m)
        variance = square - mean * mean
        variance = 0 if variance < 0 else variance
        w[i] = w[i] - lr * g[i] / (sqrt(variance) + eps)
        h[i] = square
        m[i] = mean
