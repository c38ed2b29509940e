# An entry: a kernel as Python calls it, with checked arguments. table.pxi has the table of them.

cdef extern from "Python.h":
    ctypedef object (*vectorcallfunc)(object, PyObject**, size_t, PyObject*)
    ctypedef struct PyTypeObject:
        const char* tp_name
        Py_ssize_t tp_vectorcall_offset
        unsigned long tp_flags
        void* tp_call
    const unsigned long Py_TPFLAGS_HAVE_VECTORCALL
    void* PyVectorcall_Call(object, object, object)
    Py_ssize_t PyVectorcall_NARGS(size_t)
    bint PyObject_TypeCheck(object, PyTypeObject*)
    void PyType_Modified(PyTypeObject*)

cdef enum:
    MAX_ARRAYS = 8
    MAX_NUMBERS = 9
    B = 0                    # the sizes of a call
    I = 1
    O = 2
    K = 3
    N = 4
    J = 5                    # twice K
    P = 6                    # one more than B
    Z = 7                    # numbers that a sparse matrix stores
    SUBSCRIPTS = 8
    # Operations that take no longer than releasing the GIL and acquiring it again while other threads wait for it.
    GIL_MIN_OPERATIONS = 16384

cdef PyTypeObject* ARRAY = <PyTypeObject*> <PyObject*> ndarray


cdef struct ArgumentSpec:
    # What an entry requires of an array.
    char type                # f: float32 or float64, m: mask, l: int64 labels, i: int32 or int64
    int dimensions
    int[2] subscripts
    bint strided
    bint written
    int may_be               # a bit for each array that may be passed as this one too


cdef struct Call:
    # The arguments of a loop.
    int kind                 # which activation, loss or rule
    char typecode            # of the floating-point arrays, f or d
    void* data[MAX_ARRAYS]
    Py_ssize_t strides[MAX_ARRAYS][2]    # in numbers
    int[MAX_ARRAYS] itemsizes
    Py_ssize_t[SUBSCRIPTS] sizes
    const int64_t* labels
    const int64_t* indptr    # (P,), with SPARSE,
    const int32_t* indices   # (Z,): their lower halves
    double[MAX_NUMBERS] numbers
    int count_of_numbers
    const int* settings      # of each number, which setting of an Update it is; −1: its step
    double* losses           # (B,), with MEAN
    double result
    int threads
    Py_ssize_t first         # with ELEMENTWISE: the first element,
    Py_ssize_t count         # and how many

ctypedef void (*SingleLoop)(Call*, float) noexcept nogil
ctypedef void (*DoubleLoop)(Call*, double) noexcept nogil


cdef struct NumberSpec:
    # The values that a number may have, as bpcore.errors.Interval says.
    double low
    double high
    double default
    bint includes_low
    bint any                 # any number, NaN too
    bint is_count            # a whole number, which bpcore.errors checks


cdef class Entry


cdef class EntrySignature:
    """What `inspect.signature` finds: of an entry its arguments; none of the class, which nobody calls."""

    def __get__(self, entry, owner):
        return Signature() if entry is None else (<Entry> entry).signature


