# A rule of updates.pxd with its settings, which an optimizer of backprop keeps and a plan reads.

cdef class Update:
    """A rule and its settings.

    Parameters
    ----------
    rule : a key of RULES
    numbers : tuple of float
        The settings that the rule reads, in the order in which its kernel, `{rule}_update`, takes them.

    Attributes
    ----------
    rule : str
    step : int
        The number of the next step, from 1.
    states : int
        How many arrays the rule keeps of each parameter, in its shape and type.
    """

    cdef UpdateSettings settings

    def __cinit__(self, str rule, tuple numbers):
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
