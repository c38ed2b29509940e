"""What users of Keras, PyTorch, scikit-learn and the book type first: what it is called here, or what to do instead.

Names are in lower case. Where a name has an equal here the answer is that name; else a sentence that ends the error.
"""
