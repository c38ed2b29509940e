# The addresses of a network's parameters, and of what an optimizer keeps of them: the base of the class Plan.

cdef Guard guard_of(array) except *:
    """The guard of a NumPy array of 1 or 2 dimensions."""
    if not isinstance(array, ndarray):
        raise TypeError(f"Plan: a parameter is a {type(array).__name__}, wanted a NumPy array")
    cdef const PyArrayObject* one = <const PyArrayObject*> <PyObject*> array
    cdef int dimensions = PyArray_NDIM(one)
    cdef const Py_ssize_t* shape = PyArray_DIMS(one)
    return Guard(
        one, PyArray_DATA(one), PyArray_DESCR(one), array.nbytes, dimensions, shape[0], shape[dimensions - 1]
    )


cdef list held(array):
    """What, while it exists, keeps an array's type, and its memory where it is: `resize` refuses, of its owner too."""
    cdef list kept = []
    while isinstance(array, ndarray):
        kept += [array.dtype, ref(array)]
        array = array.base
    return kept


cdef class NetworkAddresses:
    """A network as a C struct over arrays that are kept, and looked at before they are used."""

    cdef Network net
    cdef Source source              # the data is each call's own
    cdef readonly str dtype
    cdef readonly object moments    # what of the optimizer the addresses in `net` belong to
    cdef int kept_each              # of how many numbers a parameter
    cdef char letter                # the type, as the buffer protocol names it
    cdef Py_ssize_t itemsize
    cdef list kept, kept_moments, witnesses
    cdef Guard* guards              # of the parameters, and behind them of the moments
    cdef int parameters, guarded    # how many parameters; how many guards

    def __cinit__(self, str dtype, list layers, str head, mean, scale, list witnesses):
        if dtype not in ("float32", "float64") or head not in HEADS or not layers:
            given = f"{len(layers)} layers of {dtype} with the head {head!r}"
            raise ValueError(f"Plan: {given}, wanted 1 or more of float32 or float64 with one of {', '.join(HEADS)}")
        self.dtype, self.kept, self.witnesses = dtype, [], witnesses
        self.letter = c"f" if dtype == "float32" else c"d"
        self.itemsize = 4 if dtype == "float32" else 8
        self.net.depth = len(layers)
        self.net.head = <Head> <int> HEADS[head]
        self.net.layers = <Dense*> calloc(len(layers), sizeof(Dense))
        self.guards = <Guard*> calloc(6 * len(layers) + 2, sizeof(Guard))
        if self.net.layers is NULL or self.guards is NULL:
            raise MemoryError("no memory for the plan")
        for n, (W, b, activation) in enumerate(layers):
            self.take(n, W, b, ACTIVATIONS[activation])
        self.source.inputs = self.inputs
        self.source.mean = <const double*> self.watch(mean, c"d", 1, self.inputs, self.inputs, self.kept)
        self.source.scale = self.watch(scale, self.letter, 1, self.inputs, self.inputs, self.kept)
        self.parameters = self.guarded

    def __dealloc__(self):
        free(self.guards)
        free(self.net.layers)

    cdef int take(self, int n, W, b, int activation) except -1:
        """Keep the addresses of the parameters of layer n."""
        cdef Dense* layer = &self.net.layers[n]
        layer.inputs, layer.outputs = W.shape
        layer.activation = <Activation> activation
        if layer.inputs == 0 or layer.outputs == 0:
            raise ValueError(f"Plan: layer {n + 1} has {layer.inputs} inputs and {layer.outputs} outputs")
        if n > 0 and layer.inputs != self.net.layers[n - 1].outputs:
            raise ValueError(f"Plan: layer {n + 1} has {layer.inputs} inputs, the layer below has other outputs")
        layer.W = self.watch(W, self.letter, 2, layer.inputs, layer.outputs, self.kept)
        layer.b = self.watch(b, self.letter, 1, layer.outputs, layer.outputs, self.kept)
        return 0

    cdef void* watch(
        self, array, char letter, int dimensions, Py_ssize_t first, Py_ssize_t last, list kept
    ) except? NULL:
        """The address of an array, from now on guarded and kept; NULL of None."""
        cdef void* found
        if array is None:
            return NULL
        found = address(array, letter, dimensions, first, last, True)
        self.guards[self.guarded] = guard_of(array)
        self.guarded += 1
        kept += [array, *held(array)]
        return found

    @property
    def inputs(self):
        """How many features a sample has."""
        return self.net.layers[0].inputs

    @property
    def outputs(self):
        """How many scores a sample gets."""
        return self.net.layers[self.net.depth - 1].outputs

    def fits(self):
        """Whether the network is still made of what it was when the plan was made."""
        if not unchanged(self.guards, self.parameters, NPY_ARRAY_CARRAY):
            return False
        for mapping, key, value in self.witnesses:
            if PyDict_GetItem(mapping, key) != <PyObject*> value:
                return False
        return True

    cdef int bind(self, Rule rule, moments) except -1:
        """Point to what the rule keeps: for each layer (W_first, W_second, b_first, b_second), arrays or None."""
        cdef int wanted = moments_of(rule)
        cdef Dense* layer
        if wanted == 0:
            return 0
        if moments is not None and moments is self.moments and wanted <= self.kept_each:
            if unchanged(self.guards + self.parameters, self.guarded - self.parameters, NPY_ARRAY_CARRAY):
                return 0
        # If something goes wrong on the way, no address of an array that nobody keeps may be used.
        self.moments, self.kept_moments, self.guarded = None, [], self.parameters
        if moments is None or len(moments) != self.net.depth:
            raise ValueError("Plan: the rule keeps something of every layer, which was not given")
        for n, (W_first, W_second, b_first, b_second) in enumerate(moments):
            if W_first is None or b_first is None or wanted == 2 and (W_second is None or b_second is None):
                raise ValueError(f"Plan: the rule keeps {wanted} of each parameter, layer {n + 1} has less")
            layer = &self.net.layers[n]
            layer.W_first = self.watch(W_first, self.letter, 2, layer.inputs, layer.outputs, self.kept_moments)
            layer.W_second = self.watch(W_second, self.letter, 2, layer.inputs, layer.outputs, self.kept_moments)
            layer.b_first = self.watch(b_first, self.letter, 1, layer.outputs, layer.outputs, self.kept_moments)
            layer.b_second = self.watch(b_second, self.letter, 1, layer.outputs, layer.outputs, self.kept_moments)
        self.moments, self.kept_each = moments, wanted
        return 0

    cdef int require_unchanged(self, int flags) except -1:
        if not unchanged(self.guards, self.parameters, flags):
            raise RuntimeError("Plan: a parameter was reshaped, frozen or given other memory after the plan was made")
        return 0
