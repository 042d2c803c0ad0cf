"""What two people made of one thing, put together."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.merging import Clash, merge

BASE = {"title.en": "Quay", "title.fr": "Quai", "topic": None, "tags": []}
FIELDS = st.fixed_dictionaries({name: st.sampled_from(["a", "b", "c"]) for name in BASE})


def test_fields_that_one_side_changed_are_put_together():
    merged = merge(BASE, mine=BASE | {"title.en": "The quay"}, theirs=BASE | {"title.fr": "Le quai"})
    assert merged.sheet == BASE | {"title.en": "The quay", "title.fr": "Le quai"}
    assert (merged.taken, merged.clashes) == (("title.fr",), ())


def test_a_field_that_both_changed_is_for_a_person_to_decide():
    merged = merge(BASE, mine=BASE | {"title.en": "Mine"}, theirs=BASE | {"title.en": "Theirs"})
    assert merged.clashes == (Clash(field="title.en", base="Quay", mine="Mine", theirs="Theirs"),)
    assert merged.sheet["title.en"] == "Mine"


def test_the_same_change_by_both_is_none():
    merged = merge(BASE, mine=BASE | {"topic": "x"}, theirs=BASE | {"topic": "x"})
    assert (merged.sheet["topic"], merged.taken, merged.clashes) == ("x", (), ())


def test_a_field_that_mine_does_not_name_is_left_to_them():
    merged = merge(BASE, mine={"title.en": "Mine"}, theirs=BASE | {"title.fr": "Le quai"})
    assert merged.sheet == BASE | {"title.en": "Mine", "title.fr": "Le quai"}


def test_a_language_that_both_add_clashes():
    merged = merge(BASE, mine=BASE | {"title.de": "Kai"}, theirs=BASE | {"title.de": "Ufer"})
    assert [clash.field for clash in merged.clashes] == ["title.de"]


def test_nobody_knows_what_it_was_so_every_difference_is_asked_about():
    merged = merge({}, mine={"title.en": "Mine"}, theirs=BASE)
    assert [clash.field for clash in merged.clashes] == ["title.en"]


@given(FIELDS, FIELDS, FIELDS)
def test_no_words_are_lost(base, mine, theirs):
    merged = merge(base, mine=mine, theirs=theirs)
    clashing = {clash.field: clash for clash in merged.clashes}
    for field in base:
        changed = {value for value in (mine[field], theirs[field]) if value != base[field]}
        said = {clashing[field].mine, clashing[field].theirs} if field in clashing else {merged.sheet[field]}
        assert changed <= said
        assert (len(changed) > 1) == (field in clashing)
