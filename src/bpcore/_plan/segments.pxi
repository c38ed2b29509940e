# Segments: the layers of a network between those that no plan knows.
#
# a) A step is run in stages, and between them the other layers run: forward, through the last segment forth and back,
#    and back through the others. Then all gradients that a parameter has a part in are there, and parameters can move.
# b) What a stage leaves in the workspace is the next one's. `forward` or `forth_and_back` begins a step; whoever calls
#    stages in another order is refused.
# c) What comes from other layers is copied, for they may go on to use it; what goes to them is an array of their own.
# d) Gradients of parameters are computed where they are asked for, or used: then they move while these are in cache.

cdef inline void* data_of(array) noexcept:
    """The address of an array that was made here."""
    return PyArray_DATA(<const PyArrayObject*> <PyObject*> array)


NO_WHOLE_NETWORK = TypeError("Segment: it is part of a network, and has the stages of a step alone")


cdef class Segment(Plan):
    """Some layers one behind another of a network, with the stages of a step.

    The parameters are those of `Plan`. With an `entrance` the gradient of what enters is returned by `back` and
    `forth_and_back`, and x has to be of the network's type. The loss is that of `forth_and_back` alone.
    """

    cdef View entered             # x of the step that is going on
    cdef list pinned              # and what keeps it where it is
    cdef bint copies              # whether it is read in a copy
    cdef Stage done

    def step(self, *args, **kwargs):
        raise NO_WHOLE_NETWORK

    def train(self, *args, **kwargs):
        raise NO_WHOLE_NETWORK

    def loss_and_gradient(self, *args, **kwargs):
        raise NO_WHOLE_NETWORK

    def input_gradient_into(self, *args, **kwargs):
        raise NO_WHOLE_NETWORK

    def predict(self, *args, **kwargs):
        raise NO_WHOLE_NETWORK

    def predict_into(self, *args, **kwargs):
        raise NO_WHOLE_NETWORK

    def count_correct(self, *args, **kwargs):
        raise NO_WHOLE_NETWORK

    def forward(self, x not None, bint copies=True):
        """What the last layer gives out in training, in a new array; None if x cannot be read as it is.

        Without `copies`, which an entrance needs, x must stay what it is until the step has ended.
        """
        cdef Job job = self.job_of(STEP)
        self.start_training()
        try:
            if not self.enter(x, copies):
                return None
            self.targets = no_targets()
            self.reserve(self.entered.rows)
            self.begin_masks()
            out = self.new_array(2, self.entered.rows, self.outputs)
            job.out = data_of(out)
            self.run_stage(&job, FORWARD, 1)
        finally:
            self.training = False
        self.end_masks(1)
        return out

    def forth_and_back(self, x not None, t not None, tuple row_weights=None):
        """The loss of all rows, what the last layer gives out, and the gradient of x, in new arrays.

        None if an array cannot be read as it is.
        """
        cdef Job job = self.job_of(STEP)
        self.start_training()
        try:
            if not self.enter(x, True):
                return None
            if not self.targets_of(t, self.entered.rows, &self.targets) or not self.takes_numbers(self.entered.rows):
                return None
            if self.wants_weights(row_weights):
                return None
            self.reserve(self.entered.rows)
            self.begin_masks()
            if not self.place_targets(self.entered.rows, row_weights):
                return None
            out = self.new_array(2, self.entered.rows, self.outputs)
            job.out = data_of(out)
            dx = self.new_gradient_of_inputs()
            self.run_stage(&job, FORTH_AND_BACK, 2)
        finally:
            self.training = False
        self.end_masks(1)
        return loss_of(self.net.losses, self.entered.rows, row_weights is not None), out, dx

    def back(self, dout not None):
        """Go back with the gradient of the outputs; returns that of x, in a new array, or None if nobody needs it."""
        cdef Job job = self.job_of(STEP)
        self.require_done(FORWARD)
        self.require_unchanged(NPY_ARRAY_CARRAY)
        _pinned = held(dout)
        job.dout = address(dout, self.letter, 2, self.entered.rows, self.outputs, False)
        self.start_training()
        try:
            dx = self.new_gradient_of_inputs()
            self.run_stage(&job, BACK, 1)
        finally:
            self.training = False
        return dx

    def gradients(self):
        """Those of the parameters, in their order, in new arrays."""
        cdef Job job = self.job_of(STEP)
        cdef const Layer* layer
        cdef list found = []
        cdef int n
        self.require_done(BACK)
        job.stays = True
        self.start_training()
        try:
            self.run_stage(&job, PARAMETERS, 1)
        finally:
            self.training = False
        for n in range(self.net.depth):
            layer = &self.net.layers[n]
            if has_parameters(layer.transform):
                gradient = self.new_array(2 if has_matrix(layer.transform) else 1, layer.inputs, layer.outputs)
                self.take_gradient(&layer.weight, <char*> data_of(gradient))
                found.append(gradient)
            if has_bias(layer.transform):
                gradient = self.new_array(1, layer.outputs, layer.outputs)
                self.take_gradient(&layer.bias, <char*> data_of(gradient))
                found.append(gradient)
        return found

    def is_ready(self, Update update not None, list state=None):
        """Whether `move` can be called with this rule: without limits of whole arrays, and if x does not move, too."""
        self.require_done(BACK)
        self.require_unchanged(NPY_ARRAY_CARRAY)
        self.bind(update.settings.rule, state)
        return not has_limits(&update.settings) and (
            self.copies or not self.is_changed(self.entered.data, self.entered.bytes)
        )

    def move(self, Update update not None):
        """Move the parameters against their gradients, once `is_ready` has said so; then the step is at its end."""
        cdef Job job = self.job_of(STEP)
        self.require_done(BACK)
        if states_of(update.settings.rule) > self.states and states_of(update.settings.rule) > 0:
            raise RuntimeError("Segment: the rule keeps more than was bound")
        job.update = update.settings
        self.start_training()
        try:
            self.run_stage(&job, PARAMETERS, 1)
        finally:
            self.training = False
        self.forget()

    def is_apart(self, array):
        """Whether a contiguous array has no memory in common with what `move` changes."""
        cdef View view
        cdef bint apart
        if not contiguous(array, &view):
            return False
        apart = not self.is_changed(view.data, view.bytes)
        close(&view)
        return apart

    @property
    def rows(self):
        """Of the step that is going on."""
        return self.entered.rows

    cpdef int forget(self) except -1:
        """End a step; nothing of it is needed any more."""
        self.pinned, self.done = None, WHOLE
        return 0

    cdef int enter(self, x, bint copies) except -1:
        """Begin a step on x; 0 if it cannot be read as it is."""
        self.forget()
        if not self.fits() or not readable(x, &self.entered, self.net.layers[0].inputs):
            return 0
        if self.entered.has_buffer:
            close(&self.entered)
            return 0
        if self.entered.rows == 0 or self.net.entrance is not NULL and self.entered.typecode != self.letter:
            return 0
        self.pinned, self.copies = [x, held(x)], copies or self.net.entrance is not NULL
        return 1

    cdef int require_done(self, Stage stage) except -1:
        if self.done != stage:
            raise RuntimeError("Segment: a stage of a step is called before those in front of it")
        return 0

    cdef new_array(self, int dimensions, Py_ssize_t first, Py_ssize_t last):
        """An array of one or two dimensions of the network's type; `first` is the last one's too if there is one."""
        cdef Py_ssize_t* shape = [first if dimensions == 2 else last, last]
        return PyArray_SimpleNew(dimensions, shape, NPY_FLOAT if self.letter == c"f" else NPY_DOUBLE)

    cdef new_gradient_of_inputs(self):
        """An array that the next stage fills; None if nobody needs it."""
        if self.net.entrance is NULL:
            return None
        dx = self.new_array(2, self.entered.rows, self.net.layers[0].inputs)
        self.entrance.dpre = data_of(dx)
        self.entrance.stride = self.net.layers[0].inputs
        return dx

    cdef int run_stage(self, Job* job, Stage stage, int passes) except -1:
        """Run a stage of as much work as so many forward passes."""
        cdef double work = passes * operations_of(&self.net, self.entered.rows)
        cdef int threads = self.team(None, threads_for_region(2, work), work)
        self.net.stage, self.net.column_parts = stage, 1
        job.data, job.B, job.copies = self.entered, self.entered.rows, self.copies
        self.run_batches(job, threads)
        self.done = BACK if stage >= FORTH_AND_BACK else stage
        return 0
