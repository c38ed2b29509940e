"""Chapter 6: the losses of four optimizers with the same network."""

from backprop.book import *

np.random.seed(0)
(x_train, t_train), (x_test, t_test) = load_mnist(normalize=True)
optimizers = {"SGD": SGD(), "Momentum": Momentum(), "AdaGrad": AdaGrad(), "Adam": Adam()}
networks, train_loss = {}, {key: [] for key in optimizers}
for key in optimizers:
    networks[key] = MultiLayerNet(
        input_size=x_train.shape[1], hidden_size_list=[50, 50, 50, 50], output_size=10
    )
for i in range(200):
    batch_mask = np.random.choice(len(x_train), 128)
    x_batch, t_batch = x_train[batch_mask], t_train[batch_mask]
    for key, optimizer in optimizers.items():
        grads = networks[key].gradient(x_batch, t_batch)
        optimizer.update(networks[key].params, grads)
        train_loss[key].append(networks[key].loss(x_batch, t_batch))
    if i % 100 == 0:
        for key in optimizers:
            print(key + ":" + str(train_loss[key][-1]))
curves = {key: smooth_curve(losses) for key, losses in train_loss.items()}
