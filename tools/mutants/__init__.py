"""Mutation testing: plant one fault at a time in the source, and see whether the tests notice.

    pip install '.[test]' 'pytest>=9' cmake ninja cython-cmake
    python -m tools.mutants --seed 0 --count 80 --jobs 2 --json mutants.json
    python -m tools.mutants --part python --seed 0 --count 120 --json mutants.json

a) Faults are mechanical: another arithmetic operator, comparison or logical connective, a sign or a negation left out,
   `min` for `max`, an index or a loop's bound off by one, another constant, a statement left out; in Python also `in`
   for `not in`, a condition negated, a slice's bound off by one. No loop gets longer than its data by `range(n + 1)`:
   what it would do depends on what lies behind an array.
b) All mutants are enumerated in a fixed order. `--seed` shuffles those of each file, and the sample takes the first
   of each: one at least where `--count` allows it, the others in proportion.
c) A mutant that does not compile is stillborn, and one whose machine code is that of the source (other levels' code,
   for instance) cannot be told from it: neither counts, and the next of its file takes its place. Otherwise it is
   caught if a test fails, the process dies or takes several times as long as it should, or it survives.
d) Constants that tune (sizes of blocks and tiles, when a second thread is worth it, when to stream, hints to the
   compiler and the cache) are left out unless `--tuning` is given: other values give the same results by design, and
   whether they are slower is the benchmarks' question. A size that is part of the bits contract is not tuning; its
   comment says "bits contract".
e) `tests/mutants.toml` lists the mutants that no test can tell from the source and says why: `file`, the `original`
   line and the `mutated` one, `why`. Without `mutated`, an entry speaks for all mutants of its line. They are run all
   the same, so that an argument that does not hold is noticed.
f) Of the kernels, what is built is one level, the best that this processor runs (or $BACKPROP_ISA), and what is run is
   the quick suite of the kernels and of what is made of them. Left out are `tests/core/test_machine_code.py` and the
   golden hashes of the other levels, which need the other levels' builds, and the slow marks.
g) The part `python` is how networks are trained, saved and checked, and how tables are read. Nothing is built: the
   compiled modules are those that are installed. What is run are the folders of tests that `testing.OF_PYTHON` names
   for a file. What errors say is not changed, nor are types, or assignments without which a name would be unknown:
   any call finds that.
h) `--json FILE` keeps every result as it comes and is read at the next start: a run that was interrupted goes on, one
   with a larger `--count` adds to it, and `--retry` tries the survivors again after tests were added. A result is
   used only while its line is the same.
"""
