# An entry: a loop over arrays as Python calls it. kernels.pyx has the table of them.

cdef extern from "Python.h":
    ctypedef object (*vectorcallfunc)(object, PyObject**, size_t, PyObject*)
    ctypedef struct PyTypeObject:
        Py_ssize_t tp_vectorcall_offset
        unsigned long tp_flags
        void* tp_call
    const unsigned long Py_TPFLAGS_HAVE_VECTORCALL
    void* PyVectorcall_Call(object, object, object)
    Py_ssize_t PyVectorcall_NARGS(size_t)
    bint PyObject_TypeCheck(object, PyTypeObject*)
    void PyType_Modified(object)

cdef extern from "numpy/ndarraytypes.h":
    ctypedef struct PyArrayObject:
        pass
    void* PyArray_DATA(const PyArrayObject*) noexcept
    const Py_ssize_t* PyArray_DIMS(const PyArrayObject*) noexcept
    const Py_ssize_t* PyArray_STRIDES(const PyArrayObject*) noexcept
    int PyArray_NDIM(const PyArrayObject*) noexcept
    int PyArray_FLAGS(const PyArrayObject*) noexcept
    int PyArray_TYPE(const PyArrayObject*) noexcept
    bint PyArray_ISNOTSWAPPED(const PyArrayObject*) noexcept
    int NPY_ARRAY_C_CONTIGUOUS, NPY_ARRAY_ALIGNED, NPY_ARRAY_WRITEABLE
    int NPY_FLOAT, NPY_DOUBLE, NPY_INT64, NPY_LONGLONG, NPY_BOOL, NPY_UBYTE

cdef enum:
    MOST_ARRAYS = 4
    MOST_NUMBERS = 6
    LETTERS = 5              # B, I, O, K, N
    # Operations that take no longer than giving the GIL away and getting it back when others wait for it.
    WORTH_THE_GIL = 16384


cdef struct Form:
    # What an entry wants of an array.
    char type                # f: float32 or float64, m: mask, l: int64 labels
    int dimensions
    int[2] letters
    bint strided
    bint written
    int may_be               # a bit for each array that it may be itself


cdef struct Call:
    # What a loop gets.
    int kind                 # which activation, loss or rule
    char letter              # the type of floating-point arrays, f or d
    void* data[MOST_ARRAYS]
    Py_ssize_t strides[MOST_ARRAYS][2]    # in numbers
    Py_ssize_t[LETTERS] sizes
    const int64_t* labels
    double[MOST_NUMBERS] numbers
    int count_of_numbers
    const int* settings      # of each number, which setting of an Update it is; −1: its step
    double* losses           # (B,), of those of a mean
    double result
    int threads
    Py_ssize_t first         # of those that go by elements: where to begin
    Py_ssize_t count         # and how many elements to do

ctypedef void (*SingleLoop)(Call*, float) noexcept nogil
ctypedef void (*DoubleLoop)(Call*, double) noexcept nogil


cdef class Entry:
    """A kernel: called with arrays, numbers and how many threads to use, it checks them all and runs a loop.

    Attributes
    ----------
    arguments : list of list of Argument
        What it wants of each array, and of some in two forms.
    returns : bool
        Whether it returns a number: the mean loss.
    """

    cdef vectorcallfunc call
    cdef SingleLoop single
    cdef DoubleLoop double_
    cdef Form[MOST_ARRAYS] forms
    cdef int[MOST_ARRAYS + MOST_NUMBERS] order    # for each argument: which array, or −1 − which number
    cdef int count, arrays, labels                # how many arguments and arrays; which array may be labels, or −1
    cdef int plain                                # a bit for each argument that is any number
    cdef int kind
    cdef int how
    cdef int[MOST_NUMBERS] settings
    cdef int numbers
    cdef readonly list arguments
    cdef list names
    cdef object signature
    cdef str name, doc

    def __init__(self):
        raise TypeError("entries are made by the table of kernels.pyx")

    @property
    def returns(self):
        return bool(self.how & RETURNS)

    @property
    def __name__(self):
        return self.name

    @property
    def __qualname__(self):
        return self.name

    @property
    def __doc__(self):
        return self.doc

    @property
    def __signature__(self):
        return self.signature

    @property
    def __module__(self):
        return "bpcore.kernels"    # whatever the level: a pickle names it, and is read where another level is chosen

    def __reduce__(self):
        return self.name

    def __repr__(self):
        return f"<kernel {self.name}{self.signature}>"


