import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.yaml import DEEPEST, read, written


def problem(raw):
    document = read(raw if isinstance(raw, bytes) else raw.encode())
    (found,) = document.problems
    return found.at("f")


@given(st.one_of(st.binary(max_size=60), st.text(st.sampled_from("ab:-[]{}&*!|>'\"%?# \n\t,~@`\\xuU0"), max_size=40)))
def test_whatever_a_file_holds_is_read_or_refused(raw):
    document = read(raw if isinstance(raw, bytes) else raw.encode())
    assert document.data is not None or document.problems


def test_every_scalar_stays_the_text_it_was_written_as():
    source = 'a: 1.10\nb: no\nc: 2026-12-01\nd: 012\ne: true\nf: "null"\ng: null\nh:\ni: ~\nj: !!str\nk: !!int 3\n'
    assert read(source.encode()).data == {
        "a": "1.10", "b": "no", "c": "2026-12-01", "d": "012", "e": "true", "f": "null",
        "g": None, "h": None, "i": None, "j": "", "k": "3",
    }  # fmt: skip


def test_a_byte_order_mark_is_no_part_of_the_first_key():
    assert read("\ufeffa: 1".encode()).data == {"a": "1"}


def test_every_part_knows_its_line_and_column():
    document = read(b"a:\n  - {key: x, b: y}\n  - key: z\n")
    assert document.problem("m", ("a", 0, "b")).at("f") == "f:2:17: a[0].b: m"
    assert document.problem("m", ("a", 0, "b"), at_key=True).at("f") == "f:2:14: a[0].b: m"
    assert document.problem("m", ("a", 1, "none", "x"), absent="title").at("f") == "f:3:5: a[1].title: m"
    assert document.problem("m", ()).at("f") == "f:1:1: m"
    assert written(("entries", 3, "sittings", 0, "end")) == "entries[3].sittings[0].end"


def test_anchors_and_aliases_are_followed():
    document = read(b"- &a {x: [1, 2]}\n- *a\n- {y: *a}\n- &b word\n- *b\n")
    assert document.data == [{"x": ["1", "2"]}, {"x": ["1", "2"]}, {"y": {"x": ["1", "2"]}}, "word", "word"]
    assert document.place((2, "y", "x", 1))[1].line == 1
    assert document.place((1,))[1].line == 2


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("a: 1\nb: 2\na: 3", "f:3:1: a: the key 'a' stands here twice, first in line 1"),
        ("x:\n- - {b: 1, b: 2}", "f:2:12: x[0][0].b: the key 'b' stands here twice, first in line 2"),
        ("a:\n\t- x", "f:2:1: a tab stands here: indent with spaces"),
        (b"a: 1\nbc: \xff", "f:2:5: this is not UTF-8: save the file with that encoding"),
        ("", "f:1:1: the file is empty"),
        ("# only a remark", "f:1:1: the file is empty"),
        ("- *b", "f:1:3: nothing is called &b before this"),
        ("a: &x [*x]", "f:1:8: nothing is called &x before this"),
        ("a: !!python/name:os.system x", "f:1:4: the tag tag:yaml.org,2002:python/name:os.system means nothing here"),
        ("a: !set {}", "f:1:4: the tag !set means nothing here"),
        ("a: 1\n---\nb: 2", "f:2:1: a second document begins here; a pack is one"),
        ("{[1]: 2}", "f:1:2: a key is a plain word"),
        ("{{a: 1}: 2}", "f:1:2: a key is a plain word"),
        ("[&a x, {*a : 2}]", "f:1:9: a key is a plain word"),
        ("ab: \x07", "f:1:5: the character U+0007 cannot stand in a file"),
        ("a: b: c", "f:1:5: this is not YAML (mapping values are not allowed here): put a text with a colon in quotes"),
        ("a: 'x", "f:1:6: this is not YAML (while scanning a quoted scalar found unexpected end of stream)"),
        ("%YAML 1.0\n---\na", "f:1:1: this is not YAML: version minor part can only be 2 or 1, got (1, 0)"),
        ("[" * 100, f"f:1:{DEEPEST + 1}: this is nested more than {DEEPEST} levels deep"),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_place(raw, said):
    assert problem(raw) == said


def test_the_first_of_two_equal_keys_is_kept():
    assert read(b"a: 1\na: {b: 2}\nc: 3").data == {"a": "1", "c": "3"}


def test_an_alias_bomb_is_refused_at_once():
    steps = "".join(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    assert "the aliases unfold to too much" in problem(f"- &a0 [x, x]\n{steps}")


def test_aliases_do_not_nest_deeper_than_anything_else():
    deep = "[" * 40 + "x" + "]" * 40
    assert "with its aliases this is nested more than" in problem(f"- &a {deep}\n- {'[' * 30}*a{']' * 30}")
