# The loops of the entries: each calls a function of the .pxd files with the arrays of a call.

cdef inline floating* arg(const Call* c, int n, floating _) noexcept nogil:
    """The data of array n."""
    return <floating*> c.data[n]


cdef inline floating* chunk(const Call* c, int n, floating _) noexcept nogil:
    """The same, from the first element of this chunk on."""
    return <floating*> c.data[n] + c.first


cdef void affine_forward(Call* c, floating _) noexcept nogil:
    if c.sizes[B] > 0 and c.sizes[O] > 0:
        affine.affine_forward(
            arg(c, 0, _), c.sizes[I], arg(c, 1, _), arg(c, 2, _), arg(c, 3, _), c.sizes[O], c.sizes[B], c.sizes[I],
            c.sizes[O], c.threads,
        )


cdef void affine_backward_input(Call* c, floating _) noexcept nogil:
    if c.sizes[B] > 0 and c.sizes[I] > 0:
        affine.affine_backward_input(
            arg(c, 0, _), c.sizes[O], arg(c, 1, _), arg(c, 2, _), c.sizes[I], c.sizes[B], c.sizes[I], c.sizes[O],
            c.threads,
        )


cdef void affine_backward_params(Call* c, floating _) noexcept nogil:
    if c.sizes[O] > 0:
        affine.affine_backward_params(
            arg(c, 0, _), c.sizes[I], arg(c, 1, _), c.sizes[O], arg(c, 2, _), arg(c, 3, _), c.sizes[B], c.sizes[I],
            c.sizes[O], c.threads,
        )


cdef void csr_forward(Call* c, floating _) noexcept nogil:
    if c.sizes[B] > 0 and c.sizes[O] > 0:
        sparse.csr_forward(
            c.indptr, c.indices, <const floating*> arg(c, 2, _), <const floating*> arg(c, 3, _),
            <const floating*> arg(c, 4, _), arg(c, 5, _), c.sizes[O], c.sizes[B], c.sizes[I], c.sizes[O], c.threads,
        )


cdef void csr_backward_params(Call* c, floating _) noexcept nogil:
    if c.sizes[O] > 0:
        sparse.csr_backward_params(
            c.indptr, c.indices, <const floating*> arg(c, 2, _), <const floating*> arg(c, 3, _), c.sizes[O],
            arg(c, 4, _), arg(c, 5, _), c.sizes[B], c.sizes[I], c.sizes[O], c.threads,
        )


cdef void sum_rows(Call* c, floating _) noexcept nogil:
    reductions.sum_rows(arg(c, 0, _), c.sizes[O], arg(c, 1, _), c.sizes[B], c.sizes[O])


cdef void squared_norm(Call* c, floating _) noexcept nogil:
    c.result = limits.squared_norm(<const floating*> arg(c, 0, _), c.sizes[N])


cdef void limit_columns(Call* c, floating _) noexcept nogil:
    limits.limit_columns(arg(c, 0, _), c.sizes[O], c.sizes[I], c.sizes[O], c.numbers[0])


cdef void relu_forward(Call* c, floating _) noexcept nogil:
    activations.relu_forward(arg(c, 0, _), arg(c, 1, _), <unsigned char*> c.data[2], c.sizes[N], c.threads)


cdef void relu_backward(Call* c, floating _) noexcept nogil:
    activations.relu_backward(arg(c, 0, _), <const unsigned char*> c.data[1], arg(c, 2, _), c.sizes[N], c.threads)


# --- Elementwise: threads share the elements, each chunk is `count` of them from `first` on ------------------------


cdef void activation_forward(Call* c, floating _) noexcept nogil:
    activate(<Activation> c.kind, c.numbers, <const floating*> chunk(c, 0, _), chunk(c, 1, _), c.count)


cdef void activation_backward(Call* c, floating _) noexcept nogil:
    activate_backward(
        <Activation> c.kind, c.numbers, <const floating*> chunk(c, 1, _), <const floating*> chunk(c, 0, _),
        chunk(c, 2, _), c.count,
    )


