"""The answers that more than one name has."""

ACTIVATION = (
    "there is none; it has {activations}, and takes your own class of forward and backward as a layer"
)
AFFINE = "a layer of given weights is Affine(W, b), a network of such layers Network([784, 50, 10])"
ARRAYS = "arrays are NumPy's: np.array, np.zeros"
BATCH_NORM = (
    "it is BatchNorm(features): net.layers.insert_after('Affine1', 'BatchNorm1', BatchNorm(features))"
)
BIASES = "weight_init chooses for weights and biases; net.params['b1'][...] = 0.1 sets biases"
BOOK = "it is in backprop.book"
CALLBACK = (
    "callbacks=[f] does that: f(network, history) is called after every epoch, and True ends the training"
)
CPU = "it computes on the CPU alone"
DENSE_ONLY = "there is none: this package is for dense networks"
DRAWN = "Network([784, 50, 10], weight_init='he_normal') draws the weights"
DROPOUT = "it is an argument: Network([784, 50, 10], dropout=0.5)"
EMA = "fit does that: net.fit(x, t, epochs=20, ema=copy.deepcopy(net), ema_decay=0.999)"
FUNCTION_OF_STEPS = "a function of the step does that: schedule=lambda step: factor"
GRADIENT = (
    "net.gradient(x, t) returns the gradients of a network; graph.variable(value) is a node that gets one"
)
IN_FIT = "fit takes it: net.fit(x, t, epochs=20, batch_size=100, optimizer=bp.Adam(0.001))"
IN_NETWORK = "Network takes it: Network([784, 50, 10], activation='relu', loss='softmax')"
LABELS = "labels are taken as they are, whole numbers from 0 on; np.eye(10)[t] makes one-hot rows"
LINEAR = "there is none: layers without an activation between them are one layer"
LOSS = "there is none; it has {losses}, and takes your own class of forward and backward as lastLayer"
NETWORK = "Network([784, 50, 10], loss='softmax') classifies, loss='squared_error' gives numbers"
NORMALISATION = (
    "there is none; it has BatchNorm, LayerNorm, RMSNorm, and Network.standardised scales the inputs"
)
ONE_MODULE = "all names are in one module: Affine, Relu, SoftmaxWithLoss, SGD, Adam, …"
PARAMS = "params is the mapping of names to arrays; net.params = mapping copies values in"
PLOT = "plots has learning_curve, weight_images, confusion_matrix, gradient_flow, decision_regions"
RANDOM = "random numbers are NumPy's: np.random.default_rng(0)"
RATE = "it is lr, which may be changed between steps: optimizer.lr = 0.01"
RUNNING = "it is history.train_accuracy"
SEED = "Network and fit each take seed="
SIZES = "sizes has it: Network([inputs, hidden, outputs])"
SUMMARY = "net.summary() has the layers, their parameters and operations"
BINARY = "it is SigmoidWithLoss, loss='binary_cross_entropy': outputs that say yes above 0 and no below"
UPDATE_RULE = "there is none; it has {rules}"
WEIGHT_DECAY = "it is the optimizer's: AdamW(0.001, weight_decay=0.01)"