cdef class Entry:
    """A kernel: called with arrays, numbers and how many threads to use, it checks them all and runs a loop.

    Attributes
    ----------
    arguments : list of list of ArgumentSpec
        What it requires of each array; where there are two specs, of labels and of a matrix.
    returns : bool
        Whether it returns a number: the mean loss.
    """

    cdef vectorcallfunc call
    cdef SingleLoop single
    cdef DoubleLoop double_
    cdef ArgumentSpec[MAX_ARRAYS] specs
    cdef int[MAX_ARRAYS + MAX_NUMBERS] order    # for each argument: which array, or −1 − which number
    cdef int count, arrays, labels                # how many arguments and arrays; which array may be labels, or −1
    cdef int required                             # how many arguments have no default
    cdef NumberSpec[MAX_NUMBERS] intervals
    cdef int kind
    cdef int flags
    cdef int[MAX_NUMBERS] settings
    cdef int numbers
    cdef readonly list arguments
    cdef list parsed
    cdef object signature
    cdef str name, doc
    cdef tuple names, defaults                    # of the arguments, and of `threads` behind them

    def __init__(self):
        raise TypeError("entries are made when bpcore.kernels is imported, and by nobody else")

    @property
    def returns(self):
        return bool(self.flags & RETURNS)

    @property
    def __name__(self):
        return self.name

    @property
    def __qualname__(self):
        return self.name

    @property
    def __doc__(self):
        return self.doc

    __signature__ = EntrySignature()

    @property
    def __module__(self):
        return "bpcore.kernels"    # whatever the level: a pickle names it, and is read where another level is chosen

    def __reduce__(self):
        return self.name

    def __repr__(self):
        return f"<kernel {self.name}{self.signature}>"


cdef enum:
    # The flags of an entry.
    PRODUCT = 1          # its operations are the product of all sizes; one of the others counts as eight of these
    SINGLE_THREAD = 2    # it runs on one thread
    ELEMENTWISE = 4      # threads share the elements
    MEAN = 8             # it computes a mean over the batch, which must not be empty
    RETURNS = 16         # it returns that mean
    SPARSE = 32          # its first arrays are indptr, indices and data of a matrix in compressed sparse rows


cdef Entry entry(str name, str description, SingleLoop single, DoubleLoop double_, int kind, int flags, str doc):
    """Make an entry; bpcore.errors says what `description` is."""
    cdef Entry self = Entry.__new__(Entry)
    cdef ArgumentSpec* spec
    arguments = parse(description)
    self.call, self.single, self.double_, self.doc = <vectorcallfunc> vectorcall, single, double_, doc
    self.kind, self.flags, self.labels = kind, flags, -1
    self.name = name
    self.arguments, self.signature = [specs for specs in arguments if specs[0].subscripts], signature_of(arguments)
    self.parsed = [specs[0] for specs in arguments]
    names = [specs[0].name for specs in self.arguments]
    if len(names) > MAX_ARRAYS or len(arguments) - len(names) > MAX_NUMBERS:
        raise ValueError(f"{name} takes more arguments than an entry has room for: {description}")
    for specs in arguments:
        if not specs[0].subscripts:
            self.order[self.count] = -1 - self.numbers
            self.intervals[self.numbers] = number_spec(specs[0])
            self.settings[self.numbers] = SETTINGS.get(specs[0].name, -1)
            self.numbers += 1
        else:
            self.order[self.count] = self.arrays
            spec = &self.specs[self.arrays]
            one = specs[len(specs) - 1]    # not [-1]: a release is compiled without wraparound
            spec.type = c"m" if "bool" in one.dtypes else c"i" if "int32" in one.dtypes else c"f"
            spec.dimensions, spec.strided, spec.written = len(one.subscripts), one.strided, one.written
            for n, subscript in enumerate(one.subscripts):
                spec.subscripts[n] = "BIOKNJPZ".index(subscript)
            spec.may_be = sum([1 << names.index(other) for other in one.may_be])
            if len(specs) == 2:
                self.labels = self.arrays
            self.arrays += 1
        self.required += specs[0].default is None
        self.count += 1
    self.names = tuple([intern(specs[0].name) for specs in arguments] + ["threads"])
    self.defaults = tuple([specs[0].default for specs in arguments] + [None])
    return self


cdef NumberSpec number_spec(spec) except *:
    """The C struct of a number's spec."""
    cdef NumberSpec made
    interval = spec.interval
    made.any, made.is_count = interval is None, spec.name in COUNTS
    made.low, made.high, made.includes_low = (0, 0, False) if interval is None else (
        interval.low, interval.high, interval.includes_low
    )
    made.default = 0 if spec.default is None else spec.default
    return made


