/* A dense layer of one row in plain loops: what one writes without a library. Sizes are arguments: the compiler knows
   none. */

#include <math.h>
#include <stddef.h>

#define PLAIN_LAYER(T, name)                                                                                           \
    static void name(ptrdiff_t I, ptrdiff_t O, const T *restrict x, const T *restrict W, const T *restrict b,          \
                     int has_relu, T *restrict out) {                                                                  \
        for (ptrdiff_t o = 0; o < O; o++) out[o] = b[o];                                                               \
        for (ptrdiff_t i = 0; i < I; i++)                                                                              \
            for (ptrdiff_t o = 0; o < O; o++) out[o] += x[i] * W[i * O + o];                                           \
        if (has_relu)                                                                                                  \
            for (ptrdiff_t o = 0; o < O; o++) out[o] = out[o] <= 0 ? 0 : out[o];                                       \
    }

PLAIN_LAYER(float, plain_layerf)
PLAIN_LAYER(double, plain_layer)