cdef void exp(Call* c, floating _) noexcept nogil:
    exp_span(c.count, <const floating*> chunk(c, 0, _), chunk(c, 1, _))


cdef void log(Call* c, floating _) noexcept nogil:
    log_span(c.count, <const floating*> chunk(c, 0, _), chunk(c, 1, _))


cdef void reciprocal(Call* c, floating _) noexcept nogil:
    reciprocal_span(c.count, <const floating*> chunk(c, 0, _), chunk(c, 1, _))


cdef void reciprocal_backward(Call* c, floating _) noexcept nogil:
    reciprocal_backward_span(
        c.count, <const floating*> chunk(c, 0, _), <const floating*> chunk(c, 1, _), chunk(c, 2, _)
    )


cdef void blend(Call* c, floating _) noexcept nogil:
    blend_span(c.count, chunk(c, 0, _), <const floating*> chunk(c, 1, _), <floating> c.numbers[0])


cdef void update(Call* c, floating _) noexcept nogil:
    cdef UpdateSettings u = no_update()
    cdef int n, states = states_of(<Rule> c.kind)
    u.rule = <Rule> c.kind
    for n in range(c.count_of_numbers):
        if c.settings[n] < 0:
            u.step = <int64_t> c.numbers[n]
        else:
            (&u.lr)[c.settings[n]] = c.numbers[n]
    update_span(
        &u, chunk(c, 0, _), <const floating*> chunk(c, 1, _),
        chunk(c, 2, _) if states > 0 else <floating*> NULL,
        chunk(c, 3, _) if states > 1 else <floating*> NULL, chunk(c, 4, _) if states > 2 else <floating*> NULL,
        c.count,
    )


# --- Dropout: threads share the rows --------------------------------------------------------------------------------


cdef void dropout_of_call(Call* c, floating _) noexcept nogil:
    cdef Py_ssize_t width = c.sizes[O], first
    cdef Layer layer = dropout(width, IDENTITY, c.numbers[0], <uint64_t> c.numbers[1], sizeof(floating))
    cdef int rank
    layer.step = <int64_t> c.numbers[2]
    layer.kept = Kept(z=arg(c, 2, _), stride=width, scale=NULL, first=0, training=True)
    for rank in prange(c.threads, num_threads=c.threads, schedule="static"):
        first = chunk_start(c.sizes[B], rank, c.threads, 1)
        dropout_forward(
            &layer, rows_of(<const floating*> arg(c, 0, _) + first * width, width), arg(c, 1, _) + first * width,
            width, chunk_start(c.sizes[B], rank + 1, c.threads, 1) - first, kept_rows(&layer, first),
        )


# --- Normalisations: threads share the rows ------------------------------------------------------------------------


cdef void normalisation_forward(Call* c, floating _) noexcept nogil:
    # Behind x come weight and, where there is one, bias, then what is written.
    cdef int out = 2 + has_bias(c.kind)
    cdef Layer layer = normalisation(
        c, arg(c, 1, _), arg(c, 2, _) if has_bias(c.kind) else <floating*> NULL, arg(c, out + 1, _),
        arg(c, out + 2, _), sizeof(floating),
    )
    cdef Py_ssize_t width = c.sizes[O], first
    cdef int rank
    for rank in prange(c.threads, num_threads=c.threads, schedule="static"):
        first = chunk_start(c.sizes[B], rank, c.threads, 1)
        norm_forward(
            &layer, rows_of(<const floating*> arg(c, 0, _) + first * width, width), arg(c, out, _) + first * width,
            width, chunk_start(c.sizes[B], rank + 1, c.threads, 1) - first, kept_rows(&layer, first),
        )


cdef void normalisation_backward_input(Call* c, floating _) noexcept nogil:
    cdef Layer layer = normalisation(c, arg(c, 3, _), NULL, arg(c, 1, _), arg(c, 2, _), sizeof(floating))
    cdef Py_ssize_t width = c.sizes[O], first
    cdef int rank
    layer.dpre, layer.stride = arg(c, 0, _), width
    for rank in prange(c.threads, num_threads=c.threads, schedule="static"):
        first = chunk_start(c.sizes[B], rank, c.threads, 1)
        norm_backward_input(
            &layer, arg(c, 4, _) + first * width, width, first,
            chunk_start(c.sizes[B], rank + 1, c.threads, 1) - first,
        )


