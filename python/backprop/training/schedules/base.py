"""What all schedules share: checked settings, copies for runs, and their registry."""

import copy
from collections.abc import Callable, Mapping
from inspect import unwrap
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from backprop._util.names import NEAR, SuggestsNames, did_you_mean
from backprop._util.other_libraries.arguments import ARGUMENTS, SAME, VALUES
from backprop._util.settings import MOST_STEPS, Check, positive, step_count
from backprop.training.schedules.arithmetic import Floats

Integers = NDArray[np.int64]
# Schedules by the name that `fit` takes.
SCHEDULES: dict[str, "type[Schedule]"] = {}
# No optimizer takes a rate of 0; this is the least normal number, with which nothing moves.
LEAST = 2.2250738585072014e-308


def length(owner: str, name: str, value: Any) -> int:
    """A whole number of at least 1."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or not 1 <= value < MOST_STEPS:
        raise ValueError(f"{owner}: {name} is {value!r}, wanted a whole number of at least 1 and below 2**62")
    return int(value)


def one_of(*names: str) -> Check:
    """A check for one of some texts."""

    def check(owner: str, name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            hint = did_you_mean(value, names)
            raise ValueError(f"{owner}: {name} is {value!r}, wanted {' or '.join(map(repr, names))}{hint}")
        return str(value)

    return check


class Schedule(SuggestsNames):
    """A learning-rate schedule. A class with a `kind` in its own body registers itself under that name.

    Attributes
    ----------
    kind : str
    settings : dict of str to callable
        The constructor's arguments, each with what checks a value of it, whenever one is assigned.
    """

    kind: ClassVar[str]
    settings: ClassVar[dict[str, Check]] = {}
    _table = "OF_SCHEDULE"
    _defaults: ClassVar[dict[str, Any]] = {}
    _initial: ClassVar[dict[str, float | int]] = {}
    _state_checks: ClassVar[dict[str, Check]] = {}

    per: str
    _run: tuple[int, int] | None
    _state: dict[str, float | int]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if kind := vars(cls).get("kind"):
            code, defaults = (constructor := unwrap(cls.__init__)).__code__, constructor.__defaults__ or ()
            arguments = code.co_varnames[1 : code.co_argcount]
            cls._defaults = dict(zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True))
            SCHEDULES[kind] = cls

    def __init__(self, **settings: Any) -> None:
        self._run, self._state = None, dict(self._initial)
        for name, value in settings.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        cls = type(self)
        if name in self.settings:
            value = self.settings[name](cls.__name__, name, value)
        elif not name.startswith("_") and name != "state" and "kind" in vars(cls):
            hint = did_you_mean(name, self.settings, instead=ARGUMENTS, same=SAME)
            hint = hint or f"; it has {', '.join(self.settings) or 'no settings'}"
            raise AttributeError(f"{cls.__name__} has no attribute {name!r}{hint}", name=name, obj=None)
        super().__setattr__(name, value)

    def begin(self, steps_an_epoch: int, steps: int) -> Self:
        """Return a copy for one run, which has observed nothing.

        Parameters
        ----------
        steps_an_epoch : int
        steps : int
            Of the whole run.

        Raises
        ------
        ValueError
            One of them is no whole number of at least 1.
        """
        owner = f"{type(self).__name__}.begin"
        run = length(owner, "steps_an_epoch", steps_an_epoch), length(owner, "steps", steps)
        begun = copy.copy(self)
        begun._run, begun._state = run, dict(self._initial)
        return begun

    def rates(self, base: float, first: int, count: int) -> Floats:
        """Return the learning rates of some steps of the run.

        Parameters
        ----------
        base : float
            The rate that the optimizer had when the run began.
        first : int
            The first of the steps, from 0.
        count : int
            How many.

        Returns
        -------
        ndarray of shape (count,)
            float64, positive: 2.2e-308 at least, by which nothing moves, since optimizers take no rate of 0.

        Raises
        ------
        RuntimeError
            It is not what `begin` returned.
        ValueError
            The run has no such steps, the base is no positive number, or a rate is not finite.
        """
        owner = f"{type(self).__name__}.rates"
        steps = self._begun(owner)[1]
        base, first = positive(owner, "base", base), step_count(owner, "first", first)
        count = step_count(owner, "count", count)
        if first + count > steps:
            raise ValueError(
                f"{owner}: first is {first}, count is {count}, wanted steps of the run, which has {steps}"
            )
        with np.errstate(all="ignore"):
            found = self._over(base, np.arange(first, first + count, dtype=np.int64))
        if not np.isfinite(found).all():
            n = int(np.isfinite(found).argmin())
            raise ValueError(f"{owner}: the rate of step {first + n} is {found[n]}, wanted a finite number")
        return np.maximum(found, LEAST)

    def observe(self, step: int, value: float) -> None:
        """Take note of the monitored number after an evaluation; only `Plateau` uses it.

        Parameters
        ----------
        step : int
            How many steps of the run have been taken.
        value : float
        """
        owner = f"{type(self).__name__}.observe"
        self._begun(owner)
        self._note(step_count(owner, "step", step), float(value))

    @property
    def state(self) -> dict[str, float | int]:
        """What has changed since the run began, as plain numbers; only `Plateau` has anything.

        What `begin` returned takes it from a checkpoint. A state that is no such mapping raises TypeError, one of other
        names or numbers ValueError, and the state stays as it is.
        """
        return dict(self._state)

    @state.setter
    def state(self, value: Mapping[str, float | int]) -> None:
        owner = type(self).__name__
        self._begun(f"{owner}.state")
        if not isinstance(value, Mapping):
            raise TypeError(f"{owner}: state is a {type(value).__name__}, wanted a dict of names to numbers")
        if not self._initial.keys() <= value.keys() <= self._state_checks.keys():
            had, wanted = (", ".join(map(str, names)) or "nothing" for names in (value, self._state_checks))
            raise ValueError(f"{owner}: state has {had}, wanted {wanted}")
        self._state = {
            name: self._state_checks[name](owner, f"state[{name!r}]", one) for name, one in value.items()
        }

    def settings_of(self) -> dict[str, Any]:
        """Return `kind` and all settings as plain values; a schedule within it is a dict of its own."""
        return {"kind": self.kind, **{name: _plain(getattr(self, name)) for name in self.settings}}

    def _begun(self, owner: str) -> tuple[int, int]:
        """Steps an epoch and steps of the run."""
        if self._run is None:
            raise RuntimeError(
                f"{owner}: no run has begun; it is asked of what begin(steps_an_epoch, steps) returns"
            )
        return self._run

    def _unit(self) -> int:
        """How many steps a unit of the lengths has."""
        return self._begun(type(self).__name__)[0] if self.per == "epoch" else 1

    def _units(self) -> int:
        """How many units the run has; the last may be a part of an epoch."""
        return -(-self._begun(type(self).__name__)[1] // self._unit())

    def _over(self, base: float, steps: Integers) -> Floats:
        """The rates of steps."""
        return self._at(base, steps // self._unit())

    def _at(self, base: float, n: Integers) -> Floats:
        """The rates of units."""
        raise NotImplementedError("a schedule says its rates")

    def _note(self, step: int, value: float) -> None:
        """Take note of a number that was observed."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what a copy or a pickle has, if it can be; what came later has its default."""
        vars(self).update({**self._defaults, **state})
        for name in self.settings:
            setattr(self, name, getattr(self, name))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # settings may change

    def __repr__(self) -> str:
        values = {name: getattr(self, name) for name in self.settings}
        shown = [
            f"{name}={getattr(value, '__qualname__', None) or repr(value)}"
            for name, value in values.items()
            if name not in self._defaults or value != self._defaults[name]
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


def _plain(value: Any) -> Any:
    if isinstance(value, Schedule):
        return value.settings_of()
    return getattr(value, "__qualname__", type(value).__name__) if callable(value) else value


def schedule_of(
    schedule: Schedule | str | Mapping[str, Any] | Callable[[int], float], owner: str = "schedule_of"
) -> Schedule:
    """Return a schedule as it is, that of a name with its defaults or of `settings_of`, or `Lambda` of a function.

    Parameters
    ----------
    schedule : Schedule, str, mapping or callable
    owner : str
        What an error begins with.

    Raises
    ------
    TypeError
        It is none of these.
    ValueError
        There is no such name, or a setting is wrong.

    Examples
    --------
    >>> bp.schedules.schedule_of("cosine")
    Cosine()
    """
    if isinstance(schedule, (str, Mapping)):
        settings = {} if isinstance(schedule, str) else dict(schedule)
        kind = schedule if isinstance(schedule, str) else settings.pop("kind", None)
        known = [one for one in SCHEDULES if settings or one != "lambda"]
        if str(kind).lower() not in known:
            hint = did_you_mean(kind, known, NEAR, VALUES["schedule"], SAME)
            raise ValueError(
                f"{owner}: schedule is {kind!r}, wanted a schedule, such as Cosine(), or one of "
                f"{', '.join(map(repr, known))}{hint}"
            )
        return SCHEDULES[str(kind).lower()](**settings)
    if isinstance(schedule, type):
        raise TypeError(
            f"{owner}: schedule is the class {schedule.__name__}, wanted an instance, such as {schedule.__name__}()"
        )
    if isinstance(schedule, Schedule):
        return schedule
    if callable(schedule):
        return SCHEDULES["lambda"](schedule)  # type: ignore[call-arg]  # which takes a function
    raise TypeError(
        f"{owner}: schedule is {schedule!r}, wanted a schedule, such as Cosine(), a name, or a function f(step)"
    )
