"""Drawings as a browser renders them: the texts are where the layout took them to be, and do not meet."""

import itertools

import numpy as np
import pytest

from backprop.graph.scene import measured, text_width
from tests.browser import chromium
from tests.graph.geometry import ASCENT, DESCENT, Picture
from tests.graph.graphs import apples, busy, sigmoid, softmax_with_loss
from tests.graph.test_drawing import affine_of_the_notes, long_names, network

# Words, the box with what leans over its last letter's end, where the first letter begins and the last one ends, and
# the distance of these if nothing makes the words fit.
BOXES = """
return [...document.querySelectorAll("text")].map(text => {
  const box = text.getBBox(), last = text.getNumberOfChars() - 1;
  const found = [
    text.textContent, box.x, box.x + box.width, box.y, box.y + box.height,
    text.getStartPositionOfChar(0).x, text.getEndPositionOfChar(last).x,
  ];
  text.removeAttribute("textLength");
  return [...found, text.getComputedTextLength()];
});
"""


@pytest.fixture(scope="module")
def chrome():
    with chromium() as driver:
        yield driver


@pytest.mark.parametrize("symbols", [False, "L"], ids=["numbers", "symbols"])
@pytest.mark.parametrize(
    "make", [apples, sigmoid, softmax_with_loss, affine_of_the_notes, network, long_names, busy]
)
def test_texts_are_where_they_were_laid_out(make, symbols, chrome, tmp_path):
    output = make()
    output.backward()
    drawing = output.draw(tmp_path / "drawn.svg", symbols=symbols)
    chrome.get((tmp_path / "drawn.svg").as_uri())
    rendered = chrome.execute_script(BOXES)
    laid_out = Picture(drawing.svg).texts
    assert [box[0] for box in rendered] == [text.words for text in laid_out]
    for box, text in zip(rendered, laid_out, strict=True):
        size = (text.bottom - text.top) / (ASCENT + DESCENT)
        width, middle = text_width(text.words, size), (text.left + text.right) / 2
        # Letters of Arial's widths (Liberation Sans comes with Debian's Chromium), and none stretched by more than 1 %.
        if measured(text.words):
            assert box[5:7] == pytest.approx([middle - width / 2, middle + width / 2], abs=0.15)
        assert box[7] == pytest.approx(box[6] - box[5], rel=0.01)
        assert text.left <= box[5] + 0.15
        assert box[6] - 0.15 <= text.right
        # Its boxes have the height of the line, not of the letters.
        assert np.mean(box[3:5]) == pytest.approx((text.top + text.bottom) / 2, abs=3.0)
    for one, other in itertools.combinations(rendered, 2):
        across = min(one[2], other[2]) - max(one[1], other[1])
        down = min(one[4], other[4]) - max(one[3], other[3])
        assert across <= 1.0 or down <= 1.0, (one, other)
