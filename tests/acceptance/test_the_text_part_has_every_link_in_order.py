"""Who reads the text part finds every link of the HTML part, in the order in which the HTML has them."""

import re

from lxml import html as lxml_html

PICTURE = "https://www.beacontowns.example/pictures/skagen"
"""A picture's own link: in the HTML the picture comes first, in the text what it leads to comes behind the words."""


def links_of_the_page(source):
    """The addresses of a page in order, neighbours that repeat each other as one; without "print this page"."""
    found = lxml_html.document_fromstring(source).xpath("//body//a/@href")
    shown = [link.removeprefix("mailto:") for link in found if not link.endswith("#print")]
    return [link for index, link in enumerate(shown) if index == 0 or link != shown[index - 1]]


def of_the_content(links):
    """Those of entries and agenda; masthead and footer are set differently in the two parts."""
    content = re.compile(r"\.ics$|www\.beacontowns\.example/.|meet\.")
    return [link for link in links if content.search(link) and link != PICTURE]


def test_the_text_part_has_every_link_in_order(approved):
    folder = approved.folder / "out"
    approved.run("issue", "compile", "2026-12", "--output", folder)
    for language in ("en", "fr", "es"):
        links = links_of_the_page((folder / f"{language}.html").read_text(encoding="utf-8"))
        text = (folder / f"{language}.txt").read_text(encoding="utf-8")
        words = text.split()
        assert len(links) > 20
        assert [link for link in links if link not in words] == []

        ordered = of_the_content(links)
        assert len(ordered) >= 12
        position = 0
        for link in ordered:
            assert link in words[position:], f"{language}: {link} is out of order"
            position += words[position:].index(link) + 1
