"""One module a case: `run(quick)` yields results."""
