# What the scripts in this folder share: `. .ci/common.sh` from the root of the tree.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -d ../shared/datasets ]; then
  BACKPROP_DATA=$(cd ../shared/datasets && pwd)
  export BACKPROP_DATA
fi
# A list of fonts of another environment's, which is gone, would have warnings printed.
export MPLCONFIGDIR=$work/matplotlib
unset BACKPROP_ISA BACKPROP_NUM_THREADS PYTHONPATH PYTHONDONTWRITEBYTECODE
quick="not training and not exhaustive and not compilers"

# Tests of files, interrupts, memory, options and messages, which are the same whatever is compiled how: they are run once.
once=()
for name in assignment files format_2 files_in_use files_v1 file_headers forks freed interrupt lbfgs memory metadata \
  overlap parameters pauses recorded released saving several spec state_machine stress summary training_lock tuning \
  update_checks; do
  once+=("--ignore-glob=tests/network/test_$name*")
done

say() { printf '\n=== %s (after %d s)\n' "$*" "$SECONDS"; }

# A new virtual environment named $1, made the current one.
environment() {
  python3 -m venv "$work/$1"
  # shellcheck disable=SC1091
  . "$work/$1/bin/activate"
  pip install --quiet --upgrade pip
}

# Debian's package $2 where the command $1 is missing.
command_from() {
  command -v "$1" >/dev/null || { apt-get update -qq && apt-get install -y -qq "$2" >/dev/null; }
}

# The best level that this processor runs; $LEVEL where whoever called has found it out.
best_level() {
  if [ -z "${LEVEL:-}" ]; then
    environment plain
    pip install --quiet .
    LEVEL=$(python -c 'import bpcore; print(bpcore.cpu_info()["chosen"])')
  fi
  export LEVEL
}
