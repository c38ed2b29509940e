"""Cython modules that cases build against the bpcore that is installed, with the flags that the documentation says."""

import importlib.util
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import bpcore

FLAGS = ["-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
# Products that a module does not use are left out.
USED_ONLY = ["-ffunction-sections", "-Wl,-dead_strip" if sys.platform == "darwin" else "-Wl,--gc-sections"]
HERE = Path(__file__).parent


def build(name: str, folder: Path, *flags: str) -> Path:
    """Translate and compile `name`.pyx into a folder."""
    return compiled(translated(name, folder), *flags)


def translated(name: str, folder: Path) -> Path:
    """The C file that Cython makes of `name`.pyx."""
    generated = folder / f"{name}.c"
    # Cython looks into its own environment first, and another bpcore may be there.
    package = f"-I{Path(bpcore.get_include()).parent}"
    run(sys.executable, "-m", "cython", "-3", package, str(HERE / f"{name}.pyx"), "-o", str(generated))
    return generated


def compiled(generated: Path, *flags: str) -> Path:
    """The extension module that the C compiler makes of a file that Cython has made."""
    module = generated.with_name(generated.stem + sysconfig.get_config_var("EXT_SUFFIX"))
    include = [f"-I{folder}" for folder in (bpcore.get_include(), HERE, sysconfig.get_paths()["include"])]
    shared = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared", "-fPIC"]
    run("cc", *shared, *FLAGS, *flags, *include, str(generated), "-o", str(module))
    return module


def run(*command: str) -> None:
    """Run a command, or raise with what it has printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"bench: {' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")


def load(module: Path) -> ModuleType:
    """Import a module that was built."""
    spec = importlib.util.spec_from_file_location(module.name.partition(".")[0], module)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded
