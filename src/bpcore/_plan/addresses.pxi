# The addresses of a network's parameters, and of an optimizer's state: the base of the class Plan.

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


cdef void* array_data(array, str name, char typecode, int dimensions, bint writable) except NULL:
    """The address of a contiguous array of any size that is an argument."""
    if not isinstance(array, ndarray):
        raise TypeError(f"Plan: {name} is a {type(array).__name__}, wanted a NumPy array")
    if array.ndim != dimensions:
        raise ValueError(f"Plan: {name} has {array.ndim} dimensions, wanted {dimensions}")
    return address(array, typecode, dimensions, array.shape[0], array.shape[dimensions - 1], writable)


cpdef bint are_values(mapping, list objects) except -1:
    """Whether these very objects, in this order, are the values of a mapping."""
    cdef Py_ssize_t n = 0
    for value in mapping.values():
        if n == len(objects) or objects[n] is not value:
            return False
        n += 1
    return n == len(objects)


cdef inline bint is_alike(const Layer* one, const Layer* other) noexcept:
    """Whether two layers have parameters of the same shapes, and of the same transform."""
    return one.transform == other.transform and one.inputs == other.inputs and one.outputs == other.outputs


cdef class NetworkAddresses:
    """A network as a C struct over arrays that are kept, and looked at before they are used."""

    cdef object __weakref__
    cdef Network net
    cdef Layer entrance             # of a segment that has layers below it: an activation alone
    cdef Source source              # the data is each call's own
    cdef readonly str dtype
    cdef readonly object state      # of the optimizer, to which the addresses in `net` belong
    cdef int states                 # arrays of it for each parameter
    cdef char letter                # the type, as the buffer protocol names it
    cdef Py_ssize_t itemsize
    cdef list kept, kept_state, made_of
    cdef list counters              # of each layer the dict that has the `step` of its masks, or None
    cdef bint drops                 # whether a layer has masks
    cdef readonly bint weighs       # whether the loss gives rows a weight of their own, of which it has to be asked
    cdef const double* table        # (2, outputs) slope and rest of targets that are made, or NULL
    cdef readonly list caches
    cdef Guard* guards              # of the parameters, and behind them of the optimizer's state
    cdef int parameters, guarded    # how many parameters; how many guards

    def __cinit__(
        self, str dtype, list layers, tuple loss, mean, scale, list made_of, list caches=None, tuple entrance=None
    ):
        if dtype not in ("float32", "float64") or len(loss) not in (2, 4) or loss[0] not in LOSSES or not layers:
            given = f"{len(layers)} layers of {dtype} with the loss {loss!r}"
            raise ValueError(f"Plan: {given}, wanted 1 or more of float32 or float64 with one of {', '.join(LOSSES)}")
        self.dtype, self.kept, self.made_of, self.caches = dtype, [], made_of, caches
        self.counters = [None] * len(layers)
        self.letter = c"f" if dtype == "float32" else c"d"
        self.itemsize = 4 if dtype == "float32" else 8
        self.net = network(
            <Layer*> calloc(len(layers), sizeof(Layer)), len(layers), Loss(<LossKind> <int> LOSSES[loss[0]], loss[1])
        )
        if entrance is not None:
            if not entrance or entrance[0] not in ACTIVATIONS:
                raise ValueError(f"Plan: entrance is {entrance!r}, wanted an activation's name and its numbers")
            self.entrance = layer_of(DROPOUT, <Activation> <int> ACTIVATIONS[entrance[0]], 1, 1, NULL, NULL, 0, 0)
            for k, number in enumerate(entrance[1:1 + MOST_ACTIVATION_NUMBERS]):
                self.entrance.numbers[k] = number
            self.net.entrance = &self.entrance
        self.guards = <Guard*> calloc(10 * len(layers) + 2, sizeof(Guard))
        if self.net.layers is NULL or self.guards is NULL:
            raise MemoryError("no memory for the plan")
        for n, (transform, activation, weight, bias, option, *numbers) in enumerate(layers):
            if TRANSFORMS[transform] == <int> DROPOUT:
                self.take_dropout(n, ACTIVATIONS[activation], weight, bias, option)
            elif TRANSFORMS[transform] == <int> BATCH_NORM:
                self.take_batch_norm(n, ACTIVATIONS[activation], weight, bias, option)
            elif not has_parameters(TRANSFORMS[transform]):
                self.require_inputs(n, weight, weight)
                self.net.layers[n] = layer_of(
                    TRANSFORMS[transform], <Activation> <int> ACTIVATIONS[activation], weight, weight, NULL, NULL, 0,
                    self.itemsize,
                )
            else:
                self.take(n, TRANSFORMS[transform], ACTIVATIONS[activation], weight, bias, option)
            for k, number in enumerate(numbers[:MOST_ACTIVATION_NUMBERS]):
                self.net.layers[n].numbers[k] = number
        if self.net.loss.kind == GAUSSIAN_NLL and self.outputs % 2:
            raise ValueError(f"Plan: {self.outputs} outputs, wanted as many means as log variances")
        self.table = NULL
        if len(loss) == 4:
            self.weighs = loss[3]
            if loss[2] is not None:
                self.table = <const double*> address(loss[2], c"d", 2, 2, self.outputs, False)
                self.kept.append(loss[2])
        self.source.inputs = self.inputs
        self.source.mean = <const double*> self.watch(mean, c"d", 1, self.inputs, self.inputs, self.kept)
        self.source.scale = self.watch(scale, self.letter, 1, self.inputs, self.inputs, self.kept)
        self.parameters = self.guarded

    def __dealloc__(self):
        free(self.guards)
        free(self.net.layers)

    cdef int take(self, int n, int transform, int activation, weight, bias, double option) except -1:
        """Keep the addresses of the parameters of layer n."""
        cdef Py_ssize_t inputs = weight.shape[0], outputs = weight.shape[weight.ndim - 1]
        cdef int dimensions = 2 if has_matrix(transform) else 1
        self.require_inputs(n, inputs, outputs)
        self.net.layers[n] = layer_of(
            transform, <Activation> activation, inputs, outputs,
            self.watch(weight, self.letter, dimensions, inputs, outputs, self.kept),
            self.watch(bias if has_bias(transform) else None, self.letter, 1, outputs, outputs, self.kept), option,
            self.itemsize,
        )
        return 0

    cdef int take_dropout(self, int n, int activation, Py_ssize_t units, dict attributes, double rate) except -1:
        """Layer n drops units: `attributes` has its seed, and the step that its masks have come to."""
        self.require_inputs(n, units, units)
        if not 0 <= rate < 1:
            raise ValueError(f"Plan: the rate of layer {n + 1} is {rate}, wanted at least 0 and below 1")
        self.net.layers[n] = dropout(units, <Activation> activation, rate, attributes["seed"], self.itemsize)
        self.counters[n], self.drops = attributes, True
        return 0

    cdef int take_batch_norm(self, int n, int activation, weight, bias, tuple option) except -1:
        """Layer n normalises over a batch: training moves its running statistics, evaluation reads them."""
        cdef Layer* layer = &self.net.layers[n]
        cdef Py_ssize_t units = weight.shape[0]
        cdef double eps, momentum
        eps, momentum, running_mean, running_var = option
        if not 0 <= momentum <= 1:
            raise ValueError(f"Plan: the momentum of layer {n + 1} is {momentum}, wanted a number from 0 to 1")
        if running_mean is None or running_var is None:
            raise TypeError(f"Plan: a running statistic of layer {n + 1} is None, wanted a NumPy array")
        self.take(n, BATCH_NORM, activation, weight, bias, eps)
        layer.momentum = momentum
        layer.running_mean = self.watch(running_mean, self.letter, 1, units, units, self.kept)
        layer.running_var = self.watch(running_var, self.letter, 1, units, units, self.kept)
        return 0

    cdef int require_inputs(self, int n, Py_ssize_t inputs, Py_ssize_t outputs) except -1:
        """Raise where layer n does not fit those below."""
        if inputs <= 0 or outputs <= 0:
            raise ValueError(f"Plan: layer {n + 1} has {inputs} inputs and {outputs} outputs")
        if n > 0 and inputs != self.net.layers[n - 1].outputs:
            raise ValueError(f"Plan: layer {n + 1} has {inputs} inputs, the layer below has other outputs")
        return 0

    cdef inline int begin_masks(self) except -1:
        """Take from each layer which step the masks of the next batch are of."""
        cdef int n
        if not self.drops:
            return 0
        for n in range(self.net.depth):
            if self.counters[n] is not None:
                step = self.counters[n]["step"]
                if type(step) is not int or not 0 <= step < MOST:
                    raise ValueError(f"Dropout: step is {step!r}, wanted a whole number of at least 0 and below 2**53")
                self.net.layers[n].step = <int64_t> step + 1
        return 0

    cdef inline int end_masks(self, int64_t steps) except -1:
        """Let the layers know that so many steps were taken."""
        cdef int n
        if not self.drops:
            return 0
        for n in range(self.net.depth):
            if self.counters[n] is not None:
                self.counters[n]["step"] = self.counters[n]["step"] + steps
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
        """How many numbers the last layer gives a sample."""
        return self.net.layers[self.net.depth - 1].outputs

    def blend(self, NetworkAddresses other not None, double tau):
        """Move each parameter p towards that of another plan, p += tau·(q − p), and each running statistic likewise.

        Returns False, with nothing done, if none can move.

        Which is so where one of them no longer fits, their layers differ, or they have memory in common.
        """
        cdef const Layer* p
        cdef const Layer* q
        cdef int n
        if not self.can_blend(other):
            return False
        for n in range(self.net.depth):
            p, q = &self.net.layers[n], &other.net.layers[n]
            self.blend_array(p.weight.size, p.weight.value, q.weight.value, tau)
            self.blend_array(p.bias.size, p.bias.value, q.bias.value, tau)
            if p.running_mean is not NULL:
                self.blend_array(p.outputs, p.running_mean, q.running_mean, tau)
                self.blend_array(p.outputs, p.running_var, q.running_var, tau)
        return True

    cdef bint can_blend(self, NetworkAddresses other) except -1:
        """Whether both fit, their layers are alike, and no parameter has memory in common with another."""
        cdef int n
        if not self.fits() or not other.fits():
            return False
        if self.letter != other.letter or self.parameters != other.parameters or self.net.depth != other.net.depth:
            return False
        for n in range(self.net.depth):
            if not is_alike(&self.net.layers[n], &other.net.layers[n]):
                return False
        for n in range(self.parameters):
            if overlap(other.guards, other.parameters, span(self.guards[n].data, self.guards[n].bytes)):
                return False
            # An array that several layers have moves once, which is not told here; and threads share each.
            if overlap(self.guards, n, span(self.guards[n].data, self.guards[n].bytes)):
                return False
        return True

    cdef inline void blend_array(self, Py_ssize_t size, void* p, const void* q, double tau) noexcept:
        if self.letter == c"f":
            blend_span(size, <float*> p, <const float*> q, <float> tau)
        else:
            blend_span(size, <double*> p, <const double*> q, tau)

    def is_valid(self):
        """Whether the network is still made of what it was when the plan was made."""
        return self.fits()

    cdef inline bint fits(self) except -1:
        if not unchanged(self.guards, self.parameters, NPY_ARRAY_CARRAY):
            return False
        cdef tuple guard
        for guard in self.made_of:
            if PyDict_GetItemWithError(guard[0], guard[1]) != <PyObject*> guard[2]:
                return False
        return True

    cdef inline int drop_caches(self) except -1:
        """Set what a pass of the layers has left to None."""
        cdef tuple cache
        if self.caches is not None:
            for cache in self.caches:
                # Most have nothing, and to look is quicker than to write.
                if PyDict_GetItemWithError(cache[0], cache[1]) != <PyObject*> None:
                    cache[0][cache[1]] = None
        return 0

    cdef inline int bind(self, Rule rule, list state) except -1:
        """Point to what the rule keeps: for each parameter, in order, a tuple of arrays."""
        cdef int wanted = states_of(rule), n, k = 0
        cdef Layer* layer
        if wanted == 0:
            return 0
        if state is not None and state is self.state and wanted <= self.states:
            if unchanged(self.guards + self.parameters, self.guarded - self.parameters, NPY_ARRAY_CARRAY):
                return 0
        # If something goes wrong on the way, no address of an array that nobody keeps may be used.
        self.state, self.kept_state, self.guarded = None, [], self.parameters
        if state is None or len(state) != self.parameters_of_layers():
            raise ValueError("Plan: the rule keeps something of every parameter, which was not given")
        for n in range(self.net.depth):
            layer = &self.net.layers[n]
            if has_parameters(layer.transform):
                self.bind_parameter(
                    &layer.weight, state[k], wanted, 2 if has_matrix(layer.transform) else 1, layer.inputs,
                    layer.outputs,
                )
                k += 1
            if has_bias(layer.transform):
                self.bind_parameter(&layer.bias, state[k], wanted, 1, layer.outputs, layer.outputs)
                k += 1
        self.state, self.states = state, wanted
        return 0

    cdef int parameters_of_layers(self) noexcept:
        """How many weights and biases there are."""
        cdef int n, count = 0
        for n in range(self.net.depth):
            count += has_parameters(self.net.layers[n].transform) + has_bias(self.net.layers[n].transform)
        return count

    cdef int bind_parameter(
        self, Parameter* parameter, tuple arrays, int wanted, int dimensions, Py_ssize_t first, Py_ssize_t last
    ) except -1:
        """Point to what the rule keeps of one parameter."""
        if len(arrays) < wanted:
            raise ValueError(f"Plan: the rule keeps {wanted} arrays of each parameter, of one there are {len(arrays)}")
        parameter.state1 = self.watch(arrays[0], self.letter, dimensions, first, last, self.kept_state)
        if wanted > 1:
            parameter.state2 = self.watch(arrays[1], self.letter, dimensions, first, last, self.kept_state)
        if wanted > 2:
            parameter.state3 = self.watch(arrays[2], self.letter, dimensions, first, last, self.kept_state)
        return 0

    cdef inline int require_unchanged(self, int flags) except -1:
        if not unchanged(self.guards, self.parameters, flags):
            raise RuntimeError("Plan: a parameter was reshaped, frozen or given other memory after the plan was made")
        return 0
