"""How layers and nodes show themselves: by their class, and in notebooks with what they hold."""

from backprop._names import Answers


class Shown(Answers):
    """Something with attributes that a reader knows; those that begin with an underscore are its own."""

    _table = "OF_LAYER"

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_html_(self) -> str:
        from backprop._html import of_layer

        return of_layer(self)
