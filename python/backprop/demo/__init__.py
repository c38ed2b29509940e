"""A page on this machine where one draws a digit and sees what a network makes of it: `backprop demo`.

a) `image`: from the drawing to the network's pixels, as the makers of MNIST did it.
b) `model`: the network, and all that the page shows of one image.
c) `server`, `answers`: HTTP on 127.0.0.1; the page is `page.html`, `page.css`, and the `.js` files.
"""
