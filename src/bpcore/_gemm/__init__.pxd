# Private: the matrix product behind the affine layer.
