"""Drawings as they are written: colours, names that are text everywhere, files, DOT and Mermaid, frames."""

import re
import shutil
import subprocess

import pytest

from backprop import graph
from backprop.graph.texts import readable_name
from tests.graph.geometry import Picture
from tests.graph.graphs import apples, busy, softmax_with_loss


def test_light_and_dark():
    svg = apples().draw().svg
    light, dark = svg.split("@media (prefers-color-scheme:dark)")
    for kind in ("paper", "edge", "circle", "leaf", "name", "value", "gradient"):
        assert f".bp-{kind}" in light
        assert f".bp-{kind}" in dark
    assert contrast(*colours(light)) >= 4.5
    assert contrast(*colours(dark)) >= 4.5


def colours(style):
    """Of gradients, the least dark of the texts, and of the paper."""
    found = [re.search(rf"\.bp-{kind}{{fill:#(\w+)", style).group(1) for kind in ("gradient", "paper")]
    return [
        [int("".join(c * (2 if len(code) == 3 else 1) for c in part), 16) / 255 for part in split(code)]
        for code in found
    ]


def split(code):
    width = len(code) // 3
    return [code[n : n + width] for n in range(0, len(code), width)]


def contrast(one, other):
    """Of the Web Content Accessibility Guidelines."""

    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dim, bright = sorted([luminance(one), luminance(other)])
    return (bright + 0.05) / (dim + 0.05)


def test_names_are_text():
    x = graph.variable(1.0, '<script>alert("1")</script> & co')
    drawing = (x + 1).draw()
    assert Picture(drawing.svg).words("bp-name")[0] == x.name
    assert "<script" not in drawing.svg
    assert r"alert(\"1\")" in drawing.dot
    assert "alert#40;#34;1#34;#41;" in drawing.mermaid


@pytest.mark.parametrize(
    "name",
    [
        "\x00",
        "\x0b",
        "\ufffe",
        "\ud800",
        "a\nb",
        'a"b',
        "a<b&amp;",
        "1. one",
        "+",
        "é̂x",
        "👩‍💻",
        "사과",
        "x" * 5000,
    ],
    ids=lambda name: ascii(name[:40]),
)
def test_any_name_can_be_drawn(name, tmp_path):
    x = graph.variable(1.0, name)
    z = x + 1
    z.name = name
    z.backward()
    assert list(Picture(z.draw(tmp_path / "x.svg").svg).faults()) == []
    Picture((tmp_path / "x.svg").read_text(encoding="utf-8"))  # is well-formed
    assert z.draw(tmp_path / "x.dot").svg.count("<text") == 8
    z.draw(tmp_path / "x.mmd")
    assert "\n" not in repr(z)
    repr(z).encode()


def test_what_has_a_meaning_elsewhere_is_written_by_its_number():
    x = graph.variable(1.0, "1. a&b *c*")
    drawing = (x + 1).draw()
    assert 'n0["1#46; a#38;b #42;c#42;"]' in drawing.mermaid
    assert 'n2(("#43;"))' in drawing.mermaid
    assert 'label="1. a&amp;b *c*"' in drawing.dot


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("name", ["\x00", "a&lt;b", 'a"b\\', "\ud800"], ids=ascii)
def test_graphviz_reads_it(name, tmp_path):
    z = graph.variable(1.0, name) + 1
    z.draw(tmp_path / "x.dot")
    drawn = subprocess.run(["dot", "-Tsvg", tmp_path / "x.dot"], check=True, capture_output=True).stdout
    assert f">{readable_name(name).replace('&', '&amp;').replace(chr(34), '&quot;')}<" in drawn.decode()


def test_a_file_that_cannot_be_written_is_left_alone(tmp_path):
    (tmp_path / "kept.svg").write_text("kept")
    with pytest.raises(ValueError, match="wanted a name that ends in"):
        apples().draw(tmp_path / "kept.svgz")
    with pytest.raises(OSError, match="none"):
        apples().draw(tmp_path / "none" / "x.svg")
    assert (tmp_path / "kept.svg").read_text() == "kept"