cdef enum:
    # How a loop is run.
    PRODUCT = 1        # its operations are the product of all sizes; those of others are worth eight multiplications
    ALONE = 2          # on one thread
    BY_ELEMENTS = 4    # threads share the elements
    MEAN = 8           # of a mean over the batch: there is one
    RETURNS = 16       # that mean


cdef Entry entry(str name, str description, SingleLoop single, DoubleLoop double_, int kind, int how, str doc):
    """Make an entry; `description` is that of bpcore.errors."""
    cdef Entry self = Entry.__new__(Entry)
    cdef Form* form
    arguments = parse(description)
    self.call, self.single, self.double_, self.doc = <vectorcallfunc> called, single, double_, doc
    self.kind, self.how, self.labels = kind, how, -1
    self.name = name
    self.arguments, self.signature = [forms for forms in arguments if forms[0].letters], signature_of(arguments)
    self.names = [forms[0].name for forms in arguments]
    names = [forms[0].name for forms in self.arguments]
    if len(names) > MOST_ARRAYS or len(arguments) - len(names) > MOST_NUMBERS:
        raise ValueError(f"{name} takes more arguments than an entry has room for: {description}")
    for forms in arguments:
        if not forms[0].letters:
            self.order[self.count] = -1 - self.numbers
            self.plain |= (forms[0].name != "step" and forms[0].name not in DECAYS) << self.count
            self.settings[self.numbers] = SETTINGS_BY_NAME.get(forms[0].name, -1)
            self.numbers += 1
        else:
            self.order[self.count] = self.arrays
            form = &self.forms[self.arrays]
            one = forms[len(forms) - 1]    # negative indices are not for a release, whose lists are not asked
            form.type = c"m" if "bool" in one.dtypes else c"f"
            form.dimensions, form.strided, form.written = len(one.letters), one.strided, one.written
            for n, letter in enumerate(one.letters):
                form.letters[n] = "BIOKN".index(letter)
            form.may_be = sum([1 << names.index(other) for other in one.may_be])
            if len(forms) == 2:
                self.labels = self.arrays
            self.arrays += 1
        self.count += 1
    return self


cdef object called(object callee, PyObject** args, size_t nargsf, PyObject* names):
    """The vectorcall of an entry."""
    cdef Entry self = <Entry> callee
    cdef Call call
    cdef Py_ssize_t given = PyVectorcall_NARGS(nargsf), n
    cdef object threads = None
    cdef int64_t* copied = NULL
    cdef int wrong
    call.kind, call.letter, call.labels, call.losses, call.result = self.kind, 0, NULL, NULL, 0
    call.numbers[0] = call.numbers[1] = 0
    call.count_of_numbers, call.settings = self.numbers, self.settings
    for n in range(LETTERS):
        call.sizes[n] = -1
    if names is not NULL or given < self.count or given > self.count + 1:
        return by_name(self, args, given, <object> names if names is not NULL else ())
    if given > self.count:
        threads = <object> args[self.count]
    for n in range(self.count):
        if self.order[n] < 0:
            call.numbers[-1 - self.order[n]] = number_of(self, n, <object> args[n])
        elif not take(self, &call, self.order[n], args[n]):
            raise refused(self, args, given)
    if not are_separate(self, &call):
        raise refused(self, args, given)
    cdef double operations = 0 if self.how & ALONE else 1 if self.how & PRODUCT else 8
    for n in range(LETTERS):
        if call.sizes[n] >= 0:
            operations = operations * call.sizes[n]
    call.threads = count_for(self, threads, operations)
    if self.how & MEAN and (call.sizes[B] == 0 or call.sizes[K] == 0):
        raise ValueError(
            f"{self.name}: {call.sizes[B]} rows of {call.sizes[K]}: an empty batch has no mean loss"
        )
    try:
        if self.how & MEAN:
            call.losses = <double*> malloc(call.sizes[B] * sizeof(double))
            if call.losses is NULL:
                raise MemoryError(f"no memory for the losses of {call.sizes[B]} rows")
        if call.labels is not NULL:
            copied = checked_copy(self, &call)
            call.labels = copied
        if operations < WORTH_THE_GIL:
            run(self, &call)
        else:
            with nogil:
                run(self, &call)
    finally:
        free(copied)
        free(call.losses)
    return call.result if self.how & RETURNS else None


