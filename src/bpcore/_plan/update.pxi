# A rule of updates.pxd with its settings, which an optimizer of backprop keeps and a plan reads.

cdef double INFINITY = float("inf")
# Settings of these types stay what they are; a tuple has numbers alone.
cdef frozenset FIXED = frozenset((bool, float, int, tuple, type(None)))


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
    states : int
        How many arrays the rule keeps of each parameter, in its shape and type.
    """

    cdef UpdateSettings settings
    cdef dict made_of

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
        self.made_of = made_of

    def is_of(self, dict settings not None):
        """Whether the very objects that it was made of stand in a dict, and none of them can have changed."""
        if self.made_of is None:
            return False
        for name, value in self.made_of.items():
            if type(value) not in FIXED or PyDict_GetItemWithError(settings, name) != <PyObject*> value:
                return False
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
