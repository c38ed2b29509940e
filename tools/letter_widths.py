"""Write python/backprop/graph/letters.py: how wide letters are in the typefaces that drawings of graphs ask for.

`python tools/letter_widths.py LiberationSans-Regular.ttf DejaVuSans.ttf && ruff format python`, with fonttools, which
comes with matplotlib. Liberation Sans has the advances of Arial and Helvetica; DejaVu Sans, which is wider, has signs
that they lack.
"""

import argparse
import unicodedata
from pathlib import Path

from fontTools.ttLib import TTFont

TARGET = Path(__file__).parents[1] / "python" / "backprop" / "graph" / "letters.py"
# ASCII, Latin-1, Greek, Cyrillic, dashes and quotes, and what formulas have; without letters that have an accent.
RANGES = ((0x20, 0x7F), (0xA0, 0x100), (0x391, 0x3CA), (0x410, 0x450), (0x2010, 0x2030))
SIGNS = "−←→∂∇ΣΠ∑∏√∞≈≠≤≥ᵀıłŁœŒ⁰⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₙ"
LEFT_OUT = {"Cc", "Cf", "Cn", "Mn", "Zl", "Zp"}
HEAD = '''"""How wide letters are; written by tools/letter_widths.py from {names}."""

# Letters by their advance, in parts of an em.
EM = {em}
BY_ADVANCE = {{
{lines}
}}
ADVANCES = {{letter: advance / EM for advance, letters in BY_ADVANCE.items() for letter in letters}}
'''


def letters() -> list[str]:
    """What is asked for, once each and in a fixed order."""
    found = [chr(code) for low, high in RANGES for code in range(low, high)] + list(SIGNS)
    return sorted(
        {
            one
            for one in found
            if unicodedata.category(one) not in LEFT_OUT and unicodedata.normalize("NFD", one) == one
        }
    )


def advances(paths: list[Path]) -> tuple[int, dict[int, list[str]]]:
    """Parts of an em, and the letters by how many of them they take: in the first typeface that has them."""
    fonts = [TTFont(path) for path in paths]
    em = fonts[0]["head"].unitsPerEm
    by_advance: dict[int, list[str]] = {}
    for letter in letters():
        for font in fonts:
            glyph = font.getBestCmap().get(ord(letter))
            if glyph is not None:
                advance = round(font["hmtx"][glyph][0] * em / font["head"].unitsPerEm)
                by_advance.setdefault(advance, []).append(letter)
                break
    return em, by_advance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fonts", type=Path, nargs="+", help="LiberationSans-Regular.ttf DejaVuSans.ttf")
    paths = parser.parse_args().fonts
    em, found = advances(paths)
    lines = "\n".join(f"    {advance}: {''.join(found[advance])!r}," for advance in sorted(found))
    TARGET.write_text(HEAD.format(names=", ".join(path.name for path in paths), em=em, lines=lines))


if __name__ == "__main__":
    main()