def test_files(tmp_path):
    price = apples()
    drawing = price.draw(tmp_path / "apples.svg")
    assert (tmp_path / "apples.svg").read_text(encoding="utf-8") == drawing.svg == drawing._repr_svg_()
    assert drawing.svg in drawing._repr_html_() == price._repr_html_()
    price.draw(tmp_path / "apples.dot")
    price.draw(str(tmp_path / "apples.mmd"))
    assert (tmp_path / "apples.dot").read_text(encoding="utf-8") == drawing.dot
    assert (tmp_path / "apples.mmd").read_text(encoding="utf-8") == drawing.mermaid
    with pytest.raises(ValueError, match=r"path is 'apples.png', wanted a name that ends in .svg, .dot"):
        price.draw("apples.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["apples.dot", "apples.mmd", "apples.svg"]


def test_graphviz_and_mermaid():
    x = graph.variable(2.0, "x")
    z = -x
    z.name = "z"
    z.backward()
    assert z.draw().dot.splitlines() == [
        *("digraph {", "  rankdir=LR;"),
        '  n0 [shape=plaintext, label="x"];',
        '  n1 [shape=plaintext, label="−1"];',
        '  n2 [shape=circle, label="×"];',
        '  out [shape=plaintext, label="z"];',
        '  n0 -> n2 [label="2\\n← −1"];',
        '  n1 -> n2 [label=""];',
        '  n2 -> out [label="−2\\n← 1"];',
        "}",
    ]
    assert z.draw().mermaid.splitlines() == [
        "flowchart LR",
        *('  n0["x"]', '  n1["−1"]', '  n2(("×"))', '  out["z"]'),
        *('  n0 -- "2 / ← −1" --> n2', "  n1 --> n2", '  n2 -- "−2 / ← 1" --> out'),
    ]


def squares():
    """A graph in which z = (x + y)² comes from names, and x + y goes into one node only."""
    x, y = graph.variable(2, "x"), graph.variable(3, "y")
    t = x + y
    t.name = "t"
    z = t**2
    z.name = "z"
    z.backward()
    return z


def test_all_formats_say_the_symbols():
    drawing = squares().draw(symbols=True)
    assert drawing.dot.splitlines()[7:-1] == [
        '  n0 -> n2 [label="← ∂z/∂t·1"];',
        '  n1 -> n2 [label="← ∂z/∂t·1"];',
        '  n2 -> n3 [label="t\\n← ∂z/∂z·2t"];',
        '  n3 -> out [label="z\\n← ∂z/∂z"];',
    ]
    assert drawing.mermaid.splitlines()[6:] == [
        '  n0 -- "← ∂z/∂t·1" --> n2',
        '  n1 -- "← ∂z/∂t·1" --> n2',
        '  n2 -- "t / ← ∂z/∂z·2t" --> n3',
        '  n3 -- "z / ← ∂z/∂z" --> out',
    ]


@pytest.mark.parametrize("symbols", [False, True, "L"], ids=str)
@pytest.mark.parametrize(
    "make", [apples, softmax_with_loss, lambda: busy(30)], ids=["apples", "softmax", "busy"]
)
def test_all_formats_say_the_same(make, symbols):
    output = make()
    output.backward()
    for drawing in (output.draw(symbols=symbols), *output.frames(symbols=symbols)):
        picture = Picture(drawing.svg)
        # In front of its branches a value has a label of its own, which the other formats lack.
        known = {*picture.words("bp-value"), *picture.words("bp-gradient")}
        labels = re.findall(r'-> \w+ \[label="(.*)"\]', drawing.dot)
        parts = [part for label in labels for part in label.split("\\n") if part]
        assert {*parts} <= known
        branching = known - {*parts}
        assert len(branching) <= sum(box.kind == "fork" for box in drawing._scene.boxes)
        arrows = re.findall(r'-- "(.*)" -->', drawing.mermaid)
        said = [re.sub(r"#(\d+);", lambda found: chr(int(found[1])), arrow) for arrow in arrows]
        assert said == [label.replace("\\n", " / ") for label in labels if label]
        assert (
            drawing.dot.count("penwidth")
            == drawing.mermaid.count("  style n")
            == drawing.svg.count(" bp-hot")
        )


def test_frames(tmp_path):
    price = apples()
    assert len(price.frames()) == 6  # the leaves, four operations, the whole
    price.backward()
    frames = price.frames(tmp_path)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [f"frame-{n:02}.svg" for n in range(1, 12)]
    assert (tmp_path / "frame-03.svg").read_text(encoding="utf-8") == frames[2].svg
    pictures = [Picture(frame.svg) for frame in frames]
    values = [len(picture.words("bp-value")) for picture in pictures]
    gradients = [len(picture.words("bp-gradient")) for picture in pictures]
    assert values == [5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9]
    assert gradients == [0, 0, 0, 0, 0, 1, 3, 5, 7, 9, 9]
    assert frames[-1].svg == price.draw().svg
    assert [frame.svg.count("bp-circle bp-hot") for frame in frames] == [0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0]
    assert len({(p.paper.right, p.paper.bottom) for p in pictures}) == 1
    with pytest.raises(FileNotFoundError, match="frames: there is no folder"):
        price.frames(tmp_path / "none")


def test_frames_show_a_sum_when_all_its_parts_are_there():
    x = graph.variable(3.0, "x")
    z = x * x + x
    z.backward()
    steps = [sorted(Picture(frame.svg).words("bp-gradient")) for frame in z.frames()]
    assert steps[-3:] == [
        ["← 1", "← 1", "← 1"],
        sorted(["← 1", "← 1", "← 1", "← 3", "← 3", "← 7"]),
        steps[-2],
    ]


def test_frames_of_a_graph_that_was_gone_through_in_part():
    a = graph.variable(2.0, "a")
    b = a * 3
    c = b * 4
    b.backward()
    frames = c.frames()
    assert frames[-1].svg == c.draw().svg
    assert Picture(frames[-1].svg).words("bp-gradient") == ["← 3", "← 1"]
    assert [len(Picture(frame.svg).words("bp-gradient")) for frame in frames] == [0, 0, 0, 1, 2, 2]


def test_a_drawing_stays_what_it_was():
    x = graph.variable(2.0, "x")
    z = x * 3
    drawing = z.draw()
    before = drawing.svg
    x.value = 5.0
    x.name = "other"
    assert drawing.svg == before
