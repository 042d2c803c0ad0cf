import datetime as dt
import re
from email import message_from_bytes
from email.policy import default
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compilation.encoding import Base64Body, QuotedBody
from newsletter.compilation.headers import HeaderRefused
from newsletter.compilation.message import Head, Skeleton, Values, build_skeleton, render
from newsletter.compilation.slots import Slot

HEAD = Head(
    sender_name="Réseau des villes de fleuve",
    sender_address="news@rivers.example",
    reply_to="office@rivers.example",
    list_id="river-cities.rivers.example",
    feedback_id="2026-12:fr:river-cities:riversexample",
    language="fr",
)
NAME = Slot("first_name", "chère lectrice, cher lecteur")
LEAVE = Slot("unsubscribe_url")
VALUES = Values(
    address="zoe@a.example",
    name="Zoë Ångström",
    message_id="r1.d1.0123@rivers.example",
    date=dt.datetime(2026, 12, 1, 8, tzinfo=dt.UTC),
    unsubscribe_url="https://news.example/u/" + "T" * 90 + "?a=1&b=2",
    preferences_url="https://news.example/p/T",
    slots={"first_name": 'Zoë "<b>x</b>"'},
)


def skeleton(head=HEAD, **parts):
    plain = {
        "subject": ["Lettre no 42"],
        "text": ["Bonjour ", NAME, ",\n.\n", LEAVE, "\n"],
        "html": ["<p>Bonjour ", NAME, '</p><a href="', LEAVE, '">x</a>\n'],
    }
    return build_skeleton(head, **{**plain, **parts})


def parsed(data):
    message = message_from_bytes(data, policy=default)
    assert not message.defects
    return message


def content(part):
    return part.get_content().replace("\r\n", "\n")


def check_wire(data):
    assert data.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", data)
    head, body = data.split(b"\r\n\r\n", 1)
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert all(len(line) <= 78 and not line.startswith(b".") for line in body.split(b"\r\n"))
    return head


def test_the_headers_stand_in_their_fixed_order():
    names = [name for name, _ in parsed(render(skeleton(), VALUES)).items()]
    assert names == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Reply-To",
        "List-ID",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "Feedback-ID",
        "Precedence",
        "MIME-Version",
        "Content-Language",
        "Content-Type",
    ]


def test_the_message_reads_back_as_it_was_meant():
    data = render(skeleton(), VALUES)
    head = check_wire(data)
    message = parsed(data)
    assert message["From"].addresses[0].display_name == "Réseau des villes de fleuve"
    assert message["To"].addresses[0].display_name == "Zoë Ångström"
    assert message["List-Unsubscribe"] == f"<{VALUES.unsubscribe_url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-ID"] == "<river-cities.rivers.example>"
    assert message["Content-Language"] == "fr"
    assert message["Date"].datetime == VALUES.date
    assert head.count(b"=?") == head.count(b"From: =?") + head.count(b"To: =?")
    text, html = message.iter_parts()
    assert content(text) == f'Bonjour Zoë "<b>x</b>",\n.\n{VALUES.unsubscribe_url}\n'
    assert content(html) == (
        f'<p>Bonjour {escape(VALUES.slots["first_name"])}</p><a href="{escape(VALUES.unsubscribe_url)}">x</a>\n'
    )


def test_a_reader_without_the_value_sees_the_default():
    text, html = parsed(render(skeleton(), Values(**without_slots()))).iter_parts()
    assert "Bonjour chère lectrice, cher lecteur," in content(text)
    assert "Bonjour chère lectrice, cher lecteur<" in content(html)


def without_slots():
    return {name: getattr(VALUES, name) for name in ("address", "message_id", "date", "unsubscribe_url")}


def test_a_subject_with_a_slot_is_encoded_for_each_reader():
    data = render(skeleton(subject=["Pour ", Slot("city", "vous"), " "]), VALUES)
    assert parsed(data)["Subject"] == "Pour vous"
    there = Values(**without_slots(), slots={"city": "Łódź\r\nBcc: x@y.example"})
    data = render(skeleton(subject=["Pour ", Slot("city", "vous")]), there)
    assert parsed(data)["Subject"] == "Pour Łódź Bcc: x@y.example"
    assert parsed(data)["Bcc"] is None