cdef object vectorcall(object callee, PyObject** args, size_t nargsf, PyObject* names):
    """The vectorcall of an entry (PEP 590)."""
    cdef Entry self = <Entry> callee
    cdef Call call
    cdef Py_ssize_t given = PyVectorcall_NARGS(nargsf), n
    cdef object threads = None
    cdef void* copied = NULL
    cdef int wrong
    call.kind, call.typecode, call.labels, call.losses, call.result = self.kind, 0, NULL, NULL, 0
    call.numbers[0] = call.numbers[1] = 0
    call.count_of_numbers, call.settings = self.numbers, self.settings
    for n in range(SUBSCRIPTS):
        call.sizes[n] = -1
    if names is not NULL or given < self.required or given > self.count + 1:
        return call_with_keywords(self, args, given, <object> names if names is not NULL else ())
    if given > self.count:
        threads = <object> args[self.count]
    for n in range(self.count):
        if n >= given:
            call.numbers[-1 - self.order[n]] = self.intervals[-1 - self.order[n]].default
        elif self.order[n] < 0:
            call.numbers[-1 - self.order[n]] = number_of(self, n, <object> args[n])
        elif not bind_array(self, &call, self.order[n], args[n]):
            raise call_error(self, args, given)
    if not related_sizes_fit(&call) or not outputs_are_disjoint(self, &call):
        raise call_error(self, args, given)
    cdef double operations = 0 if self.flags & SINGLE_THREAD else 1 if self.flags & PRODUCT else 8
    if self.flags & SPARSE:
        # Of a dense product as many take a third of the time.
        operations = 3 * <double> call.sizes[Z] * call.sizes[O]
    else:
        for n in range(SUBSCRIPTS):
            if call.sizes[n] >= 0 and n != J:
                operations = operations * call.sizes[n]
    call.threads = choose_threads(self, threads, operations)
    if self.flags & MEAN and (call.sizes[B] == 0 or call.sizes[K] == 0):
        raise ValueError(
            f"{self.name}: {call.sizes[B]} rows of {call.sizes[K]}: an empty batch has no mean loss"
        )
    try:
        if self.flags & MEAN:
            call.losses = <double*> malloc(call.sizes[B] * sizeof(double))
            if call.losses is NULL:
                raise MemoryError(f"no memory for the losses of {call.sizes[B]} rows")
        if call.labels is not NULL:
            copied = checked_copy(self, &call)
            call.labels = <const int64_t*> copied
        elif self.flags & SPARSE:
            copied = checked_rows(&call)
            if copied is NULL:
                explain_rows(
                    self.name, <object> args[0], <object> args[1], min(call.sizes[I], <Py_ssize_t> INT32_MAX + 1)
                )
                raise ValueError(f"{self.name}: indptr or indices changed during the call")
        if operations < GIL_MIN_OPERATIONS:
            run(self, &call)
        else:
            with nogil:
                run(self, &call)
    finally:
        free(copied)
        free(call.losses)
    return call.result if self.flags & RETURNS else None


cdef double number_of(Entry self, Py_ssize_t n, object value) except? -1:
    """The number that is argument n; bpcore.errors converts what is no float, and says what is wrong."""
    cdef const NumberSpec* spec = &self.intervals[-1 - self.order[n]]
    cdef double found
    if PyFloat_CheckExact(value) and not spec.is_count:
        found = PyFloat_AS_DOUBLE(value)
        if spec.any or (found >= spec.low and found < spec.high and (found > spec.low or spec.includes_low)):
            return found
    return number(self.name, self.parsed[n], value)


cdef void run(Entry self, Call* call) noexcept nogil:
    cdef Py_ssize_t t
    if self.flags & ELEMENTWISE and call.threads > 1:
        for t in prange(spans_of(call.sizes[N]), num_threads=call.threads, schedule="static"):
            run_span(self, call, t)
        return
    call.first, call.count = 0, call.sizes[N]
    run_once(self, call)


