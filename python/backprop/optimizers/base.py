"""What all update rules share: checked settings, state, one step on any mapping of arrays; and their registry."""

from collections import deque
from collections.abc import Callable, Mapping
from inspect import unwrap
from itertools import starmap
from operator import call, setitem
from typing import Any, ClassVar, Protocol
from weakref import ref

import numpy as np

from backprop._util.arrays import Array
from backprop._util.names import AVAILABLE, SuggestsNames, did_you_mean
from backprop._util.other_libraries.arguments import ARGUMENTS, SAME, VALUES
from backprop._util.settings import Check, non_negative, state_mapping, step_count
from backprop.optimizers.checks import checked_state, moved, pair, require_separate
from backprop.optimizers.limits import LIMITS, Limits, within_norm
from bpcore import kernels
from bpcore.plan import RULES as COMPILED_RULES
from bpcore.plan import Plan, Update, are_values

# A function and its arguments.
Call = tuple[Any, ...]
ATTRIBUTES: dict[str, Check] = {"steps": step_count, "state": state_mapping}
OFF: dict[str, Any] = dict(l1=0.0, clip_value=None, clip_norm=None, max_norm=None, decay_biases=False)
# What makes an optimizer with its defaults, by the name that `fit` takes.
RULES: dict[str, "Callable[..., UpdateRule]"] = {}


