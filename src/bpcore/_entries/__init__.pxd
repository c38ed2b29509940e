# Private: how Python reaches the loops.
