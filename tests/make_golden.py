"""Write the golden hashes anew: `python -m tests.make_golden`, on a machine with FMA."""

import json

from tests.core import test_bits as kernels
from tests.network import test_bits as training

if __name__ == "__main__":
    for module in (kernels, training):
        module.GOLDEN_FILE.write_text(json.dumps(module.all_digests(), indent=2) + "\n")
