# A rule of updates.pxd with its settings, which an optimizer of backprop keeps and a plan reads.

cdef double INFINITY = float("inf")
# Settings of these types stay what they are; a tuple has numbers alone.
cdef frozenset FIXED = frozenset((bool, float, int, tuple, type(None)))


cdef const double* rates_of(rates, Py_ssize_t steps) except? NULL:
    """The learning rates of so many steps, each looked at; NULL of None."""
    cdef const double* found
    cdef Py_ssize_t n
    if rates is None:
        return NULL
    found = <const double*> array_data(rates, "rates", c"d", 1, False)
    if len(rates) != steps:
        raise ValueError(f"Plan: {len(rates)} rates for {steps} steps")
    for n in range(steps):
        if not 0 <= found[n] < INFINITY:
            raise ValueError(f"Plan: rates[{n}] is {found[n]}, wanted a finite number of at least 0")
    return found


cdef class Update:
    """A rule and its settings.

    Parameters
    ----------
    rule : a key of RULES
    numbers : tuple of float
        The settings that the rule reads, in the order in which its kernel, `{rule}_update`, takes them.
    clip_norm, max_norm : float, default 0
        The limits of limits.pxd; 0 where there is none.
    decays_vectors : bool, default False
        Whether weight decay and L1 also act on biases and on the parameters of normalisations.
    made_of : mapping, optional
        Settings by name, from which the numbers were taken; `is_of` compares with them.

    Attributes
    ----------
    rule : str
    step : int
        The number of the next step, from 1.
    state : list of tuple of ndarray, or None
        What `tie` was given.
    states : int
        How many arrays the rule keeps of each parameter, in its shape and type.
    """

    cdef UpdateSettings settings
    cdef tuple names, objects       # the settings that it was made of, and what they were
    cdef object tied_to             # a weak reference: an optimizer may outlive the network, whose plan is large
    cdef list values
    cdef readonly list state

    def __cinit__(
        self, str rule, tuple numbers, double clip_norm=0, double max_norm=0, bint decays_vectors=False,
        dict made_of=None,
    ):
        if rule not in RULES:
            raise ValueError(f"the rule is {rule!r}, wanted one of {', '.join(RULES)}")
        names = RULES[rule]
        if len(numbers) != len(names):
            raise ValueError(f"{rule} has the settings {numbers!r}, wanted {', '.join(names)}")
        self.settings = no_update()
        self.settings.rule = <Rule> <int> list(RULES).index(rule)
        for (name, interval), number in zip(names.items(), numbers):
            if interval is not None and number not in interval:
                raise ValueError(f"{name} is {number}, wanted {interval}")
            (&self.settings.lr)[<int> SETTINGS[name]] = number
        for name, number in (("clip_norm", clip_norm), ("max_norm", max_norm)):
            if not 0 <= number < INFINITY:
                raise ValueError(f"{name} is {number}, wanted a finite number of at least 0")
        self.settings.clip_norm, self.settings.max_norm = clip_norm, max_norm
        self.settings.decays_vectors = decays_vectors
        if made_of is not None and all(type(value) in FIXED for value in made_of.values()):
            self.names, self.objects = tuple(made_of), tuple(made_of.values())

    cpdef bint is_of(self, dict settings) except -1:
        """Whether the very objects that it was made of stand in a dict, and none of them can have changed."""
        cdef Py_ssize_t n
        if self.names is None:
            return False
        for n in range(len(self.names)):
            if PyDict_GetItemWithError(settings, self.names[n]) != <PyObject*> self.objects[n]:
                return False
        return True

    def tie(self, plan, list state, dict entries not None):
        """Remember that an optimizer, which keeps `entries`, gives `plan` this state, as `Plan.step` takes it."""
        self.tied_to, self.state, self.values = ref(plan), state, list(entries.values())

    def renew(self, plan, dict attributes not None):
        """Whether an optimizer's attributes are what it was made of, and tied to this plan with.

        `step` is then the number of the optimizer's next step.
        """
        if self.tied_to is None or self.tied_to() is not plan or not self.is_of(attributes):
            return False
        if self.state is not None and not are_values(attributes["state"], self.values):
            return False
        self.step = attributes["steps"] + 1
        return True

    @property
    def rule(self):
        return rule_name(self.settings.rule).decode()

    @property
    def step(self):
        return self.settings.step

    @step.setter
    def step(self, int64_t step):
        if step < 1:
            raise ValueError(f"step is {step}, wanted at least 1")
        self.settings.step = step

    @property
    def states(self):
        return states_of(self.settings.rule)
