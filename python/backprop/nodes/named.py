"""What a node without settings calls itself."""


class Named:
    """Shown as its class."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
