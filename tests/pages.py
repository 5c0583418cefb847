"""Pages in HTML, as far as tests look into them."""

import json
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """What matters of a page: elements with their attributes, texts, the data in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.data: Any = None
        self.inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        self.inside = tag

    def handle_data(self, text: str) -> None:
        if self.inside == "script" and self.data is None:
            self.data = json.loads(text)
        elif self.inside not in ("script", "style"):
            self.text += text

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def row(self, product: str) -> dict[str, str]:
        """Row of the table of sources, by label of the column."""
        place = self.data["products"].index(product)
        labels = [column["label"] for column in self.data["columns"]]
        return dict(zip(labels, self.data["rows"][place], strict=True))
