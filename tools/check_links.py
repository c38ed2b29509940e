"""`python tools/check_links.py FOLDER`: whether every link in a built documentation leads to a page and an anchor."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a stylesheet loads from another host; a picture inside its own text begins with `data:`.
FOREIGN = re.compile(r"""(?:url\(|@import)\s*['"]?((?:https?:)?//[^'")\s]+)""")


class Page(HTMLParser):
    """What a page links to, what it loads, and the anchors that it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name in ("id", "name"):
                self.anchors.add(value)
            elif name == "href" and tag == "a":
                self.links.append(value)
            elif name == "src" or (name == "href" and tag == "link"):
                self.loaded.append(value)


def broken(folder: Path) -> list[str]:
    """Every link that leads nowhere, and everything that is loaded from another host."""
    pages = {path.resolve(): Page(path) for path in folder.rglob("*.html")}
    found = []
    for path, page in pages.items():
        for link in (*page.links, *page.loaded):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    found.append(f"{path.name}: {link} is loaded from elsewhere")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target not in pages:
                if not target.exists():
                    found.append(f"{path.name}: there is no {link}")
            elif parts.fragment and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{path.name}: {link} has no such anchor")
    for path in folder.rglob("*.css"):
        loaded = FOREIGN.findall(path.read_text(encoding="utf-8"))
        found += [f"{path.name}: {link} is loaded from elsewhere" for link in loaded]
    return found


def main() -> int:
    """Exit status 1 if any is broken."""
    folder = Path(sys.argv[1])
    found = broken(folder)
    print(*found, f"{len(found)} broken links in {folder}", sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