def test_a_single_message_answers_and_has_nothing_to_leave():
    head = Head(sender_name="", sender_address="news@rivers.example", language="en", bulk=False)
    values = Values(address="a@b.example", message_id="x@y.example", date=VALUES.date)
    message = parsed(render(skeleton(head, text=["t"], html=["h"]), values))
    assert message["Auto-Submitted"] == "auto-generated"
    for name in ("Precedence", "List-Unsubscribe", "List-Unsubscribe-Post", "List-ID", "Reply-To", "Feedback-ID"):
        assert message[name] is None


def test_an_address_to_write_to_stands_second():
    values = Values(**without_slots(), unsubscribe_mailto="mailto:leave+T@rivers.example")
    message = parsed(render(skeleton(), values))
    assert str(message["List-Unsubscribe"]).endswith(">, <mailto:leave+T@rivers.example>")


@pytest.mark.parametrize("address", ["mailto:a@b> <c", "mailto:a b", "mailto:é", "mailto:a\r\nBcc: x", "m" * 998])
def test_an_address_to_write_to_cannot_add_a_header(address):
    with pytest.raises(HeaderRefused, match="List-Unsubscribe"):
        render(skeleton(), Values(**without_slots(), unsubscribe_mailto=address))


@pytest.mark.parametrize(
    "address", ["https://n.example/u> <https://evil.example", "https://n.example/a b", "https://n.example/é"]
)
def test_an_address_that_would_end_its_brackets_is_refused(address):
    with pytest.raises(HeaderRefused, match="List-Unsubscribe"):
        render(skeleton(), Values(**{**without_slots(), "unsubscribe_url": address}))


def test_a_name_from_outside_cannot_add_a_header():
    values = Values(**without_slots(), name="Ann\r\nBcc: x@y.example\x00")
    message = parsed(render(skeleton(), values))
    assert message["Bcc"] is None
    assert message["To"].addresses[0].display_name == "Ann Bcc: x@y.example"


def test_a_stored_skeleton_gives_the_same_bytes():
    first = skeleton()
    assert isinstance(first.text, QuotedBody)
    again = Skeleton.from_bytes(first.to_bytes())
    assert again == first
    assert render(again, VALUES) == render(first, VALUES)


def test_greek_goes_out_in_base64_and_comes_back():
    greek = "Έντεκα εταίροι συγκρίνουν τα αρχεία τους. " * 20
    first = skeleton(
        text=[greek, NAME, greek, LEAVE, "\n"], html=[greek, NAME, "!"], subject=["Νέα ", Slot("city", "σας")]
    )
    assert isinstance(first.text, Base64Body)
    assert Skeleton.from_bytes(first.to_bytes()) == first
    text, html = parsed(render(first, VALUES)).iter_parts()
    assert content(text) == f'{greek}Zoë "<b>x</b>"{greek}{VALUES.unsubscribe_url}\n'
    assert content(html).startswith(greek + "Zoë &quot;&lt;b&gt;")


def test_a_skeleton_of_another_format_is_not_read():
    with pytest.raises(ValueError, match="format 99"):
        Skeleton.from_bytes(b'{"format": 99}')


def test_the_boundary_depends_on_the_content_alone():
    assert skeleton().boundary == skeleton().boundary
    assert skeleton().boundary != skeleton(subject=["Other"]).boundary


words = st.text(st.characters(blacklist_categories=("Cs",)), max_size=80)


@given(name=words, city=words, greek=st.booleans())
def test_no_value_changes_the_structure_of_a_message(name, city, greek):
    filler = "Ω" * 200 if greek else "filler"
    parts = [filler, NAME, "\n.", Slot("city"), "\n"]
    data = render(
        skeleton(text=parts, html=parts, subject=["A ", Slot("city", "b")]),
        Values(**without_slots(), name=name, slots={"first_name": name, "city": city}),
    )
    check_wire(data)
    message = parsed(data)
    assert len(message.items()) == 14
    text, html = message.iter_parts()
    shown = NAME.resolve({"first_name": name})
    assert content(text) == f"{filler}{shown}\n.{Slot('city').resolve({'city': city})}\n"
    assert content(html) == f"{filler}{escape(shown)}\n.{escape(Slot('city').resolve({'city': city}))}\n"
