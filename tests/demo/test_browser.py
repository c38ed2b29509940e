"""The page in a real browser: drawn on with a mouse and a finger, looked at in light and dark, wide and narrow."""

from itertools import pairwise

import numpy as np
import pytest

import backprop as bp
from backprop.demo.model import Model
from tests.browser import ActionChains, By, Keys, Select
from tests.demo.conftest import serving
from tests.demo.digits import STROKES
from tests.demo.page import (
    DESKTOP,
    PHONE,
    TABLET,
    answered,
    colours,
    pen_down,
    points,
    sent,
    shows,
    text,
    until,
)

PICTURES = ("drawing", "pixels", "gradient")


@pytest.mark.parametrize("digit", [0, 1, 7])
def test_digits_are_recognized_by_8_times_8_pixels(page, digits_server, digit):
    driver = page(digits_server)
    pen_down(driver, STROKES[digit])
    shows(driver, digit)


def test_an_empty_canvas_shows_a_hint_and_no_prediction(page, digits_server):
    driver = page(digits_server)
    assert driver.find_element(By.ID, "hint").is_displayed()
    assert text(driver, "verdict") == "–"
    assert text(driver, "sure") == "nothing drawn yet"
    assert {row.text for row in driver.find_elements(By.CSS_SELECTOR, ".percent")} == {"–"}
    assert colours(driver, "#drawing, .picture") == [1, 1, 1]
    assert not any(driver.find_element(By.ID, name).is_enabled() for name in ("clear", "undo"))


def test_it_answers_while_the_pen_is_down(page, digits_server):
    driver = page(digits_server)
    pen_down(driver, STROKES[1], release=False)
    shows(driver, 1)
    assert driver.find_element(By.ID, "drawing").get_attribute("aria-label") == "Drawing area, 1 stroke"
    ActionChains(driver).release().perform()


def test_what_is_shown_are_the_networks_numbers(page, digits_server):
    driver = page(digits_server)
    assert answered(driver, STROKES[4]) == "4"
    view = digits_server.model.view(sent(driver))
    assert [e.text for e in driver.find_elements(By.CSS_SELECTOR, ".percent")] == [
        f"{100 * p:.1f} %" for p in view.probabilities
    ]


def test_pictures_and_cells_are_painted_and_cleared(page, digits_server):
    driver = page(digits_server)
    empty = colours(driver, "canvas")
    assert empty == [1, 1, 1, 2, 2]  # cells, all alike, and the gaps between them
    pen_down(driver, STROKES[7])
    shows(driver, 7)
    drawing, pixels, gradient, hidden, scores = colours(driver, "canvas")
    assert drawing > 1
    assert pixels > 8
    assert gradient > 16
    assert hidden > 8
    assert scores > 8
    driver.find_element(By.ID, "clear").click()
    shows(driver, "–")
    assert colours(driver, "canvas") == empty
    assert driver.find_element(By.ID, "hint").is_displayed()


def test_undo_takes_the_last_stroke_back(page, digits_server):
    driver = page(digits_server)
    first = STROKES[1][0]
    pen_down(driver, [first, [(0.2, 0.5), (0.8, 0.5)]])
    until(driver, lambda: "2 strokes" in driver.find_element(By.ID, "drawing").get_attribute("aria-label"))
    driver.find_element(By.ID, "undo").click()
    shows(driver, 1)
    driver.find_element(By.ID, "undo").click()
    shows(driver, "–")


def test_the_class_of_the_gradient_is_chosen_and_the_keyboard_is_enough(page, digits_server):
    driver = page(digits_server)
    pen_down(driver, STROKES[3])
    shows(driver, 3)
    gradient = driver.find_element(By.ID, "gradient")
    assert gradient.get_attribute("aria-label") == "Gradient of the loss of class 3 on the pixels"
    choice = driver.find_element(By.ID, "label")
    assert [option.text for option in Select(choice).options] == ["predicted", *map(str, range(10))]
    driver.execute_script("document.getElementById('undo').focus()")
    ActionChains(driver).send_keys(Keys.TAB, Keys.TAB).perform()
    assert driver.switch_to.active_element == choice
    choice.send_keys("8")
    until(driver, lambda: gradient.get_attribute("aria-label").endswith("of class 8 on the pixels"))
    assert text(driver, "verdict") == "3"
    ActionChains(driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).send_keys(
        Keys.ENTER
    ).perform()
    shows(driver, "–")


def test_a_finger_draws_and_does_not_scroll(page, digits_server):
    driver = page(digits_server, PHONE)
    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        box = driver.execute_script(
            "return document.getElementById('drawing').getBoundingClientRect().toJSON()"
        )
        for stroke in points(driver, STROKES[7]):
            # Points between the corners, as a finger makes them.
            way = np.concatenate([np.linspace(a, b, 8) for a, b in pairwise(stroke)])
            for n, (x, y) in enumerate(way):
                at = {"x": box["x"] + box["width"] / 2 + x, "y": box["y"] + box["height"] / 2 + y}
                kind = "touchMove" if n else "touchStart"
                driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
            driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        shows(driver, 7)
        assert driver.execute_script("return window.scrollY") == 0
    finally:
        driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


LAYOUT = """
const boxes = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.data.trim() || getComputedStyle(node.parentElement).visibility === "hidden") continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const card = node.parentElement.closest(".card, header, body").getBoundingClientRect();
    for (const box of range.getClientRects()) {
        if (box.width > 0) boxes.push({ text: node.data.trim(), box: box.toJSON(), card: card.toJSON() });
    }
}
return boxes;
"""