cdef void normalisation_backward_params(Call* c, floating _) noexcept nogil:
    cdef Layer layer = normalisation(c, NULL, NULL, arg(c, 0, _), NULL, sizeof(floating))
    layer.dpre, layer.stride = arg(c, 1, _), c.sizes[O]
    layer.weight.gradient = arg(c, 2, _)
    layer.bias.gradient = arg(c, 3, _) if has_bias(c.kind) else <floating*> NULL
    if c.sizes[O] > 0:
        norm_backward_parameters(&layer, c.sizes[B], NULL, 0, 1, _)


cdef inline Layer normalisation(
    Call* c, void* weight, void* bias, void* z, void* scale, int itemsize
) noexcept nogil:
    """A normalisation over the arrays of a call."""
    cdef Layer layer = layer_of(c.kind, IDENTITY, c.sizes[O], c.sizes[O], weight, bias, c.numbers[0], itemsize)
    layer.kept = Kept(z=z, stride=c.sizes[O], scale=scale, first=0, training=True)
    return layer


# --- Batch normalisation: threads share the columns -----------------------------------------------------------------


cdef void batch_norm_forward_of_call(Call* c, floating _) noexcept nogil:
    cdef Py_ssize_t width = c.sizes[O]
    cdef Layer layer = batch_norm(
        width, IDENTITY, arg(c, 1, _), arg(c, 2, _), arg(c, 3, _), arg(c, 4, _), c.numbers[0], c.numbers[1],
    )
    cdef int rank
    layer.kept = Kept(z=arg(c, 6, _), stride=width, scale=arg(c, 7, _), first=0, training=True)
    for rank in prange(c.threads, num_threads=c.threads, schedule="static"):
        batch_norm_forward(
            &layer, rows_of(<const floating*> arg(c, 0, _), width), arg(c, 5, _), width, c.sizes[B],
            chunk_start(width, rank, c.threads, 16), chunk_start(width, rank + 1, c.threads, 16),
        )


cdef void batch_norm_inference_of_call(Call* c, floating _) noexcept nogil:
    cdef Py_ssize_t width = c.sizes[O]
    cdef Layer layer = batch_norm(
        width, IDENTITY, arg(c, 1, _), arg(c, 2, _), arg(c, 3, _), arg(c, 4, _), c.numbers[0], 0,
    )
    batch_norm_inference(
        &layer, rows_of(<const floating*> arg(c, 0, _), width), arg(c, 5, _), width, c.sizes[B],
        Kept(z=arg(c, 6, _), stride=width, scale=arg(c, 7, _), first=0, training=False),
    )


cdef void batch_norm_backward_of_call(Call* c, floating _) noexcept nogil:
    cdef Py_ssize_t width = c.sizes[O]
    cdef Layer layer = layer_of(BATCH_NORM, IDENTITY, width, width, arg(c, 3, _), NULL, 0, sizeof(floating))
    cdef int rank
    layer.kept = Kept(z=arg(c, 1, _), stride=width, scale=arg(c, 2, _), first=0, training=True)
    layer.dpre, layer.stride = arg(c, 0, _), width
    layer.weight.gradient, layer.bias.gradient = arg(c, 5, _), arg(c, 6, _)
    for rank in prange(c.threads, num_threads=c.threads, schedule="static"):
        batch_norm_backward(
            &layer, arg(c, 4, _), width, c.sizes[B], chunk_start(width, rank, c.threads, 16),
            chunk_start(width, rank + 1, c.threads, 16),
        )


# --- Matrices of any strides --------------------------------------------------------------------------------------


cdef void add(Call* c, floating _) noexcept nogil:
    elementwise.add(
        arg(c, 0, _), c.strides[0][0], c.strides[0][1], arg(c, 1, _), c.strides[1][0], c.strides[1][1], arg(c, 2, _),
        c.sizes[B], c.sizes[O], c.threads,
    )


