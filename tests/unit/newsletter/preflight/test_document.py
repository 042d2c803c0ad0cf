import pytest

from newsletter.preflight.document import document_of


def test_a_document_has_the_rules_of_all_its_sheets():
    document = document_of(
        '<html><head><style>a{top:0}</style><style media="print">b{top:0}</style><style></style></head><body></body></html>'
    )
    assert [(rule.context, rule.selectors) for rule in document.rules] == [((), ("a",)), (("@media print",), ("b",))]


def test_what_is_for_outlook_alone_is_no_part_of_the_tree():
    document = document_of("<p>One</p><!--[if mso]><table></table><style>a{top:0}</style><![endif]--><?x?>")
    assert [element.tag for element in document.elements()] == ["html", "body", "p"]
    assert document.rules == ()


@pytest.mark.parametrize("html", ["", " ", "<!-- -->", "<!DOCTYPE html>", "\0", "\ud800"])
def test_a_document_without_anything_is_one_still(html):
    assert document_of(html).root.tag == "html"


def test_odd_characters_are_read_as_they_are():
    html = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=latin-1"></head><body>Łódź</body></html>'
    assert "".join(document_of(html).root.itertext()) == "Łódź"


@pytest.mark.parametrize(
    ("selector", "found", "specificity"),
    [
        ("p", ["a", "b"], (0, 0, 1)),
        ("div > p.x", ["b"], (0, 1, 2)),
        ("#b", ["b"], (1, 0, 0)),
        ("p:hover", [], (0, 1, 1)),
        ("p::after", [], (0, 0, 0)),
        ("p:after", [], (0, 0, 0)),
        ("p:is(", [], (0, 0, 0)),
        ("p:unheard-of", [], (0, 0, 0)),
        ("<>", [], (0, 0, 0)),
    ],
)
def test_a_selector_means_elements(selector, found, specificity):
    document = document_of('<p id="a">One</p><div><p id="b" class="x">Two</p></div>')
    elements, weight = document.matching(selector)
    assert [element.get("id") for element in elements] == found
    assert weight == specificity
