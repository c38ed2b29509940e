"""Write the golden hashes anew: `python -m tests.core.make_golden`, on a machine with FMA."""

import json

from tests.core.test_bits import GOLDEN_FILE, all_digests

if __name__ == "__main__":
    GOLDEN_FILE.write_text(json.dumps(all_digests(), indent=2) + "\n")
