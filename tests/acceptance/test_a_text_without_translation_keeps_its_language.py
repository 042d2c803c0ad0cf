"""A text first written in French, with no English one, stands in the English edition in French, marked as French."""

from lxml import html as lxml_html

TITLE = "Le bac reprend son service"
BODY = "Après six mois de chantier, le **bac** relie de nouveau les deux rives."


def language_around(page, words):
    """The language that a screen reader would speak these words in."""
    holder = next(element for element in page.iter("body") if words in spoken(element))
    while inner := [child for child in holder.iterchildren("*") if words in spoken(child)]:
        holder = inner[0]
    return next(each.get("lang") for each in (holder, *holder.iterancestors()) if each.get("lang"))


def spoken(element):
    return " ".join("".join(element.itertext()).split())


def test_a_text_without_translation_keeps_its_language(installation, small):
    small["newsletter"]["languages"] = ["en", "fr"]
    small["entries"] = [
        {
            "key": "ferry",
            "kind": "news",
            "section": "news",
            "published": "2026-11-10",
            "texts": {
                "fr": {"title": TITLE, "body": BODY, "links": [{"label": "Lire l’avis", "url": "https://a.example/x"}]}
            },
        }
    ]
    installation.quickly("content", "import", installation.write("pack.yaml", small))
    installation.quickly("issue", "assemble", "one")
    out = installation.folder / "out"
    installation.run("issue", "compile", "one", "--output", out)
    page = lxml_html.parse(str(out / "en.html")).getroot()

    assert page.get("lang") == "en"
    for words in (TITLE, "relie de nouveau les deux rives", "Lire l’avis"):
        assert language_around(page, words) == "fr", words
    assert page.xpath("//body//h2[not(ancestor-or-self::*[@lang='fr'])][contains(., 'News')]")
    own = lxml_html.parse(str(out / "fr.html")).getroot()
    assert not own.xpath("//body//h3[@lang]")
    assert TITLE in (out / "en.txt").read_text(encoding="utf-8")
    found = installation.quickly("issue", "preflight", "one", "--json").json["findings"]
    assert [(finding["code"], finding["edition"]) for finding in found if finding["code"] == "fallback-shown"] == [
        ("fallback-shown", "en")
    ]
