"""Count the circles of imports in `python/backprop`: `python -m tools.import_cycles` prints them, and 0 without one.

Imports of every kind count: at the top of a module, inside functions, and under TYPE_CHECKING. Left out are the imports
that `[tool.importlinter]` in pyproject.toml names as conveniences. `from package import module` imports that module;
that it runs the package's `__init__` first does not count, or every package would be a circle.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "python"
PACKAGE = "backprop"

Graph = dict[str, set[str]]


def modules(source: Path = SOURCE, package: str = PACKAGE) -> dict[str, Path]:
    """Every module of the package by its name."""
    found = {}
    for path in (source / package).rglob("*.py"):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of the package that a module imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(
                    f"{name} has a relative import in line {node.lineno}, wanted an absolute one"
                )
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in known or node.module in known:
                    yield inner if inner in known else str(node.module)


def conveniences(settings: Path = ROOT / "pyproject.toml") -> set[tuple[str, str]]:
    """The imports that may go back, as the contract names them."""
    contracts = tomllib.loads(settings.read_text())["tool"]["importlinter"]["contracts"]
    lines = [line for contract in contracts for line in contract.get("ignore_imports", ())]
    return {(line.split(" -> ")[0], line.split(" -> ")[1]) for line in lines}


def graph_of(known: dict[str, Path], left_out: set[tuple[str, str]]) -> Graph:
    """What each module imports."""
    return {
        name: {one for one in imports(name, path, known) if one != name and (name, one) not in left_out}
        for name, path in known.items()
    }


def circles(graph: Graph) -> list[list[str]]:
    """The sets of modules that all lead to each other (Tarjan 1972), each sorted."""
    found: list[list[str]] = []
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        path.append(name)
        for one in sorted(graph[name]):
            if one not in number:
                visit(one)
            if one in path:
                lowest[name] = min(lowest[name], lowest[one])
        if lowest[name] == number[name]:
            group = path[path.index(name) :]
            del path[path.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(graph):
        if name not in number:
            visit(name)
    return found


def main() -> int:
    """Print the circles and how many there are; exit status 1 if there is one, or a convenience that is not needed."""
    known, left_out = modules(), conveniences()
    everything = graph_of(known, set())
    unused = [f"{one} -> {other}" for one, other in sorted(left_out) if other not in everything.get(one, ())]
    found = circles(graph_of(known, left_out))
    for group in found:
        print(" ".join(group))
    for line in unused:
        print(f"{line} is named as a convenience, and is not there")
    print(len(found))
    return 1 if found or unused else 0


if __name__ == "__main__":
    sys.exit(main())