cdef void multiply(Call* c, floating _) noexcept nogil:
    elementwise.multiply(
        arg(c, 0, _), c.strides[0][0], c.strides[0][1], arg(c, 1, _), c.strides[1][0], c.strides[1][1], arg(c, 2, _),
        c.sizes[B], c.sizes[O], c.threads,
    )


# --- Losses -------------------------------------------------------------------------------------------------------


cdef void softmax(Call* c, floating _) noexcept nogil:
    if c.sizes[B] > 0 and c.sizes[K] > 0:
        losses_of_rows.softmax(arg(c, 0, _), arg(c, 1, _), c.sizes[B], c.sizes[K], c.threads)


cdef void cross_entropy(Call* c, floating _) noexcept nogil:
    cross_entropy_of_call(c, <const floating*> NULL, arg(c, 2, _), arg(c, 3, _))


cdef void cross_entropy_forward(Call* c, floating _) noexcept nogil:
    cross_entropy_of_call(c, <const floating*> NULL, arg(c, 2, _), <floating*> NULL)


cdef void weighted_cross_entropy_forward(Call* c, floating _) noexcept nogil:
    cross_entropy_of_call(c, <const floating*> arg(c, 2, _), arg(c, 3, _), <floating*> NULL)


cdef inline void cross_entropy_of_call(Call* c, const floating* shares, floating* y, floating* dx) noexcept nogil:
    c.result = losses_of_rows.softmax_cross_entropy(
        <const floating*> c.data[0], c.labels, <const floating*> c.data[1], shares, y, dx, c.losses, c.sizes[B],
        c.sizes[K], c.threads,
    )


cdef void cross_entropy_backward(Call* c, floating _) noexcept nogil:
    losses_of_rows.softmax_cross_entropy_backward(
        <const floating*> arg(c, 0, _), c.labels, <const floating*> c.data[1], <const floating*> NULL,
        <floating> c.numbers[0], arg(c, 2, _), c.sizes[B], c.sizes[K], c.threads,
    )


cdef void weighted_cross_entropy_backward(Call* c, floating _) noexcept nogil:
    losses_of_rows.softmax_cross_entropy_backward(
        <const floating*> arg(c, 0, _), c.labels, <const floating*> c.data[1], <const floating*> arg(c, 2, _),
        <floating> c.numbers[0], arg(c, 3, _), c.sizes[B], c.sizes[K], c.threads,
    )


cdef inline double loss_of_call(
    Call* c, double option, const floating* shares, floating* dx, floating dout
) noexcept nogil:
    cdef Loss loss = Loss(kind=<LossKind> c.kind, option=option)
    return mean_loss(
        &loss, <const floating*> arg(c, 0, dout), <const floating*> arg(c, 1, dout), shares, dx, c.losses, c.sizes[B],
        c.sizes[K] if c.sizes[J] < 0 else c.sizes[J], dout, c.threads,
    )


cdef void loss_and_gradient(Call* c, floating _) noexcept nogil:
    c.result = loss_of_call(c, c.numbers[0], <const floating*> NULL, arg(c, 2, _), <floating> 1)


cdef void loss_forward(Call* c, floating _) noexcept nogil:
    c.result = loss_of_call(c, c.numbers[0], <const floating*> NULL, <floating*> NULL, <floating> 1)


cdef void loss_backward(Call* c, floating _) noexcept nogil:
    loss_of_call(c, c.numbers[1], <const floating*> NULL, arg(c, 2, _), <floating> c.numbers[0])


cdef void weighted_loss_forward(Call* c, floating _) noexcept nogil:
    c.result = loss_of_call(c, c.numbers[0], <const floating*> arg(c, 2, _), <floating*> NULL, <floating> 1)


cdef void weighted_loss_backward(Call* c, floating _) noexcept nogil:
    loss_of_call(c, c.numbers[1], <const floating*> arg(c, 2, _), arg(c, 3, _), <floating> c.numbers[0])
