# Private: threads.
