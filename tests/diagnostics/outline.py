"""A page as a browser's parser sees it."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class Outline(HTMLParser):
    """The tags, attributes, text and balance of a page, as a browser's parser sees them."""

    LEAVES = frozenset(("meta", "br", "hr", "path", "line", "rect", "circle", "polygon", "use", "input", "wbr"))

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.LEAVES:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.LEAVES:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def is_self_contained(page: str) -> bool:
    """Whether nothing in the page is loaded from elsewhere."""
    outline = Outline(page)
    links = [value or "" for name, value in outline.attributes if name in ("src", "href", "xlink:href")]
    urls = re.findall(r"url\((.*?)\)", page)
    inside = all(link.startswith("#") for link in links) and all(url.startswith("#") for url in urls)
    return inside and "@import" not in page and not {"link", "img", "iframe", "object"} & set(outline.tags)
