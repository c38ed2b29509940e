"""What is drawn with the mouse, what the page sends of it, and what the network of the package sees in it."""

import numpy as np
import pytest

from tests.browser import By
from tests.demo.digits import HANDS, MANNERS, STROKES, enlarged, mapped
from tests.demo.page import DESKTOP, PHONE, answered, sent, shows, text


@pytest.mark.parametrize(
    ("size", "manner"), [*((DESKTOP, manner) for manner in MANNERS), (PHONE, "0.15 of the size")]
)
def test_two_hands_are_recognized_in_every_manner(page, package_server, size, manner):
    driver = page(package_server, size)
    assert "trained on MNIST" in text(driver, "about")
    wrong = []
    for hand, strokes in HANDS.items():
        for digit, lines in strokes.items():
            got = answered(driver, mapped(lines, MANNERS[manner]))
            if got != str(digit):
                wrong.append((hand, digit, got))
            driver.find_element(By.ID, "clear").click()
            shows(driver, "–")
    assert len(wrong) <= 1, wrong


def test_what_is_sent_are_the_strokes_enlarged_and_drawn_with_the_models_pen(page, package_server):
    driver = page(package_server)
    side = driver.find_element(By.ID, "drawing").rect["width"]
    for linear in MANNERS.values():
        # Where the mouse was, in whole pixels of the page.
        lines = [np.rint((np.array(points) - 0.5) * side) for points in mapped(STROKES[2], linear)]
        answered(driver, mapped(STROKES[2], linear))
        within_a_cell(sent(driver), enlarged(lines, package_server.model.fit.pen, 112))
        driver.find_element(By.ID, "clear").click()


def within_a_cell(got, wanted):
    """Soft edges may be drawn in several ways, but each within a cell of the line."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(wanted, 1, mode="edge"), (3, 3))
    assert got.max() == 255
    assert (got <= around.max(axis=(2, 3))).all()
    assert (got >= around.min(axis=(2, 3))).all()


def test_the_place_and_the_size_of_a_drawing_do_not_matter(page, package_server):
    driver = page(package_server)
    corner = np.array([0.3, 0.2])
    lines = [np.array([[0, 0], [0.2, 0], [0.1, 0.4]])]  # whole pixels of the page, at any eighth
    driver.execute_script("document.querySelector('.paper').style.width = '320px'")
    drawings = []
    for size, place in ((1, corner), (0.5, corner), (0.5, corner + 0.25)):
        answered(driver, [size * points + place for points in lines])
        drawings.append(sent(driver))
        driver.find_element(By.ID, "clear").click()
    for other in drawings[1:]:
        within_a_cell(drawings[0], other)


def test_a_dot_is_a_drawing(page, package_server):
    driver = page(package_server)
    answered(driver, [[(0.3, 0.4)]])
    assert sent(driver).max() == 255
    assert text(driver, "sure").endswith("%")
