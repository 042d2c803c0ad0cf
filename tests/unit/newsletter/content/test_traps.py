import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.traps import TrapKind, protected, traps

TYPED = """1. Dezember|- 2. Mai 2027|> 3. März|>>> x|>> y|> z|===|---|--|- a||    b|\tc|```|~~~~|~~~ d|# e|1. f|2. g|text|
    1. Juni|> ===|  - 4. Juli|\\>>> h|* * *"""

lines = st.lists(
    st.one_of(st.sampled_from(TYPED.replace("\n", "").split("|")), st.text("12. >-=~`ab\t", max_size=12)), max_size=12
).map("\n".join)


@given(lines)
def test_protecting_twice_is_the_same_as_once(source):
    assert protected(protected(source)) == protected(source)


@given(lines)
def test_what_is_protected_holds_no_more_traps(source):
    assert traps(protected(source)) == ()


@pytest.mark.parametrize(
    ("source", "safe"),
    [
        ("1. Dezember 2026 Treffen", "1\\. Dezember 2026 Treffen"),
        ("28. 9.", "28\\. 9."),
        ("28. 9. 2026 in Bonn", "28\\. 9. 2026 in Bonn"),
        ("1. Dez. 2026", "1\\. Dez. 2026"),
        ("1. joulukuuta", "1\\. joulukuuta"),
        ("1. prosince 2026", "1\\. prosince 2026"),
        ("2026. december 1.", "2026\\. december 1."),
        ("1. 2026", "1\\. 2026"),
        ("1. und 2. Dezember", "1\\. und 2. Dezember"),
        ("- 1. Dezember: Liège", "- 1\\. Dezember: Liège"),
        ("> 1. Dezember", "> 1\\. Dezember"),
        ("Termine:\n28. 9. Köln\n29. 9. Bonn", "Termine:  \n28\\. 9. Köln  \n29\\. 9. Bonn"),
        ("Termine\\\n28. 9. Köln", "Termine\\\n28\\. 9. Köln"),
    ],
)
def test_a_date_at_the_start_of_a_line_is_no_list(source, safe):
    assert protected(source) == safe
    assert {trap.kind for trap in traps(source)} == {TrapKind.DATE}


@pytest.mark.parametrize(
    "source",
    [
        "1. Erstens\n2. Zweitens",
        "1. Januar planen\n2. Saal mieten",
        "3. Advent",
        "1. Sie können kommen",
        "45. 9. 2026",
        "1. und 2. und 3. Klasse",
        "0. Mai",
        "12. 13. Stock",
        "1.Dezember",
        "1. (Mai)",
        "1) Dezember",
    ],
)
def test_a_list_stays_a_list(source):
    assert protected(source) == source
    assert traps(source) == ()


@pytest.mark.parametrize(
    ("source", "safe"),
    [
        (">>> mehr\n>>> noch", "\\>>> mehr  \n\\>>> noch"),
        (">> mehr", "\\>> mehr"),
        ("> a\n>> b\n>>> c", "> a\n>> b\n>>> c"),
        ("> > a", "> > a"),
    ],
)
def test_an_arrow_is_no_quotation(source, safe):
    assert protected(source) == safe


@pytest.mark.parametrize(
    ("source", "safe"),
    [
        ("Titel\n===\ntext", "Titel  \n\\===  \ntext"),
        ("Titel\n---\ntext", "Titel\n\n---\ntext"),
        ("Titel\n--", "Titel  \n\\--  "),
        ("> Titel\n> ---", "> Titel\n>\n> ---"),
        ("- a\n---", "- a\n---"),
        ("# a\n---", "# a\n---"),
        ("a\n\n---\n---", "a\n\n---\n---"),
        ("> a\n---", "> a\n---"),
        ("===", "==="),
    ],
)
def test_a_row_under_a_line_makes_no_heading(source, safe):
    assert protected(source) == safe


@pytest.mark.parametrize(
    ("source", "safe"),
    [
        ("a\n\n    b\n    c", "a\n\nb\n    c"),
        ("\tb", "b"),
        ("a\n    b", "a\n    b"),
        ("- a\n\n    b\n\n      c", "- a\n\n    b\n\n      c"),
        ("    - a", "- a"),
    ],
)
def test_an_indented_line_is_no_code(source, safe):
    assert protected(source) == safe


@pytest.mark.parametrize(
    ("source", "safe"),
    [
        ("~~~~~\ntext", "\\~\\~\\~\\~\\~\ntext"),
        ("```\n1. Mai\n```\n```", "```\n1. Mai\n```\n\\`\\`\\`"),
        ("~~~\na\n~~~~", "~~~\na\n~~~~"),
        ("~~~~\na\n~~~", "\\~\\~\\~\\~\na\n\\~\\~\\~"),
    ],
)
def test_code_that_is_never_closed_is_none(source, safe):
    assert protected(source) == safe


def test_traps_say_where_they_are_and_what_is_made_of_them():
    source = f"Erstens\n1. Dezember 2026 {'x' * 60}\n\n[here](www.a.example) [there](https://a.example)\r\n>>> x"
    assert [str(trap) for trap in traps(source)] == [
        "line 2: “1. Dezember 2026 xxxxxxxxxxxxxxxxxxxxxx…” is kept as a date, not made a numbered list",
        "line 4: “www.a.example” leads nowhere in a mail and is shown as it is typed: begin the address with https://",
        "line 5: “>>> x” is kept as it is typed, not made a quotation",
    ]


def test_every_kind_of_trap_has_words():
    source = "a\n===\n\n    b\n\n~~~"
    assert [trap.kind for trap in traps(source)] == [TrapKind.UNDERLINE, TrapKind.INDENT, TrapKind.FENCE]
    assert all(str(trap) for trap in traps(source))