cdef void run_span(Entry self, const Call* call, Py_ssize_t t) noexcept nogil:
    cdef Call part = call[0]
    part.first = t * SPAN
    part.count = min(<Py_ssize_t> SPAN, call.sizes[N] - part.first)
    run_once(self, &part)


cdef void run_once(Entry self, Call* call) noexcept nogil:
    if call.typecode == c"f":
        self.single(call, 0)
    else:
        self.double_(call, 0)


cdef int choose_threads(Entry self, object threads, double operations) except -1:
    """How many threads to use; looks up the default only if there is enough work for several."""
    if threads is None and operations < THREAD_MIN_OPERATIONS:
        return 1
    threads = named(threads)
    cdef int number
    try:
        number = min(resolve(threads), bp_max_threads())    # as Python's numbers, which are of any size
    except (TypeError, ValueError) as error:
        raise type(error)(f"{self.name}: {error}") from None
    if number == 1 or operations < THREAD_MIN_OPERATIONS:
        return 1
    cdef bint may_use_fewer = threads is None and operations < FEWER_THREADS_MAX_OPERATIONS
    with nogil:
        number = bp_place_team(number, may_use_fewer)
    return number


cdef tuple arguments_of(PyObject** args, Py_ssize_t count):
    return tuple([<object> args[n] for n in range(count)])


cdef bint place_keywords(Entry self, PyObject** args, Py_ssize_t given, tuple names, PyObject** ordered):
    """Put the arguments of a call in their order; False if that takes more than to look for the names' objects."""
    cdef Py_ssize_t n, place, count = self.count + 1
    if given > count:
        return False
    for n in range(count):
        ordered[n] = args[n] if n < given else NULL
    for n in range(len(names)):
        for place in range(given, count):
            # A name that stands in a program is one object, wherever it stands.
            if self.names[place] is names[n] and ordered[place] is NULL:
                ordered[place] = args[given + n]
                break
        else:
            return False
    for n in range(given, count):
        if ordered[n] is NULL:
            if n < self.required:
                return False
            ordered[n] = <PyObject*> self.defaults[n]
    return True


cdef object call_with_keywords(Entry self, PyObject** args, Py_ssize_t given, tuple names):
    """A call with keywords, or with too few or too many arguments."""
    cdef PyObject* ordered[MAX_ARRAYS + MAX_NUMBERS + 1]
    if place_keywords(self, args, given, names, ordered):
        return vectorcall(self, ordered, self.count + 1, NULL)
    positional = arguments_of(args, given)
    keywords = {name: <object> args[given + n] for n, name in enumerate(names)}
    return self(*bind(self, positional, keywords).args)


cdef object call_error(Entry self, PyObject** args, Py_ssize_t given):
    """The error of a wrong call, which names the argument."""
    explain(self, arguments_of(args, given))
    return ValueError(f"{self.name}: the arguments do not fit each other")


cdef int make_callable() except -1:
    """Make Python call an entry by `vectorcall`, without a tuple or a dict of the arguments."""
    cdef Entry one = Entry.__new__(Entry)
    cdef PyTypeObject* type = <PyTypeObject*> <PyObject*> Entry
    type.tp_vectorcall_offset = <char*> &one.call - <char*> <PyObject*> one
    type.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL
    type.tp_call = <void*> PyVectorcall_Call
    PyType_Modified(type)
    return 0


cdef int show_in(cls, const char* name) except -1:
    """Have a type and its methods say that they are of `name`, whatever the level that they were compiled for."""
    cdef PyTypeObject* type = <PyTypeObject*> <PyObject*> cls
    type.tp_name = name
    PyType_Modified(type)
    for method in vars(cls).values():
        if hasattr(method, "__code__"):
            method.__module__ = name.decode().rpartition(".")[0]
    return 0


make_callable()
