"""Chapter 3: images through three layers of given weights, to probabilities."""

from itertools import pairwise

import numpy as np

from backprop.book import load_mnist, sigmoid, softmax

np.random.seed(0)
(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True, flatten=True, one_hot_label=False)
sizes = [x_test.shape[1], 50, 100, 10]
weights = [0.1 * np.random.randn(rows, columns) for rows, columns in pairwise(sizes)]
biases = [np.zeros(size) for size in sizes[1:]]


def predict(x):
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        x = sigmoid(np.dot(x, W) + b)
    return softmax(np.dot(x, weights[-1]) + biases[-1])


one_by_one = [np.argmax(predict(x)) for x in x_test]
batch_size, by_batches = 100, []
for i in range(0, len(x_test), batch_size):
    by_batches += list(np.argmax(predict(x_test[i : i + batch_size]), axis=1))
accuracy = np.mean(np.array(by_batches) == t_test)
print("accuracy:", accuracy)
