"""`python tools/check_links.py`: what leads nowhere in built pages, and what they would load from elsewhere."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "check_links.py"


def checked(folder):
    command = [sys.executable, TOOL, folder]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    *found, last = run.stdout.splitlines()
    assert last == f"{len(found)} broken links in {folder}"
    assert run.returncode == bool(found)
    return found


@pytest.fixture
def site(tmp_path):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "page.html").write_text('<p id="here">a</p><a href="../index.html">home</a>')
    (tmp_path / "picture.svg").write_text("<svg/>")
    (tmp_path / "style.css").write_text(
        "a{background:url(picture.svg)} b{background:url(\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/x'/%3E\")}"
    )
    return tmp_path


def write(site, body):
    (site / "index.html").write_text(f'<link rel="stylesheet" href="style.css">{body}')


def test_what_leads_somewhere(site):
    write(
        site,
        '<p id="%C3%A9 top">t</p><a href="deeper/page.html#here"></a><a href="deeper/page.html?q=1"></a>'
        '<a href="#"></a>'
        '<a href="https://example.org/nothing#at-all"></a><img src="picture.svg"><img src="data:image/png;base64,AA">'
        '<a href="mailto:a@example.org"></a>',
    )
    assert checked(site) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<a href="gone.html"></a>', "index.html: there is no gone.html"),
        ('<a href="#gone"></a>', "index.html: #gone has no such anchor"),
        ('<a href="deeper/page.html#gone"></a>', "index.html: deeper/page.html#gone has no such anchor"),
        ('<img src="gone.svg">', "index.html: there is no gone.svg"),
        (
            '<script src="https://cdn.example.org/m.js"></script>',
            "index.html: https://cdn.example.org/m.js is loaded from elsewhere",
        ),
        ('<img src="//example.org/i.png">', "index.html: //example.org/i.png is loaded from elsewhere"),
    ],
)
def test_what_does_not(site, body, said):
    write(site, body)
    assert checked(site) == [said]


@pytest.mark.parametrize(
    "rule",
    [
        "a{src:url(https://example.org/f.woff)}",
        "a{src:url( '//example.org/f.woff')}",
        '@import "https://example.org/f.woff";',
    ],
)
def test_a_stylesheet_that_loads_from_elsewhere(site, rule):
    write(site, "")
    with (site / "style.css").open("a") as file:
        file.write(rule)
    (found,) = checked(site)
    assert found.startswith("style.css: ")
    assert found.endswith("//example.org/f.woff is loaded from elsewhere")
