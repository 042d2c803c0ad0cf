"""Events: their ids and their texts."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from newsletter.feedback.event import LONGEST_ID, LONGEST_TEXT, Event, Kind, Proof, id_of, said

NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)


@given(st.text())
def test_what_was_said_is_one_printable_line_of_bounded_length(text):
    line = said(text)

    assert line.isprintable()
    assert len(line.encode()) <= LONGEST_TEXT
    assert said(line) == line or "@" in text


def test_what_was_said_names_nobody():
    assert said("550 <anna@lakes.example>: no such user") == "550 <a…@l….example>: no such user"


def test_an_address_at_the_end_of_what_is_kept_is_masked_too():
    assert "anna" not in said("x" * 500 + " anna@lakes.example")


def test_an_id_tells_its_parts_apart_and_fits():
    assert id_of("ses", "ab", "c") != id_of("ses", "a", "bc")
    assert id_of("ses", "a") != id_of("brevo", "a")
    assert id_of("ses", "a") == id_of("ses", "a")
    assert len(id_of("s" * 200, "a" * 5000)) == LONGEST_ID


def test_an_event_without_proof_may_change_nothing():
    event = Event.unproven("mail:1", Kind.HARD, at=NOW, source="mail", text="gone")

    assert (event.proof, event.is_proven, event.delivery, event.digest) == (Proof.NONE, False, None, None)
