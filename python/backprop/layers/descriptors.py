"""Attributes of layers that look at what is assigned to them; reading costs nothing, for there is no `__get__`."""

from typing import Any, NoReturn

from backprop._util.arrays import parameter
from backprop._util.settings import Check


class Parameter:
    """A parameter, checked when it is assigned, and kept in the layer's `__dict__` under its own name.

    A class that computes something else than the layer may keep something else there.
    """

    def __init__(self, ndim: int) -> None:
        self._ndim = ndim

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __set__(self, layer: Any, value: Any) -> None:
        if type(layer).kind:
            parameter(self._owner.__name__, self._name, value, self._ndim)
        vars(layer)[self._name] = value


class Option:
    """An argument of the constructor, checked when it is assigned, and kept likewise."""

    def __init__(self, check: Check) -> None:
        self._check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __set__(self, layer: Any, value: Any) -> None:
        vars(layer)[self._name] = self.checked(value)

    def checked(self, value: Any) -> Any:
        """`value` as it is kept, or an error."""
        return self._check(self._owner.__name__, self._name, value)


class OtherName:
    """A name that other libraries have for an attribute; a class that inherits may use it as it likes."""

    def __init__(self, here: str) -> None:
        self._here = here

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __get__(self, layer: Any, kind: type) -> Any:
        if layer is None or self._name not in vars(layer):
            self._refuse(layer)
        return vars(layer)[self._name]

    def __set__(self, layer: Any, value: Any) -> None:
        if "kind" in vars(type(layer)):
            self._refuse(layer)
        vars(layer)[self._name] = value

    def _refuse(self, layer: Any) -> NoReturn:
        raise AttributeError(
            f"{self._owner.__name__} has no attribute {self._name!r}; did you mean {self._here!r}?",
            name=self._name,
            obj=None,
        )