class Optimizer(Protocol):
    """Anything with `update(params, grads)`."""

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Change each array of `params` in place by its gradient in `grads`."""


class UpdateRule(SuggestsNames):
    """An optimizer whose rule is compiled. A class with a `kind` in its own body registers itself under that name.

    Attributes
    ----------
    kind : str
    settings : dict of str to callable
        The constructor's arguments, each with what checks a value of it: those of `Limits` too.
    state_size : int
        How many arrays it keeps for each parameter.
    lr : float
        Learning rate. It may be changed between steps, as every other setting may; all are checked then too.
    steps : int
        Steps taken so far.
    state : dict of str to tuple of ndarray
        What the rule keeps for each parameter, in the parameter's shape and type; see the rule.
    """

    kind: ClassVar[str]
    settings: ClassVar[dict[str, Check]] = {}
    state_size: int
    _table = "OF_OPTIMIZER"
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if kind := vars(cls).get("kind"):
            cls.settings = {**cls.settings, "weight_decay": non_negative, **LIMITS}
            constructor: Any = unwrap(cls.__init__)
            arguments = constructor.__code__.co_varnames[1 : constructor.__code__.co_argcount]
            cls._defaults = dict(zip(arguments, constructor.__defaults__, strict=True))
            register(kind, cls)

    weight_decay: float
    l1: float
    clip_value: float | None
    clip_norm: float | None
    max_norm: float | None
    decay_biases: bool

    def __init__(self, limits: Limits, **settings: Any) -> None:
        for name, value in {**OFF, **settings, **limits}.items():
            setattr(self, name, value)
        self.steps = 0
        self.state: dict[str, tuple[Array, ...]] = {}
        self._bound: tuple[ref[object], list[Any], list[Any], int] | None = None
        self._update: Update | None = None  # what a plan reads

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value if name.startswith("_") else self._checked(name, value))

    def _checked(self, name: str, value: Any) -> Any:
        """`value` as the attribute `name` takes it."""
        cls = type(self)
        if callable(getattr(cls, name, None)):
            raise AttributeError(f"{cls.__name__}.{name} is a method; override it in a subclass")
        if name in ATTRIBUTES:
            return ATTRIBUTES[name](cls.__name__, name, value)
        if name in self.settings:
            value = self.settings[name](cls.__name__, name, value)
            self._require_together(**{name: value})
        elif "kind" in vars(cls):  # a class that inherits may have attributes of its own
            hint = did_you_mean(name, self.settings, instead=ARGUMENTS, same=SAME)
            hint = hint or f"; it has {', '.join(self.settings)}"
            raise AttributeError(f"{cls.__name__} has no attribute {name!r}{hint}", name=name, obj=None)
        return value

    def _require_together(self, **new: Any) -> None:
        """Raise where settings, some of which get these values, do not go together."""
        clip_value, clip_norm = (new.get(name, vars(self).get(name)) for name in ("clip_value", "clip_norm"))
        if clip_value is not None and clip_norm is not None:
            raise ValueError(
                f"{type(self).__name__}: clip_value is {clip_value:g}, clip_norm is {clip_norm:g}; "
                "wanted one of the two"
            )

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Take one step: move `params[key]` by `grads[key]` for every key of `grads`.

        All is looked at first: a call that raises has moved nothing. Where Ctrl-C interrupts it, the step is taken and
        counted, or neither.

        Parameters
        ----------
        params : mapping of str to ndarray
            float32 or float64, in any layout. What stands under two names, as weights that two layers share, is moved
            for each of them. In place of an array there may be a float, which is replaced by another.
        grads : mapping of str to array
            Real numbers in the parameters' shapes.

        Raises
        ------
        KeyError
            There is a gradient of no parameter.
        TypeError
            A parameter is no array of float32 or float64, a gradient is complex or no array of numbers.
        ValueError
            A shape differs, a parameter is read-only, a gradient shares memory with a parameter, a setting or the
            state is not what it can be.
        """
        perform(self.calls(params, grads))

    def calls(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> list[Call]:
        """What `update` calls: the first counts the step, the others are independent of it; all has been looked at."""
        owner = f"{type(self).__name__}.update"
        self.require_settings()
        pairs = {key: pair(owner, params, key, grad) for key, grad in grads.items()}
        state = {key: self._state_of(key, w) for key, (w, _) in pairs.items()}
        ws, gs = ({key: both[n] for key, both in pairs.items()} for n in range(2))
        require_separate(owner, ws, gs, state)
        gs = gs if self.clip_norm is None else within_norm(gs, self.clip_norm)
        calls: list[Call] = [(setitem, vars(self), "steps", self.steps + 1)]
        if self.state_size:
            calls.append((self.state.update, state))
        limits: list[Call] = []
        for key, w in ws.items():
            # Elsewhere than in one run of memory, the parameter is moved in a copy.
            in_place = w.flags.c_contiguous and w.flags.aligned
            run = w if in_place else np.empty(w.shape, w.dtype)
            there, back = ([], []) if in_place else ([(setitem, run, ..., w)], [(setitem, w, ..., run)])
            calls += [*there, self.call_to_move(run, gs[key], state[key]), *back]
            if self.max_norm is not None and run.ndim == 2:
                limits += [*there, (kernels.limit_columns, run, self.max_norm), *back]
            if not isinstance(params[key], np.ndarray):
                calls.append((moved, params, key, w))
        # Behind all moves: two layers may share a weight.
        return calls + limits

    def call_to_move(self, run: Array, g: Array, state: tuple[Array, ...]) -> tuple[Any, ...]:
        """The call that moves a parameter, which is one run of memory."""
        rule, values = self.compiled()
        kernel = getattr(kernels, f"{rule}_update")
        named = {**dict(zip(COMPILED_RULES[rule], values, strict=True)), "step": self.steps + 1}
        if run.ndim < 2 and not self.decay_biases:
            named.update(weight_decay=0.0, l1=0.0)
        numbers = [named[name] for name in kernel.__signature__.parameters if name in named]
        return kernel, *(np.asarray(array).reshape(-1) for array in (run, g, *state)), *numbers

    def compiled(self) -> tuple[str, tuple[float, ...]]:
        """The compiled rule and the settings that it reads, in the order in which its kernel takes them."""
        rule, own = self._rule()
        return rule, (*own, self.weight_decay, self.l1, self.clip_value or 0.0)

    def _rule(self) -> tuple[str, tuple[float, ...]]:
        """The compiled rule and the settings of its own."""
        raise NotImplementedError("a rule says which kernel runs it")

    def plan_update(self) -> Update:
        """The rule, its settings and the number of the next step, as a plan takes them."""
        update = self._update
        if update is None or not update.is_of(vars(self)):
            self.require_settings()
            # A user's class may have a rule, or settings, that change from step to step.
            ours = "kind" in vars(type(self))
            made_of = {name: getattr(self, name) for name in self.settings} if ours else None
            update = Update(
                *self.compiled(), self.clip_norm or 0.0, self.max_norm or 0.0, self.decay_biases, made_of
            )
            vars(self)["_update"] = update
        update.step = self.steps + 1
        return update

    def tied_update(self, plan: Plan) -> Update | None:
        """`plan_update`, which from now on knows the state that `plan` takes; None where that is to be made anew."""
        state = self.bound_state(plan)
        if state is None and self.state_size:
            return None
        update = self.plan_update()
        update.tie(plan, state, self.state)
        return update

    def state_for(self, plan: object, params: Mapping[str, Array]) -> list[Any] | None:
        """The state as `plan`, the plan or the segments of the network whose parameters these are, takes it."""
        if self.state_size == 0:
            return None
        bound = self.bound_state(plan)
        if bound is None:
            self.require_match(params)
            self.state.update({key: self._state_of(key, w) for key, w in params.items()})
            bound = [self.state[key] for key in params]
            # By a weak reference: an optimizer may outlive the network, whose plan has a large workspace.
            self._bound = ref(plan), bound, list(self.state.values()), self.state_size
        return bound

    def bound_state(self, plan: object) -> list[Any] | None:
        """What `state_for` of this plan has made; None where it would make it anew."""
        # The same arrays as when they were bound, and not others that came in their place.
        made = self._bound
        if made is None or made[0]() is not plan or made[3] != self.state_size:
            return None
        if not are_values(self.state, made[2]):
            return None
        return made[1]

    def require_settings(self) -> None:
        """Raise if a setting or the state is not what it can be: `vars` and pickles go past `__setattr__`."""
        owner = type(self).__name__
        for checks in (self.settings, ATTRIBUTES):
            for name, check in checks.items():
                check(owner, name, getattr(self, name))
        self._require_together()

    def require_match(self, params: Mapping[str, Array]) -> None:
        """Raise if a setting is wrong, or the state is that of parameters of other shapes or types."""
        self.require_settings()
        state = {key: self._state_of(key, w) for key, w in params.items() if key in self.state}
        require_separate(type(self).__name__, params, {}, state)

    def _state_of(self, key: str, w: Array) -> tuple[Array, ...]:
        """The state of a parameter; zeros before its first step."""
        if not self.state_size:
            return ()
        if key not in self.state:
            return tuple(np.zeros(w.shape, dtype=w.dtype) for _ in range(self.state_size))
        return checked_state(type(self).__name__, key, w, self.state[key], self.state_size)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out of copies and pickles what belongs to a plan."""
        return self.__dict__ | {"_bound": None, "_update": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what a copy or a pickle has, if it can be."""
        # What came later has its default.
        vars(self).update({**OFF, **self._defaults, **state})
        self.require_settings()

    def __repr__(self) -> str:
        values = {name: getattr(self, name) for name in self.settings}
        # What is off by default is shown where it is on.
        shown = [
            f"{name}={_text(value)}" for name, value in values.items() if value or self._defaults.get(name)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


def perform(calls: list[Call]) -> None:
    """Make the calls of a step: all of them or, where Ctrl-C interrupts them before the first, none."""
    # In one call, since the handler of a signal runs between two of Python's and may raise. So it does before a
    # kernel's work, where the kernel asks how many threads to use: what was not moved then is moved all the same.
    done: list[object] = []
    try:
        done.extend(starmap(call, calls))
    finally:
        if len(done) < len(calls):
            deque(starmap(call, calls[len(done) :]), maxlen=0)


def _text(value: Any) -> str:
    return f"{value:g}" if type(value) is float else str(value)


def register(kind: str, rule: Callable[..., UpdateRule]) -> None:
    """Let a name stand for what makes an optimizer."""
    RULES[kind] = rule
    AVAILABLE["rules"].append(rule.__name__)


def chosen_optimizer(owner: str, optimizer: Any, names: bool = True) -> Optimizer:
    """An optimizer, or the one of a name with its defaults; raises for anything else.

    Where a call takes one step, a name would begin anew at each: it is refused without `names`.
    """
    if isinstance(optimizer, str) and names:
        if optimizer.lower() not in RULES:
            hint = did_you_mean(optimizer, RULES, instead=VALUES["optimizer"], same=SAME)
            raise ValueError(
                f"{owner}: optimizer is {optimizer!r}, wanted an optimizer, such as SGD(0.1), or one of "
                f"{', '.join(map(repr, RULES))}{hint}"
            )
        return RULES[optimizer.lower()]()
    if isinstance(optimizer, type):
        raise TypeError(
            f"{owner}: optimizer is the class {optimizer.__name__}, wanted an instance, such as {optimizer.__name__}()"
        )
    if not callable(getattr(optimizer, "update", None)):
        raise TypeError(
            f"{owner}: optimizer is {optimizer!r}, wanted an optimizer, such as SGD(0.1), an object with "
            "update(params, grads)"
        )
    found: Optimizer = optimizer
    return found
