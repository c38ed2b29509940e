# What a module of one's own cimports: `from bpcore cimport affine_forward`. Typed memoryviews are in
# bpcore.memoryviews, since what cimports them gets Cython's code for them, 170 kB, too.

from bpcore._api cimport BPCORE_API_VERSION
from bpcore._gemm.operands cimport Rows, aligned, rows_at, rows_of, sparse_rows_of
from bpcore._losses.softmax cimport softmax, softmax_cross_entropy, softmax_cross_entropy_backward
from bpcore.activations cimport *
from bpcore.affine cimport affine_backward_input, affine_backward_params, affine_forward
from bpcore.layers cimport *
from bpcore.losses cimport *
from bpcore.network cimport (
    Network, network, network_step, parameters_half, place, rows_backward, rows_forward, rows_half, workspace_size,
)
from bpcore.reductions cimport loss_of, sum_rows
from bpcore.sparse cimport SparseRows, csr_backward_params, csr_forward, sparse_rows
from bpcore.updates cimport *
