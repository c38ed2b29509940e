"""Chapter 5: what apples and oranges cost, and the gradient of the price."""

from backprop.book import *

apples, oranges, fruit, tax = MulLayer(), MulLayer(), AddLayer(), MulLayer()

# forward
apple_price, orange_price = apples.forward(100, 2), oranges.forward(150, 3)
price = tax.forward(fruit.forward(apple_price, orange_price), 1.1)

# backward
dfruit, dtax = tax.backward(1)
dapple_price, dorange_price = fruit.backward(dfruit)
dorange, dorange_num = oranges.backward(dorange_price)
dapple, dapple_num = apples.backward(dapple_price)
print("price:", int(price))
print("dApple:", dapple, "dApple_num:", int(dapple_num), "dTax:", dtax)