cdef double number_of(Entry self, Py_ssize_t n, object value) except? -1:
    """The number that is argument n; one whose range its name decides is looked at by bpcore.errors."""
    if self.plain >> n & 1 and PyFloat_CheckExact(value):
        return PyFloat_AS_DOUBLE(value)
    return number(self.name, self.names[n], value)


cdef void run(Entry self, Call* call) noexcept nogil:
    cdef Py_ssize_t t
    if self.how & BY_ELEMENTS and call.threads > 1:
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
    if call.letter == c"f":
        self.single(call, 0)
    else:
        self.double_(call, 0)


cdef bint take(Entry self, Call* call, int n, PyObject* value) noexcept:
    """Look at an array and take its address; False if it is not what the entry wants."""
    cdef const PyArrayObject* array = <const PyArrayObject*> value
    cdef const Form* form = &self.forms[n]
    cdef int flags, type, dimensions, i
    cdef Py_ssize_t size
    if not PyObject_TypeCheck(<object> value, ARRAY):
        return False
    flags, type, dimensions = PyArray_FLAGS(array), PyArray_TYPE(array), PyArray_NDIM(array)
    if not flags & NPY_ARRAY_ALIGNED or not PyArray_ISNOTSWAPPED(array):
        return False
    if not (form.strided or flags & NPY_ARRAY_C_CONTIGUOUS) or form.written and not flags & NPY_ARRAY_WRITEABLE:
        return False
    if n == self.labels and dimensions == 1:
        if type != NPY_INT64 and type != NPY_LONGLONG:    # two names of one type on most systems
            return False
        call.labels, call.data[n] = <const int64_t*> PyArray_DATA(array), NULL
        return same_size(call, form.letters[0], PyArray_DIMS(array)[0])
    if dimensions != form.dimensions:
        return False
    if form.type == c"m":
        if type != NPY_BOOL and type != NPY_UBYTE:
            return False
    elif type == NPY_FLOAT or type == NPY_DOUBLE:
        if call.letter == 0:
            call.letter = c"f" if type == NPY_FLOAT else c"d"
        elif (call.letter == c"f") != (type == NPY_FLOAT):
            return False
    else:
        return False
    call.data[n], size = PyArray_DATA(array), bytes_of_number(call, form)
    for i in range(dimensions):
        call.strides[n][i] = PyArray_STRIDES(array)[i] // size
        if not same_size(call, form.letters[i], PyArray_DIMS(array)[i]):
            return False
    return True


cdef bint same_size(Call* call, int letter, Py_ssize_t size) noexcept:
    """Whether a letter stands for one size in all arrays."""
    if call.sizes[letter] == -1:
        call.sizes[letter] = size
    return call.sizes[letter] == size


cdef Py_ssize_t bytes_of_number(const Call* call, const Form* form) noexcept:
    return 1 if form.type == c"m" else 4 if call.letter == c"f" else 8


cdef Span span_of(Entry self, const Call* call, int n) noexcept:
    """The memory of an array that lies without gaps."""
    cdef const Form* form = &self.forms[n]
    cdef Py_ssize_t size = call.sizes[form.letters[0]]
    if n == self.labels and call.labels is not NULL:
        return span(call.labels, size * 8)
    if form.dimensions == 2:
        size = size * call.sizes[form.letters[1]]
    return span(call.data[n], size * bytes_of_number(call, form))


