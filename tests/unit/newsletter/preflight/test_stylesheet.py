import time

import pytest

from newsletter.preflight.stylesheet import NESTED, Declaration, StyleRule, declarations_in, rules_in, split_outside


def test_a_rule_has_its_selectors_and_declarations():
    assert list(rules_in("h1, .lead > a { Color: Navy; margin:0 !important }")) == [
        StyleRule((), ("h1", ".lead > a"), (Declaration("color", "Navy"), Declaration("margin", "0", important=True)))
    ]


def test_a_rule_knows_the_at_rules_around_it():
    css = "@media (min-width: 480px) { @supports (display: grid) { p { gap: 1px } } } p { top: 0 }"
    assert [(rule.context, rule.selectors) for rule in rules_in(css)] == [
        (("@media (min-width: 480px)", "@supports (display: grid)"), ("p",)),
        ((), ("p",)),
    ]


def test_at_rules_without_rules_stand_by_themselves():
    css = '@import url("a;b.css") print; @font-face { font-family: Tide; src: url(tide.woff) } ;'
    assert list(rules_in(css)) == [
        StyleRule(('@import url("a;b.css") print',), (), ()),
        StyleRule(("@font-face",), (), (Declaration("font-family", "Tide"), Declaration("src", "url(tide.woff)"))),
    ]


def test_a_rule_inside_another_is_marked():
    outer, inner = rules_in("a { color: navy; &:hover { color: red } top: 0 }")
    assert outer.declarations == (Declaration("color", "navy"), Declaration("top", "0"))
    assert (inner.context, inner.selectors) == ((NESTED,), ("&:hover",))


@pytest.mark.parametrize(
    ("css", "names"),
    [
        ("a{content:'}{;';color:red}", ["content", "color"]),
        (r"a{content:'\'';color:red}", ["content", "color"]),
        ("a{/* color: red; } */top:0}", ["top"]),
        ("<!-- a{top:0} -->", ["top"]),
        ("a{background:url(data:image/png;base64,AA==);top:0}", ["background", "top"]),
        ("a{top:0", ["top"]),
        ("a{top:0}}b{left:0}", ["top", "left"]),
        ("a{top;:0;left:}", []),
        ("a{top:0)}", ["top"]),
        ("/* never closed", []),
    ],
)
def test_signs_inside_strings_brackets_and_comments_are_no_syntax(css, names):
    assert [each.name for rule in rules_in(css) for each in rule.declarations] == names


def test_a_style_attribute_is_a_list_of_declarations():
    assert declarations_in("color:#0b5c8a; width : 50%;;") == (
        Declaration("color", "#0b5c8a"),
        Declaration("width", "50%"),
    )


def test_text_is_cut_outside_brackets_and_strings_only():
    assert split_outside("a, :is(b, c), '[,]'", ",") == ("a", ":is(b, c)", "'[,]'")


@pytest.mark.unwatched  # what is measured is the program, not its being watched
@pytest.mark.parametrize(
    "css", ["{" * 15_000, "@media x{" * 400, "a{" + "b:c;" * 20_000, "('\"" * 30_000, "/*" * 50_000]
)
def test_a_hostile_sheet_takes_no_time(css):
    start = time.process_time()
    list(rules_in(css))
    assert time.process_time() - start < 2
