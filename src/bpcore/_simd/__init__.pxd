# Private: vectors, and functions of single numbers.