cdef bint are_separate(Entry self, const Call* call) noexcept:
    """Whether what is written shares no memory with anything else, but for an array that it may be itself."""
    cdef Span written, other
    cdef int n, m
    for n in range(self.arrays):
        if not self.forms[n].written:
            continue
        written = span_of(self, call, n)
        for m in range(self.arrays):
            if m == n:
                continue
            if self.forms[m].strided:
                if meets_strided(written, call, m, &self.forms[m]):
                    return False
                continue
            other = span_of(self, call, m)
            if meet(written, other) and not (
                is_same(written, other) and (self.forms[n].may_be >> m & 1 or self.forms[m].may_be >> n & 1)
            ):
                return False
    return True


cdef bint meets_strided(Span out, const Call* call, int n, const Form* form) noexcept:
    """Whether a matrix of any strides overlaps `out`, and is not it."""
    cdef Py_ssize_t rows = call.sizes[form.letters[0]], columns = call.sizes[form.letters[1]], r, o
    cdef Py_ssize_t size = bytes_of_number(call, form)
    cdef Py_ssize_t row = call.strides[n][0] * size, column = call.strides[n][1] * size
    cdef Py_ssize_t down = row * (rows - 1), along = column * (columns - 1)
    cdef const char* first = <const char*> call.data[n]
    if out.first == out.end or not meet(
        out, Span(first + min(down, 0) + min(along, 0), first + max(down, 0) + max(along, 0) + size)
    ):
        return False
    # Of one row or column the stride says nothing.
    if first == out.first and (columns == 1 or column == size) and (rows == 1 or row == columns * size):
        return False
    for r in range(rows):
        for o in range(columns):
            if meet(out, span(first + r * row + o * column, size)):
                return True
    return False


cdef int64_t* checked_copy(Entry self, Call* call) except NULL:
    """The labels, which somebody else may change, checked in a copy, for the caller to free."""
    cdef Py_ssize_t rows = call.sizes[B], r
    cdef int64_t* copied = <int64_t*> malloc(rows * sizeof(int64_t) + 1)
    if copied is NULL:
        raise MemoryError(f"no memory for {rows} labels")
    r = draw_labels(call.labels, NULL, rows, call.sizes[K], copied)
    if r < rows:
        label = copied[r]
        free(copied)
        raise ValueError(f"{self.name}: t[{r}] is {label}, wanted a label from 0 to {call.sizes[K] - 1}")
    return copied


cdef int count_for(Entry self, object threads, double operations) except -1:
    """How many threads to use; asks only when the work is worth it or the caller said a number."""
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
    cdef bint may_give_way = threads is None and operations < FEWER_THREADS_MAX_OPERATIONS
    with nogil:
        number = bp_place_team(number, may_give_way)
    return number


cdef tuple given_of(PyObject** args, Py_ssize_t count):
    return tuple([<object> args[n] for n in range(count)])


cdef object by_name(Entry self, PyObject** args, Py_ssize_t given, tuple names):
    """A call with keywords, or with too few or too many arguments."""
    places = given_of(args, given)
    keywords = {name: <object> args[given + n] for n, name in enumerate(names)}
    return self(*bind(self, places, keywords).args)


cdef object refused(Entry self, PyObject** args, Py_ssize_t given):
    """The error of a wrong call, which names the argument."""
    explain(self, given_of(args, given))
    return ValueError(f"{self.name}: the arguments do not fit each other")


cdef int make_callable() except -1:
    """Have Python call an entry by `called`, without a tuple or a dict of the arguments."""
    cdef Entry one = Entry.__new__(Entry)
    cdef PyTypeObject* type = <PyTypeObject*> <PyObject*> Entry
    type.tp_vectorcall_offset = <char*> &one.call - <char*> <PyObject*> one
    type.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL
    type.tp_call = <void*> PyVectorcall_Call
    PyType_Modified(Entry)
    return 0


make_callable()
