"""The page in a browser that is driven: drawn on, waited for, read."""

import json

import numpy as np

from tests.browser import ActionChains, By, WebDriverWait

DESKTOP, TABLET, PHONE = (1280, 900), (800, 1000), (360, 780)
PATIENCE = 60  # seconds that a busy machine may take for what takes milliseconds


def requests(driver):
    """What the page asked for since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [e["params"]["request"] for e in events if e["method"] == "Network.requestWillBeSent"]


def sent(driver):
    """The last drawing that the page sent, (112, 112)."""
    (*_, body) = [json.loads(r["postData"]) for r in requests(driver) if r["url"].endswith("/predict")]
    return np.reshape(body["pixels"], (112, 112))


def until(driver, condition):
    return WebDriverWait(driver, PATIENCE, poll_frequency=0.02).until(lambda _: condition())


def text(driver, name):
    return driver.find_element(By.ID, name).text


def points(driver, strokes):
    """The strokes in pixels from the middle of the canvas."""
    side = driver.find_element(By.ID, "drawing").rect["width"]
    return [[(round((x - 0.5) * side), round((y - 0.5) * side)) for x, y in stroke] for stroke in strokes]


def pen_down(driver, strokes, release=True):
    canvas = driver.find_element(By.ID, "drawing")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    actions = ActionChains(driver, duration=0)
    for first, *others in points(driver, strokes):
        actions.move_to_element_with_offset(canvas, *first).click_and_hold()
        for point in others:
            actions.move_to_element_with_offset(canvas, *point)
        if release:
            actions.release()
    actions.perform()


def shows(driver, digit):
    until(driver, lambda: text(driver, "verdict") == str(digit))


def colours(driver, selector):
    """How many different colours each canvas has."""
    return driver.execute_script(
        """return [...document.querySelectorAll(arguments[0])].map((canvas) => {
            // Through a copy: a canvas that is read again and again is one that the browser warns of.
            const copy = new OffscreenCanvas(canvas.width, canvas.height);
            copy.getContext("2d").drawImage(canvas, 0, 0);
            const { data } = copy.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return new Set(new Uint32Array(data.buffer)).size;
        })""",
        selector,
    )


def answered(driver, strokes):
    """What the page shows for strokes drawn with the mouse, once it waits for no answer."""
    pen_down(driver, strokes)
    until(driver, lambda: driver.find_element(By.ID, "answer").get_attribute("aria-busy") == "false")
    return text(driver, "verdict")
