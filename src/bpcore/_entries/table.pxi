# The table of entries: each a name, a description, a loop of each type and a sentence.
#
# Activations, losses, layers and update rules have their entries from the tables in activations.pxd, losses.pxd,
# layers.pxd and updates.pxd.

cdef list table():
    """All entries."""
    cdef list entries = [
        entry(
            "affine_forward", "x:BI W:IO b:O -> out:BO", affine_forward[float], affine_forward[double], 0, PRODUCT,
            "out = x·W + b.",
        ),
        entry(
            "affine_backward_input", "dout:BO W:IO -> dx:BI", affine_backward_input[float],
            affine_backward_input[double], 0, PRODUCT, "dx = dout·Wᵀ.",
        ),
        entry(
            "affine_backward_params", "x:BI dout:BO -> dW:IO db:O", affine_backward_params[float],
            affine_backward_params[double], 0, PRODUCT, "dW = xᵀ·dout, db = Σ dout over the batch.",
        ),
        entry(
            "csr_forward", "indptr:P@ indices:Z@ data:Z W:IO b:O -> out:BO", csr_forward[float], csr_forward[double], 0,
            SPARSE,
            "out = x·W + b for x in compressed sparse rows, the three arrays of a scipy.sparse.csr_array.\n\n"
            "The indices of a row ascend, none twice. The bits are those of affine_forward, the sign of a 0 apart, but "
            "what x does not store is left out even where a weight is infinite or NaN.",
        ),
        entry(
            "csr_backward_params", "indptr:P@ indices:Z@ data:Z dout:BO -> dW:IO db:O", csr_backward_params[float],
            csr_backward_params[double], 0, SPARSE,
            "dW = xᵀ·dout, db = Σ dout over the batch, x as csr_forward takes it.\n\n"
            "The bits are those of affine_backward_params, the sign of a 0 apart. All of dW is written.",
        ),
        entry(
            "sum_rows", "x:BO -> out:O", sum_rows[float], sum_rows[double], 0, SINGLE_THREAD,
            "out = Σ x over the rows, in their order.",
        ),
        entry(
            "squared_norm", "g:N", squared_norm[float], squared_norm[double], 0, SINGLE_THREAD | RETURNS,
            "Returns Σ g², summed in float64.",
        ),
        entry(
            "limit_columns", "W:IO! max_norm(0,inf)", limit_columns[float], limit_columns[double], 0, SINGLE_THREAD,
            "Each column of W whose norm is beyond max_norm is multiplied by max_norm / (norm + 1e-7).",
        ),
        entry(
            "relu_forward", "x:N -> out:N=x mask:N?", relu_forward[float], relu_forward[double], 0, 0,
            "mask = x <= 0, out = 0 where mask else x. `out` may be `x`.",
        ),
        entry(
            "relu_backward", "dout:N mask:N? -> dx:N=dout", relu_backward[float], relu_backward[double], 0, 0,
            "dx = 0 where mask else dout. `dx` may be `dout`.",
        ),
        entry(
            "softmax", "x:BK -> y:BK=x", softmax[float], softmax[double], 0, 0,
            "y = exp(x) / Σ exp(x) along each row. `y` may be `x`.",
        ),
        entry(
            "softmax_cross_entropy", "x:BK t:B|BK -> y:BK dx:BK", cross_entropy[float], cross_entropy[double], 0,
            MEAN | RETURNS,
            "y = softmax(x), dx = (y·Σt − t) / B; returns the mean over the batch of −Σ t·log y.\n\n"
            "`t` is (B,) int64 labels or (B, K) weights of x's type.",
        ),
        entry(
            "softmax_cross_entropy_forward", "x:BK t:B|BK -> y:BK", cross_entropy_forward[float],
            cross_entropy_forward[double], 0, MEAN | RETURNS,
            "y = softmax(x); returns the mean over the batch of −Σ t·log y, `t` as in softmax_cross_entropy.",
        ),
        entry(
            "softmax_cross_entropy_backward", "y:BK t:B|BK dout -> dx:BK=y", cross_entropy_backward[float],
            cross_entropy_backward[double], 0, MEAN,
            "dx = dout·(y·Σt − t) / B, y and t as in softmax_cross_entropy. `dx` may be `y`.",
        ),
        entry(
            "weighted_softmax_cross_entropy_forward", "x:BK t:B|BK shares:B -> y:BK",
            weighted_cross_entropy_forward[float], weighted_cross_entropy_forward[double], 0, MEAN | RETURNS,
            "y = softmax(x); returns Σ_r shares_r·l_r, l_r = −Σ t·log y of a row, t as in softmax_cross_entropy.\n\n"
            "A row of share 0 is left out, whatever its scores are.",
        ),
        entry(
            "weighted_softmax_cross_entropy_backward", "y:BK t:B|BK shares:B dout -> dx:BK=y",
            weighted_cross_entropy_backward[float], weighted_cross_entropy_backward[double], 0, MEAN,
            "dx = dout·shares_r·(y·Σt − t) of each row; 0 where the share is. `dx` may be `y`.",
        ),
        entry(
            "add", "x:BO~ y:BO~ -> out:BO=x,y", add[float], add[double], 0, 0,
            "out = x + y; the operands may have any strides, 0 for a broadcast axis. `out` may be either.",
        ),
        entry(
            "multiply", "x:BO~ y:BO~ -> out:BO=x,y", multiply[float], multiply[double], 0, 0,
            "out = x·y; the operands may have any strides, 0 for a broadcast axis. `out` may be either.",
        ),
        entry(
            "exp", "x:N -> out:N=x", exp[float], exp[double], 0, ELEMENTWISE,
            "out = exp(x), within 2 ULP. `out` may be `x`.",
        ),
        entry(
            "log", "x:N -> out:N=x", log[float], log[double], 0, ELEMENTWISE,
            "out = log(x), within 3 ULP; −inf at 0, NaN below. `out` may be `x`.",
        ),
        entry(
            "reciprocal", "x:N -> out:N=x", reciprocal[float], reciprocal[double], 0, ELEMENTWISE,
            "out = 1 / x. `out` may be `x`.",
        ),
        entry(
            "reciprocal_backward", "dout:N out:N -> dx:N=dout,out", reciprocal_backward[float],
            reciprocal_backward[double], 0, ELEMENTWISE,
            "dx = −dout·y², y = `out`, the result of reciprocal. `dx` may be `dout` or `out`.",
        ),
    ]

    entries.append(
        entry(
            "blend", "p:N! q:N tau", blend[float], blend[double], 0, ELEMENTWISE,
            "p += tau·(q − p), and p = q where tau is 1.",
        )
    )
    entries.append(
        entry(
            "dropout_forward", "x:BO rate[0,1) seed step -> out:BO=x mask:BO", dropout_of_call[float],
            dropout_of_call[double], 0, 0,
            "mask = 0 with the probability `rate`, else 1 / (1 − rate), out = x·mask; seed, step and the row make the "
            "mask. `out` may be `x`.",
        )
    )
    entries += [
        entry(
            "batch_norm_forward",
            "x:BO weight:O bias:O running_mean:O! running_var:O! eps(0,inf) momentum -> out:BO z:BO scale:O",
            batch_norm_forward_of_call[float], batch_norm_forward_of_call[double], 0, 0,
            "z = the columns, normalised over the batch, out = z·weight + bias; scale is what each was multiplied "
            "by.\n\nThe running mean and the running variance (its divisor B − 1) move by `momentum` towards the "
            "batch's; of one row they stay.",
        ),
        entry(
            "batch_norm_inference",
            "x:BO weight:O bias:O running_mean:O running_var:O eps(0,inf) -> out:BO z:BO scale:O",
            batch_norm_inference_of_call[float], batch_norm_inference_of_call[double], 0, SINGLE_THREAD,
            "scale = 1 / sqrt(running_var + eps), z = (x − running_mean)·scale, out = z·weight + bias.",
        ),
        entry(
            "batch_norm_backward", "dout:BO z:BO scale:O weight:O -> dx:BO=dout dweight:O dbias:O",
            batch_norm_backward_of_call[float], batch_norm_backward_of_call[double], 0, 0,
            "dx = the gradient of x, dweight = Σ dout·z, dbias = Σ dout over the batch, z and scale as "
            "batch_norm_forward gave them. `dx` may be `dout`.",
        ),
    ]

    entries += softmax_entries()

    for kind in range(COUNT_OF_ACTIVATIONS):
        name, kept = activation_name(kind).decode(), "x" if needs_input(kind) else "out"
        numbers = activation_numbers(kind).decode()
        if kind != IDENTITY and kind != RELU:
            entries += [
                entry(
                    f"{name}_forward", f"x:N {numbers} -> out:N=x", activation_forward[float],
                    activation_forward[double], kind, ELEMENTWISE, f"out = {name}(x). `out` may be `x`.",
                ),
                entry(
                    f"{name}_backward", f"dout:N {kept}:N {numbers} -> dx:N=dout,{kept}", activation_backward[float],
                    activation_backward[double], kind, ELEMENTWISE,
                    f"dx = dout·{name}′(x), `{kept}` as {name}_forward had it. `dx` may be `dout` or `{kept}`.",
                ),
            ]

    for kind in range(COUNT_OF_LOSSES):
        name, option = loss_name(kind).decode(), loss_option(kind).decode()
        if not takes_labels(<LossKind> <int> kind):
            # Of two outputs a target no gradient has the targets' shape.
            one, as_t = ("BJ", "") if kind == GAUSSIAN_NLL else ("BK", ",t")
            may_be = "`x`" if kind == GAUSSIAN_NLL else "`x` or `t`"
            entries += [
                entry(
                    name, f"x:{one} t:BK {option} -> dx:{one}=x{as_t}", loss_and_gradient[float],
                    loss_and_gradient[double], kind, MEAN | RETURNS,
                    f"dx = the gradient of the mean loss, which is returned. `dx` may be {may_be}.",
                ),
                entry(
                    f"{name}_forward", f"x:{one} t:BK {option}", loss_forward[float], loss_forward[double], kind,
                    MEAN | RETURNS, "Returns the mean loss of the batch.",
                ),
                entry(
                    f"{name}_backward", f"x:{one} t:BK dout {option} -> dx:{one}=x{as_t}", loss_backward[float],
                    loss_backward[double], kind, MEAN,
                    f"dx = dout times the gradient of the mean loss. `dx` may be {may_be}.",
                ),
                entry(
                    f"weighted_{name}_forward", f"x:{one} t:BK shares:B {option}", weighted_loss_forward[float],
                    weighted_loss_forward[double], kind, MEAN | RETURNS,
                    "Returns Σ shares·l, l the losses of the rows. A row of share 0 is left out, whatever it has.",
                ),
                entry(
                    f"weighted_{name}_backward", f"x:{one} t:BK shares:B dout {option} -> dx:{one}=x{as_t}",
                    weighted_loss_backward[float], weighted_loss_backward[double], kind, MEAN,
                    f"dx = dout times the gradient of weighted_{name}_forward. `dx` may be {may_be}.",
                ),
            ]

    for kind in range(COUNT_OF_TRANSFORMS):
        name, option = transform_name(kind).decode(), transform_option(kind).decode()
        option = f"{option}(0,inf)" if option else ""
        if is_normalisation(kind):
            entries += [
                entry(
                    f"{name}_forward", f"x:BO weight:O {'bias:O ' * has_bias(kind)}{option} -> out:BO z:BO scale:B",
                    normalisation_forward[float], normalisation_forward[double], kind, 0,
                    f"z = the rows, normalised, out = z·weight{' + bias' * has_bias(kind)}; scale is what each row was "
                    "multiplied by.",
                ),
                entry(
                    f"{name}_backward_input", "dout:BO z:BO scale:B weight:O -> dx:BO=dout",
                    normalisation_backward_input[float], normalisation_backward_input[double], kind, 0,
                    f"dx = the gradient of x, z and scale as {name}_forward gave them. `dx` may be `dout`.",
                ),
                entry(
                    f"{name}_backward_params", f"z:BO dout:BO -> dweight:O{' dbias:O' * has_bias(kind)}",
                    normalisation_backward_params[float], normalisation_backward_params[double], kind, SINGLE_THREAD,
                    f"dweight = Σ dout·z{', dbias = Σ dout' * has_bias(kind)} over the batch.",
                ),
            ]

    for kind in range(COUNT_OF_RULES):
        entries.append(
            entry(
                f"{rule_name(kind).decode()}_update", rule_signature(kind).decode() + RULE_SETTINGS, update[float],
                update[double], kind, ELEMENTWISE,
                "A step of the rule: w and the optimizer's state of it are changed in place.",
            )
        )
    return entries


ENTRIES = {one.__name__: one for one in table()}
