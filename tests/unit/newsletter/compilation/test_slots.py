from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compilation.slots import ORIGIN, Slot, Slots, one_line
from newsletter.errors import SlotsLost


def test_officers_notation_becomes_tokens_of_letters_and_digits():
    slots = Slots.of("Dear [[first_name|dear reader]], hello [[city]]")
    marked = slots.mark("Dear [[first_name|dear reader]], hello [[ city ]]")
    assert marked == f"Dear zq{slots.nonce}t0qz, hello zq{slots.nonce}t1qz"
    assert slots.used == (Slot("first_name", "dear reader"), Slot("city"))


def test_the_same_slot_has_the_same_token_and_another_default_another_one():
    slots = Slots.of("")
    assert slots.mark("[[city]]") == slots.mark("[[city]]")
    assert slots.mark("[[city]]") != slots.mark("[[city|your town]]")


def test_unknown_names_stay_as_they_are_and_are_reported_once():
    slots = Slots.of("")
    text = "[[unsubscribe]] and [[unsubscribe_url]] and [[unsubscribe]] and [[a b]] and [[]]"
    assert slots.mark(text) == text
    assert slots.unknown == ("unsubscribe", "unsubscribe_url")
    assert slots.used == ()


@pytest.mark.parametrize("address", ["https://a.example/?m=", "mailto:x@a.example?subject=", "HTTP://a.example/"])
def test_a_slot_inside_an_address_stays_inert(address):
    slots = Slots.of("")
    assert slots.mark(f"see {address}[[email]]") == f"see {address}[[email]]"
    assert slots.unknown == ("email",)
    assert slots.mark(f"see {address}x then [[email]]").endswith("qz")


def test_the_nonce_depends_on_the_content_alone_and_never_occurs_in_it():
    first = Slots.of("one").nonce
    assert first == Slots.of("one").nonce
    assert first != Slots.of("two").nonce
    assert len(first) == 10


def test_a_content_that_holds_its_own_nonce_gets_another_one(monkeypatch):
    from newsletter.compilation import slots as module

    class Sly(str):
        __slots__ = ()
        asked = 0

        def __contains__(self, key):
            Sly.asked += 1
            return Sly.asked == 1

    plain = module.Slots.of("text").nonce
    assert module.Slots.of(Sly("text")).nonce != plain


def test_the_theme_asks_for_texts_and_addresses_by_name():
    slots = Slots.of("")
    assert slots.text("recipient").startswith(f"zq{slots.nonce}t")
    assert slots.url("unsubscribe_url").startswith(f"{ORIGIN}zq{slots.nonce}u")
    with pytest.raises(ValueError, match="no slot 'unsubscribe_url'"):
        slots.text("unsubscribe_url")
    with pytest.raises(ValueError, match="no address 'email'"):
        slots.url("email")


def test_a_step_that_keeps_every_token_passes_whatever_their_number():
    slots = Slots.of("")
    token = slots.mark("[[city]]")
    once, twice = f"a {token}", f"{token} b {token}"
    slots.check("step", once, twice)
    assert slots.tokens_in(once) == slots.tokens_in(twice) == {token}


def test_a_step_that_drops_or_invents_a_token_is_named_with_the_slot():
    slots = Slots.of("")
    city, leave = slots.mark("[[city]]"), slots.url("unsubscribe_url")
    with pytest.raises(SlotsLost, match=r"'inline' lost city$") as lost:
        slots.check("inline", f"{city} {leave}", leave)
    assert lost.value.lost == ("city",)
    with pytest.raises(SlotsLost, match="invented unsubscribe_url"):
        slots.check("inline", city, f"{city} {leave}")
    with pytest.raises(SlotsLost, match=f"invented zq{slots.nonce}t9qz"):
        slots.check("inline", "", f"zq{slots.nonce}t9qz")


def test_a_text_without_slots_is_one_piece():
    assert Slots.of("").split("plain") == ("plain",)


def test_a_finished_text_is_cut_at_its_tokens():
    slots = Slots.of("")
    text = f"Hello {slots.mark('[[city]]')}: {slots.url('preferences_url')}\n"
    assert slots.split(text) == ("Hello ", Slot("city"), ": ", Slot("preferences_url"), "\n")


def test_a_damaged_token_is_never_sent():
    slots = Slots.of("")
    token = slots.mark("[[city]]")
    with pytest.raises(SlotsLost):
        slots.split(f"{token} {token[:-1]}")
    address = slots.url("unsubscribe_url")
    with pytest.raises(SlotsLost, match="unsubscribe_url"):
        slots.split(f'{address} href="{address.removeprefix(ORIGIN)}"')


@pytest.mark.parametrize("after", ["/x", "?a=b", "#top", "x"])
def test_nothing_may_be_appended_to_an_address(after):
    slots = Slots.of("")
    with pytest.raises(SlotsLost, match="the end of unsubscribe_url"):
        slots.split(slots.url("unsubscribe_url") + after)


def test_an_address_may_not_run_into_another_slot():
    slots = Slots.of("")
    with pytest.raises(SlotsLost, match="the end of unsubscribe_url"):
        slots.split(slots.url("unsubscribe_url") + slots.mark("[[city]]"))


def test_values_are_filled_in_escaped_and_never_evaluated_again():
    slots = Slots.of("")
    text = f'<a href="{slots.url("unsubscribe_url")}">{slots.mark("[[first_name|reader]]")}</a>'
    hostile = 'Zoë "<b>x</b>" {{7*7}} \\1 [[city]] ' + slots.mark("[[first_name|reader]]")
    filled = slots.fill(text, {"first_name": hostile, "unsubscribe_url": "https://n.example/u?a=1&b=2"}, escape=escape)
    assert filled == f'<a href="https://n.example/u?a=1&amp;b=2">{escape(hostile)}</a>'
    assert slots.fill(text, {"unsubscribe_url": "https://n.example/"}).endswith(">reader</a>")


def test_known_slots_give_the_tokens_of_the_first_compilation():
    first = Slots.of("content")
    text = first.mark("[[city]] [[first_name|x]] ") + first.url("unsubscribe_url")
    again = Slots.known(first.nonce, first.used)
    assert again.split(text) == first.split(text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Ann\r\nBcc: x", "Ann Bcc: x"),
        ("a\x00b\u2028c", "a b c"),
        ("  much   space\u00a0 ", "much space"),
        ("نمی\u200cخواهم", "نمی\u200cخواهم"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("x\u202ey", "x y"),
    ],
)
def test_values_are_made_one_printable_line(value, shown):
    assert one_line(value) == shown
    assert Slot("city").resolve({"city": value}) == shown


@given(st.text())
def test_marking_and_filling_with_the_defaults_changes_nothing_but_the_notation(text):
    slots = Slots.of(text)
    marked = slots.mark(text)
    assert "".join(part.default if isinstance(part, Slot) else part for part in slots.parts(text)) == slots.fill(
        marked, {}
    )


def test_only_letters_have_an_address_to_confirm_at():
    slots = Slots.of("letter")
    with pytest.raises(ValueError, match="no address 'confirmation_url'"):
        slots.url("confirmation_url")
    token = slots.confirmation_url()
    assert slots.fill(f"see {token}", {"confirmation_url": "https://n.example/c/k"}) == "see https://n.example/c/k"
