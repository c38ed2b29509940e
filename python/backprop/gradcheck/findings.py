"""The mistakes that a check knows by name, and how to mend each."""

from dataclasses import dataclass

MENDING = {
    "dout ignored": "multiply by dout: what comes after this node need not be the loss, and 1 only there",
    "not linear in dout": "twice the dout has to give twice the gradient; dout may be multiplied, added and selected",
    "factor of the batch size": "divide by the batch size once: where the mean is taken, usually in the loss",
    "wrong sign": "the gradient has the opposite sign; look at each minus of the derivation",
    "constant factor": "every element is off by the same factor; look for a constant that is missing or applied twice",
    "transposed": "the gradient is that of the transposed array; for out = x·W, dW = xᵀ·dout and dx = dout·Wᵀ",
    "not summed over the batch": "an array used for every sample gets the sum over all samples: db = dout.sum(axis=0)",
    "wrong shape": "a gradient has the shape of its array, whatever was broadcast",
    "wrong type": "outputs and gradients have the type of their arrays; something on the way computes in another",
    "missing gradient": "backward has to return or to set it",
    "input overwritten": "copy before changing, out = x.copy(): the caller or an earlier layer still needs it",
    "dout overwritten": "copy before changing, dx = dout.copy(): another branch of the graph may still need dout",
    "gradients accumulate": "set a gradient with =, not +=, or clear it at the start of backward",
    "backward differs on its second call": "backward must not use up or change what forward kept",
    "forward depends on hidden state": "the same input has to give the same output; make what changes an argument",
    "non-deterministic forward": "fix the random mask or the seed: every evaluation has to be of the same function",
    "all gradients are zero": "the check proves nothing; choose inputs and parameters for which the gradient is not 0",
    "non-finite values": "check at smaller numbers, or look for log(0) or a division by 0",
    "mostly kinks": "so many corners prove little; move inputs and biases away from where the activation bends",
    "jump": "the function itself jumps here, so forward and its mask disagree, or it has no derivative",
    "function ignores its argument": "its value stays the same whatever this array is. A copy is checked: the function "
    "has to use its argument, and a closure over a network's own parameters does not; check the network instead",
    "lost in rounding": "rounding of what forward returns may change the numerical derivative by as much as "
    "the gradient, so the check proves nothing; leave constants out of the loss, or scale inputs and targets",
    "nothing was checked": "give arrays of floating-point numbers that have elements",
    "single wrong element": "look at edges: the last row or column, the end of a loop, an index",
    "some wrong elements": "a few of many; look at edges, the last row or column, the end of a loop, an index",
    "wrong gradient": "it disagrees with the numerical one; check the derivation of this array's gradient",
}


@dataclass(frozen=True)
class Finding:
    """One mistake.

    Attributes
    ----------
    name : str
        A key of MENDING.
    array : str
        Which array's gradient, or "" for the whole.
    detail : str
        What was seen.
    """

    name: str
    array: str = ""
    detail: str = ""

    @property
    def mending(self) -> str:
        """How to mend it."""
        return MENDING[self.name]

    def __str__(self) -> str:
        where = f"{self.array}: " if self.array else ""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{where}{self.name}{detail}. {self.mending[0].upper()}{self.mending[1:]}."
