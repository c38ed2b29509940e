"""Real handwritten digits that come with the package: see DIGITS.md beside this file."""

import numpy as np

from backprop._util.names import named_arguments
from backprop.data.images import Part, shaped

SIDE = 8
FULL = 16


@named_arguments
def load_digits(
    normalize: bool = True, flatten: bool = True, one_hot_label: bool = False
) -> tuple[Part, Part]:
    """Handwritten digits of 8 × 8 pixels: 1,437 images to train with and 360 to test with.

    Parameters
    ----------
    normalize : bool, default True
        Give float32 pixels from 0 to 1, else uint8 from 0 to 16.
    flatten : bool, default True
        Give images of shape (N, 64), else (N, 1, 8, 8).
    one_hot_label : bool, default False
        Give float32 labels of shape (N, 10), else int64 of shape (N,).

    Returns
    -------
    (x_train, t_train), (x_test, t_test)
        The split is fixed: a stratified shuffle made once, when the data was packed.

    Notes
    -----
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    1998, https://doi.org/10.24432/C50P49, CC BY 4.0; its test part.

    Examples
    --------
    >>> (x_train, t_train), (x_test, t_test) = bp.load_digits()
    >>> x_train.shape, x_test.shape, t_test.shape
    ((1437, 64), (360, 64), (360,))
    """
    from importlib.resources import files

    with (files("backprop.data") / "digits.npz").open("rb") as file, np.load(file) as stored:
        arrays = {name: stored[name] for name in stored.files}
    form = {"normalize": normalize, "flatten": flatten, "one_hot_label": one_hot_label}
    train = shaped(arrays["x_train"].reshape(-1, SIDE, SIDE), arrays["t_train"], FULL, **form)
    test = shaped(arrays["x_test"].reshape(-1, SIDE, SIDE), arrays["t_test"], FULL, **form)
    return train, test