def check_layout(driver):
    """No text lies on another or out of its card, and nothing is wider than the window."""
    found = driver.execute_script(LAYOUT)
    assert len(found) > 40
    for n, one in enumerate(found):
        box, card = one["box"], one["card"]
        assert card["left"] <= box["left"], one["text"]
        assert box["right"] <= card["right"], one["text"]
        for other in found[:n]:
            b = other["box"]
            beside = box["right"] <= b["left"] or b["right"] <= box["left"]
            above = box["bottom"] <= b["top"] or b["bottom"] <= box["top"]
            assert beside or above, (one["text"], other["text"])
    wide, window = driver.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= window


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, TABLET, PHONE])
def test_the_layout_holds(page, digits_server, size, theme):
    driver = page(digits_server, size, theme)
    check_layout(driver)
    pen_down(driver, STROKES[8])
    shows(driver, 8)
    check_layout(driver)


CONTRAST = """
const shade = (name) => getComputedStyle(document.querySelector(name));
const channels = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map(Number);
return [".card h2", "#about", ".note", ".blue", ".red", ".percent", ".best .percent", "#clear"].map((name) => {
    const ground = name === "#about" ? "body" : ".card";
    return [name, channels(shade(name).color), channels(shade(ground).backgroundColor)];
});
"""


def luminance(channels):
    """Of an sRGB colour, as WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.array(channels) / 255]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_dark_is_dark_and_both_are_legible(page, digits_server):
    grounds = []
    for theme in ("light", "dark"):
        driver = page(digits_server, theme=theme)
        pen_down(driver, STROKES[1])
        shows(driver, 1)
        for name, colour, ground in driver.execute_script(CONTRAST):
            darker, lighter = sorted([luminance(colour), luminance(ground)])
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (theme, name)  # WCAG 2, level AA
        grounds.append(luminance(ground))
    assert grounds[0] > 0.8
    assert grounds[1] < 0.1


def test_the_pictures_follow_a_change_to_dark(page, digits_server):
    driver = page(digits_server)
    pen_down(driver, STROKES[1])
    shows(driver, 1)
    picture = "return document.getElementById(arguments[0]).toDataURL()"
    before = [driver.execute_script(picture, name) for name in PICTURES]
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    for name, old in zip(PICTURES, before, strict=True):
        until(driver, lambda name=name, old=old: driver.execute_script(picture, name) != old)


def test_names_of_classes_are_text_and_never_markup(page):
    names = ["<img src=x onerror=alert(1)>", "a rather long name that no bar has room for, not on any screen"]
    net = bp.Network([64, 300, 2], seed=0, input_scale=1 / 16, activation="tanh")
    with serving(Model(net, names, source="<script>alert(1)</script>")) as server:
        driver = page(server, PHONE)
        pen_down(driver, STROKES[1])
        until(driver, lambda: text(driver, "verdict") in names)
        assert driver.find_elements(By.CSS_SELECTOR, "img, body script") == []
        assert "<script>alert(1)</script>" in text(driver, "about")
        assert [e.get_attribute("title") for e in driver.find_elements(By.CSS_SELECTOR, ".name")] == names
        tracks = driver.find_elements(By.CSS_SELECTOR, ".track")
        assert len({track.rect["x"] for track in tracks}) == 1, "bars begin below each other"
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= PHONE[0]


def scaled(weights):
    """A network of 8 × 8 pixels without a hidden layer, whose gradient on the pixels is as small as its weights."""
    net = bp.Network([64, 2], dtype=np.float64, seed=0, input_scale=1 / 16)
    net.params = {"W1": weights * np.tile([1, -1], (64, 1)), "b1": np.zeros(2)}
    return Model(net, ["a", "b"])


def most_colour(driver, name):
    """How far the strongest colour of a canvas is from its middle, as a share of the way to the end."""
    found, middle, ends = driver.execute_script(
        """const canvas = document.getElementById(arguments[0]);
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
        copy.drawImage(canvas, 0, 0);
        const style = getComputedStyle(document.documentElement);
        const rgb = (name) => style.getPropertyValue(name).trim().split(/\\s+/).map(Number);
        return [[...copy.getImageData(0, 0, canvas.width, canvas.height).data], rgb("--middle"),
            [rgb("--blue"), rgb("--red")]];""",
        name,
    )
    pixels = np.reshape(found, (-1, 4))[:, :3] - np.array(middle)
    return max(np.abs(pixels).max() / np.abs(np.subtract(end, middle)).max() for end in ends)


@pytest.mark.parametrize(("weight", "flat"), [(1e-6, True), (4e-4, True), (2e-3, False), (2e-2, False)])
def test_a_gradient_that_is_next_to_nothing_has_next_to_no_colour(page, weight, flat):
    with serving(scaled(weight)) as server:
        driver = page(server)
        answered(driver, STROKES[0])
        steepest = np.abs(server.model.view(sent(driver)).gradient).max() * server.model.full
        share = most_colour(driver, "gradient")
        legend = driver.find_element(By.CSS_SELECTOR, "#gradient-scale .high").text
        said = text(driver, "flat")
    # Colours are whole numbers: half of one in 46, the least way from the middle to an end.
    assert share == pytest.approx(min(steepest / 1e-3, 1), abs=0.5 / 46)
    assert (legend == "+1.0e−3") is flat
    assert said == ("No pixel changes this loss by more than 1.0e−3; choose another class." if flat else "")


def test_scores_that_are_next_to_nothing_have_next_to_no_colour(page):
    with serving(scaled(1e-7)) as server:
        driver = page(server)
        answered(driver, STROKES[0])
        assert driver.find_element(By.CSS_SELECTOR, ".strip .high").text == "+1.0e−3"
