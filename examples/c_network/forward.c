/* The forward pass of a network in plain C11, over the weights that export.py wrote. No allocation, no library but libm.

   Its sums run in another order than those of bpcore, so scores agree as float sums do, not bit for bit. */

#include <math.h>

enum activation { IDENTITY, RELU, SIGMOID, TANH };

struct layer {
    int inputs, outputs;
    const float *W, *b;    /* W[i * outputs + o] */
    enum activation activation;
};

static float activated(enum activation activation, float v) {
    switch (activation) {
        case RELU: return v > 0.0f ? v : 0.0f;
        case SIGMOID: return 1.0f / (1.0f + expf(-v));
        case TANH: return tanhf(v);
        default: return v;
    }
}

#include "weights.h"

/* Scores (OUTPUTS) of one sample x (INPUTS). The mean is subtracted in double, so that large offsets cost no digits. */
void scores(const double *x, float *out) {
    float here[WIDEST], next[WIDEST];
    for (int i = 0; i < INPUTS; i++) here[i] = (float)(x[i] - input_mean[i]) * input_scale[i];
    for (int n = 0; n < DEPTH; n++) {
        const struct layer *layer = &layers[n];
        for (int o = 0; o < layer->outputs; o++) next[o] = layer->b[o];
        for (int i = 0; i < layer->inputs; i++) {
            for (int o = 0; o < layer->outputs; o++) next[o] += here[i] * layer->W[i * layer->outputs + o];
        }
        for (int o = 0; o < layer->outputs; o++) here[o] = activated(layer->activation, next[o]);
    }
    for (int o = 0; o < OUTPUTS; o++) out[o] = here[o];
}
