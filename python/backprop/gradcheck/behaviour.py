"""How forward and backward behave, whatever their numbers are."""

from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop.gradcheck.arguments import require_floats
from backprop.gradcheck.findings import Finding
from backprop.gradcheck.subjects import Subject

Gradients = dict[str, Array]


def behaviour(
    subject: Subject, rng: np.random.Generator, findings: list[Finding]
) -> tuple[Gradients | None, Any]:
    """Try forward and backward, and add to the findings.

    Returns
    -------
    gradients : dict of str to ndarray, or None
        The backpropagated gradients that have their arrays' shapes; None if forward is no function of its arrays, so
        that there is nothing to differentiate.
    dout : ndarray or float
        The gradient of the output that they are for.
    """
    for name, array in subject.arrays.items():
        if not np.isfinite(array).all():
            findings.append(Finding("non-finite values", name))
    before = {name: array.copy() for name, array in subject.arrays.items()}
    if findings or not forward_is_a_function(subject, before, findings):
        return None, None
    spare = subject.fresh()
    out = subject.forward()
    dout = rng.uniform(0.5, 2, size=np.shape(out)) if np.ndim(out) else float(rng.uniform(0.5, 2))
    if not subject.takes_dout:
        dout = 1.0
    given = copy_of(dout)
    first = copied(subject.backward(given))
    if not np.array_equal(given, dout):
        findings.append(Finding("dout overwritten"))
    overwritten(subject, before, "by backward", findings)
    second_call(subject, first, dout, findings)
    if subject.takes_dout:
        linear_in_dout(spare, first, dout, findings)
    return right_in_form(subject, first, findings), dout


def forward_is_a_function(subject: Subject, before: Gradients, findings: list[Finding]) -> bool:
    """Whether forward gives the same for the same arrays, finite and in float64, and leaves them alone."""
    one, other = subject.fresh(), subject.fresh()
    returned = one.forward()
    require_floats(subject.source, returned, number=not subject.takes_dout)
    out = np.array(returned)
    if np.finfo(out.dtype).eps > np.finfo(np.float64).eps:
        findings.append(
            Finding("wrong type", detail=f"forward returned {out.dtype}, the arrays have float64")
        )
    if not np.isfinite(out).all():
        findings.append(Finding("non-finite values", detail="in what forward returned"))
    overwritten(one, before, "by forward", findings)
    if findings:
        return False
    if not np.array_equal(out, other.forward()):
        findings.append(Finding("non-deterministic forward"))
    elif not np.array_equal(out, one.forward()):
        findings.append(Finding("forward depends on hidden state"))
    return not findings


def overwritten(subject: Subject, before: Gradients, by: str, findings: list[Finding]) -> None:
    """Name the arrays that are not what they were, and put them right."""
    for name, array in subject.arrays.items():
        if not np.array_equal(array, before[name]):
            findings.append(Finding("input overwritten", name, by))
            array[...] = before[name]


def second_call(subject: Subject, first: Gradients, dout: Any, findings: list[Finding]) -> None:
    """Whether going back once more gives the same."""
    again = copied(subject.backward(copy_of(dout)))
    for name, gradient in first.items():
        if same(again.get(name), gradient, 1):
            continue
        kind = (
            "gradients accumulate"
            if same(again.get(name), gradient, 2)
            else "backward differs on its second call"
        )
        findings.append(Finding(kind, name))


def linear_in_dout(spare: Subject, first: Gradients, dout: Any, findings: list[Finding]) -> None:
    """Whether twice the dout gives twice the gradient."""
    spare.forward()
    doubled = copied(spare.backward(2 * dout))
    for name, gradient in first.items():
        if not np.any(gradient) or same(doubled.get(name), gradient, 2):
            continue
        ignored = same(doubled.get(name), gradient, 1)
        findings.append(Finding("dout ignored" if ignored else "not linear in dout", name))


def right_in_form(subject: Subject, gradients: Gradients, findings: list[Finding]) -> Gradients:
    """The gradients that can be compared element by element."""
    right = {}
    for name, array in subject.arrays.items():
        gradient = gradients.get(name)
        if gradient is None or gradient.dtype == object:
            findings.append(Finding("missing gradient", name))
        elif gradient.shape != array.shape:
            detail = f"{gradient.shape} for an array of shape {array.shape}"
            if array.ndim == 2 and gradient.shape == array.shape[::-1]:
                findings.append(Finding("transposed", name, detail))
            elif gradient.shape[1:] == array.shape:
                findings.append(Finding("not summed over the batch", name, detail))
            else:
                findings.append(Finding("wrong shape", name, detail))
        elif gradient.dtype != array.dtype:
            findings.append(Finding("wrong type", name, f"{gradient.dtype}, the array has {array.dtype}"))
        elif not np.isfinite(gradient).all():
            findings.append(Finding("non-finite values", name, "in the backpropagated gradient"))
        else:
            right[name] = gradient
    return right


def copied(gradients: dict[str, Any]) -> Gradients:
    """Copies, which later calls cannot change."""
    return {name: np.array(gradient) for name, gradient in gradients.items()}


def copy_of(value: Any) -> Any:
    """A copy of an array; a number as it is."""
    return float(value) if isinstance(value, float) else np.array(value)


def same(one: Any, other: Any, times: int) -> bool:
    """Whether one is `times` the other, but for the order in which a sum was rounded."""
    if one is None or np.shape(one) != np.shape(other):
        return False
    if times == 1:
        return bool(np.array_equal(one, other))
    size = float(np.max(np.abs(other), initial=0.0))
    return bool(np.max(np.abs(one - times * other), initial=0.0) <= 1e-9 * times * size)
