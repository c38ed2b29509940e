/* Activations over n numbers, one after the other, for one type; simd.h includes this once for float and once for double,
   behind rows.h. Every element is read before it is written. */

#ifndef BP_ACTIVATION_LIST
/* Files store names, not these numbers. */
enum bp_activation {
    BP_IDENTITY, BP_RELU, BP_SIGMOID, BP_TANH, BP_GELU, BP_GELU_TANH, BP_LEAKY_RELU, BP_ELU, BP_SELU, BP_SILU, BP_MISH,
    BP_SOFTPLUS, BP_HARDTANH, BP_HARDSWISH, BP_COUNT_OF_ACTIVATIONS
};

/* each(kind, name, out, dx): out of a vector v = x; dx of v = what the backward is given, and d = dout. a and b are the
   numbers that activations.pxd makes of those that the activation takes. NaN passes through: comparisons with it are
   false. */
#define BP_ACTIVATION_LIST(each)                                                                                        \
    each(BP_RELU, relu_alone, BP_BLEND(BP_EVERY(0), v, v <= 0), BP_BLEND(BP_EVERY(0), d, v <= 0))                       \
    each(BP_SIGMOID, sigmoid, BP_(vector_sigmoid)(v), d * v * (1 - v))                                                  \
    each(BP_TANH, tanh, BP_(vector_tanh)(v), d * (1 - v * v))                                                           \
    each(BP_GELU, gelu, BP_(vector_gelu)(v), d * BP_(vector_gelu_derivative)(v))                                        \
    each(BP_GELU_TANH, gelu_tanh, BP_(vector_gelu_tanh)(v), d * BP_(vector_gelu_tanh_derivative)(v))                    \
    each(BP_LEAKY_RELU, leaky_relu, BP_BLEND(a * v, v, v <= 0), BP_BLEND(a * d, d, v <= 0))                             \
    each(BP_ELU, elu, BP_(vector_elu)(v, BP_EVERY(a), BP_EVERY(b)), d * BP_BLEND(BP_EVERY(a), v + b, v > 0))            \
    each(BP_SILU, silu, BP_(vector_silu)(v), d * BP_(vector_silu_derivative)(v))                                        \
    each(BP_MISH, mish, BP_(vector_mish)(v), d * BP_(vector_mish_derivative)(v))                                        \
    each(BP_SOFTPLUS, softplus, BP_(vector_softplus)(v, BP_EVERY(a), BP_EVERY(b)), d * BP_(vector_sigmoid)(a * v))      \
    each(BP_HARDTANH, hardtanh, BP_BLEND(BP_EVERY(a), BP_BLEND(BP_EVERY(b), v, v > b), v < a),                          \
         BP_BLEND(BP_EVERY(0), d, (v <= a) | (v >= b)))                                                                 \
    each(BP_HARDSWISH, hardswish, BP_(vector_hardswish)(v), d * BP_(vector_hardswish_derivative)(v))
#endif

#define BP_EVERY(number) ((number) - (BP_V){0})

/* Two vectors at a time, whose instructions compilers put between each other: of one vector most wait for the one before,
   and a processor looks ahead over not much more than one. GCC does so only if it is asked, and then keeps within the
   registers. */
#if defined(__GNUC__) && !defined(__clang__)
#define BP_INTERLEAVED __attribute__((optimize("schedule-insns", "sched-pressure")))
#else
#define BP_INTERLEAVED
#endif
/* v and d are not const: BP_BLEND casts to their type, and C++ warns of a qualifier there. */
#define BP_LOOPS(kind, name, value, slope)                                                                              \
    BP_INTERLEAVED static BP_UNUSED void BP_(name##_span)(ptrdiff_t n, const BP_T *x, BP_T *out, const BP_T a,          \
                                                          const BP_T b) {                                               \
        ptrdiff_t i = 0;                                                                                                \
        (void)a, (void)b;                                                                                               \
        for (; i + 2 * BP_VL <= n; i += 2 * BP_VL) {                                                                    \
            BP_V v = *(const BP_V *)(x + i), next = *(const BP_V *)(x + i + BP_VL), first = value;                      \
            v = next;                                                                                                   \
            *(BP_V *)(out + i + BP_VL) = value;                                                                         \
            *(BP_V *)(out + i) = first;                                                                                 \
        }                                                                                                               \
        for (; i < n; i += BP_VL) {                                                                                     \
            const int count = n - i < BP_VL ? (int)(n - i) : BP_VL;                                                     \
            BP_V v = BP_(load_partial)(x + i, count);                                                                   \
            BP_(store_partial)(out + i, count, value);                                                                  \
        }                                                                                                               \
    }                                                                                                                   \
    BP_INTERLEAVED static BP_UNUSED void BP_(name##_backward_span)(ptrdiff_t n, const BP_T *kept, const BP_T *dout,     \
                                                                   BP_T *dx, const BP_T a, const BP_T b) {              \
        ptrdiff_t i = 0;                                                                                                \
        (void)a, (void)b;                                                                                               \
        for (; i + 2 * BP_VL <= n; i += 2 * BP_VL) {                                                                    \
            BP_V v = *(const BP_V *)(kept + i), d = *(const BP_V *)(dout + i);                                          \
            BP_V next = *(const BP_V *)(kept + i + BP_VL), next_d = *(const BP_V *)(dout + i + BP_VL), first = slope;   \
            v = next;                                                                                                   \
            d = next_d;                                                                                                 \
            *(BP_V *)(dx + i + BP_VL) = slope;                                                                          \
            *(BP_V *)(dx + i) = first;                                                                                  \
        }                                                                                                               \
        for (; i < n; i += BP_VL) {                                                                                     \
            const int count = n - i < BP_VL ? (int)(n - i) : BP_VL;                                                     \
            BP_V v = BP_(load_partial)(kept + i, count), d = BP_(load_partial)(dout + i, count);                        \
            BP_(store_partial)(dx + i, count, slope);                                                                   \
        }                                                                                                               \
    }
BP_ACTIVATION_LIST(BP_LOOPS)

/* out = activation(x); out may be x. SELU is an ELU of other numbers. */
#define BP_CASE(kind, name, value, slope) case kind: BP_(name##_span)(n, x, out, a, b); return;
static BP_UNUSED void BP_(activate)(int activation, ptrdiff_t n, const BP_T *x, BP_T *out, BP_T a, BP_T b) {
    switch (activation == BP_SELU ? BP_ELU : activation) {
        BP_ACTIVATION_LIST(BP_CASE)
    }
    if (x != out) memcpy(out, x, (size_t)n * sizeof *x);
}
#undef BP_CASE

/* dx = dout·activation′; dx may be dout or what is kept. */
#define BP_CASE(kind, name, value, slope) case kind: BP_(name##_backward_span)(n, kept, dout, dx, a, b); return;
static BP_UNUSED void BP_(activate_backward)(int activation, ptrdiff_t n, const BP_T *kept, const BP_T *dout, BP_T *dx,
                                             BP_T a, BP_T b) {
    switch (activation == BP_SELU ? BP_ELU : activation) {
        BP_ACTIVATION_LIST(BP_CASE)
    }
    if (dout != dx) memcpy(dx, dout, (size_t)n * sizeof *dout);
}
#undef BP_CASE
#undef BP_LOOPS
#undef BP_INTERLEAVED
#undef BP_EVERY
