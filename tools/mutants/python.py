"""The parts of a Python file that faults are planted in, and which statements can be left out.

Beside the faults that all languages share: `in` for `not in`, a condition that is a name or a call negated, and the
bounds of a slice off by one. Untouched are what says there is something (imports, types, decorators, the heads of
functions but for defaults), assertions, and what an error says: strings, and all that stands behind `raise`.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from tools.mutants.operators import Edit, addition_behind, edits
from tools.mutants.statements import can_go, empty, statements
from tools.mutants.tokens import CYTHON, Token, scan

Span = tuple[int, int]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DECLARED = (ast.Import, ast.ImportFrom, ast.Assert)
# Conditions that no other fault is planted in.
PLAIN = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)


class Source:
    """A file's text, its syntax tree, and where the nodes of it stand in the text."""

    def __init__(self, text: str):
        self.text, self.tree = text, ast.parse(text)
        self.lines = text.splitlines(keepends=True)
        self.starts = [0, *accumulate(map(len, self.lines))]
        self.nodes = list(ast.walk(self.tree))

    def at(self, line: int, column: int) -> int:
        """The index of a place; columns are counted in bytes of UTF-8."""
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def start(self, node: ast.AST) -> int:
        return self.at(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def span(self, node: ast.AST) -> Span:
        return self.start(node), self.at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


def faults(text: str) -> Iterator[tuple[Edit, bool]]:
    """Every fault of a file; none only tunes."""
    source = Source(text)
    untouched, defaults = list(_untouched(source)), list(_defaults(source))
    bound_once = {source.start(node) for node in _bound_once(source)}
    declared = list(_declared(source))
    found: list[Edit] = []
    for line in statements(text):
        found += [
            edit for edit in edits(text, line) if _inside(edit, defaults) or not _inside(edit, untouched)
        ]
        # Not at the top of a module.
        if can_go(line) and text[line[0].start - 1] == " " and line[0].start not in bound_once:
            left_out = Edit(line[0].start, line[-1].end, empty(text, line), "drop")
            if not _inside(left_out, declared):
                found.append(left_out)
    found += [edit for edit in _of_nodes(source) if not _inside(edit, untouched)]
    yield from ((edit, False) for edit in found)


def _inside(edit: Edit, spans: list[Span]) -> bool:
    return any(start <= edit.start and edit.end <= end for start, end in spans)


def _declared(source: Source) -> Iterator[Span]:
    """What says that there is something; nothing of it is left out either."""
    for node in source.nodes:
        if isinstance(node, DECLARED) or _only_types(node):
            yield source.span(node)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield source.start(node), source.start(node.body[0])
            yield from map(source.span, node.decorator_list)
        elif isinstance(node, ast.AnnAssign):
            yield source.span(node.annotation)
    for node in source.tree.body:
        # `Indices = NDArray[np.int64]` names a type.
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            yield source.span(node)


def _only_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _untouched(source: Source) -> Iterator[Span]:
    """Where nothing is changed, though a `raise` may be left out."""
    yield from _declared(source)
    yield from (source.span(node) for node in source.nodes if isinstance(node, ast.Raise))


def _defaults(source: Source) -> Iterator[Span]:
    """The defaults of arguments, in heads that are otherwise untouched."""
    for node in source.nodes:
        if isinstance(node, FUNCTIONS):
            found = (*node.args.defaults, *node.args.kw_defaults)
            yield from (source.span(default) for default in found if default is not None)


def _bound_once(source: Source) -> Iterator[ast.AST]:
    """Assignments without which their names would be unknown: any call would find that."""
    for function in source.nodes:
        if not isinstance(function, FUNCTIONS):
            continue
        arguments = function.args
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        count = Counter(argument.arg for argument in given)
        inside = list(ast.walk(function))
        for node in inside:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                count[node.id] += 1
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                count.update(2 * node.names)
        for node in inside:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if isinstance(node, ast.AnnAssign) and node.value is not None:
                targets = [node.target]
            names = [name for target in targets for name in _names(target)]
            if names and all(name is not None and count[name] == 1 for name in names):
                yield node


def _names(target: ast.expr) -> Iterator[str | None]:
    """The names that an assignment binds; None for what is no name."""
    if isinstance(target, (ast.Tuple, ast.List)):
        for part in target.elts:
            yield from _names(part)
    elif isinstance(target, ast.Starred):
        yield from _names(target.value)
    else:
        yield target.id if isinstance(target, ast.Name) else None


def _of_nodes(source: Source) -> Iterator[Edit]:
    for node in source.nodes:
        if isinstance(node, (ast.If, ast.While, ast.IfExp)):
            yield from _negated(source, node.test)
        elif isinstance(node, ast.comprehension):
            for condition in node.ifs:
                yield from _negated(source, condition)
        elif isinstance(node, ast.BoolOp):
            for value in node.values:
                yield from _negated(source, value)
        elif isinstance(node, ast.Compare):
            yield from _in(source, node)
        elif isinstance(node, ast.Slice):
            yield from _bounds(source, node)


def _negated(source: Source, condition: ast.expr) -> Iterator[Edit]:
    if isinstance(condition, PLAIN):
        start, _ = source.span(condition)
        yield Edit(start, start, "not ", "logic")


def _in(source: Source, comparison: ast.Compare) -> Iterator[Edit]:
    lefts = (comparison.left, *comparison.comparators)
    for left, operator in zip(lefts, comparison.ops, strict=False):
        if isinstance(operator, ast.In):
            place = source.text.index("in", source.span(left)[1])
            yield Edit(place, place + 2, "not in", "logic")


def _bounds(source: Source, node: ast.Slice) -> Iterator[Edit]:
    """x[a:b] to x[a + 1:b] and x[a:b - 1]; numbers are changed as such."""
    for bound, addition in ((node.lower, " + 1"), (node.upper, " - 1")):
        if bound is not None and not isinstance(bound, ast.Constant):
            start, end = source.span(bound)
            tokens = [Token(t.kind, t.text, start + t.start) for t in scan(source.text[start:end], CYTHON)]
            yield from addition_behind(tokens, addition, "bound")
