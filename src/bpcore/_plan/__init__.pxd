# Private: what the Python class Plan runs.
