"""A relay that is a folder."""

import asyncio
import mailbox

import pytest

from newsletter.dispatch.maildir import MaildirRelay
from newsletter.dispatch.outcome import Fault, Phase, Verdict
from newsletter.dispatch.relay import Envelope, RelayDown


def an_envelope(**changes):
    plain = {"sender": "b+x1@rivers.example", "recipient": "anna@lakes.example", "needs_smtputf8": False, "name": "x1"}
    return Envelope(**{**plain, "pieces": (b"Subject: Agenda\r\n\r\nHello\r\n",), **changes})


def turns(folder, *pairs):
    async def talk():
        connection = await MaildirRelay(folder).open()
        taken = [await connection.turn(content, following) for content, following in pairs]
        await connection.close()
        await connection.close(at_once=True)
        return taken

    return asyncio.run(talk())


def send(folder, *envelopes):
    """The outcome of each message."""
    taken = turns(folder, *zip([None, *envelopes], [*envelopes, None], strict=True))
    assert all(turn.is_open for turn in taken[:-1])
    return [turn.content for turn in taken[1:]]


def test_a_message_is_found_by_any_mail_reader(tmp_path):
    (outcome,) = send(tmp_path / "mail", an_envelope())

    (message,) = mailbox.Maildir(tmp_path / "mail", create=False)
    assert (outcome.verdict, outcome.reply.text) == (Verdict.ACCEPTED, "2.0.0 x1.eml")
    assert message["Return-Path"] == "<b+x1@rivers.example>"
    assert message["Delivered-To"] == "anna@lakes.example"
    assert message["Subject"] == "Agenda"
    assert message.get_payload() == "Hello\n"


def test_an_address_outside_ascii_is_written_as_it_is(tmp_path):
    send(tmp_path, an_envelope(recipient="kühn@lakes.example", needs_smtputf8=True))

    assert "Delivered-To: kühn@lakes.example" in (tmp_path / "new" / "x1.eml").read_text(encoding="utf-8")


def test_a_message_that_is_written_again_replaces_itself(tmp_path):
    send(tmp_path, an_envelope(), an_envelope(name="x2"), an_envelope())

    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["x1.eml", "x2.eml"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_an_envelope_alone_writes_nothing(tmp_path):
    (turn,) = turns(tmp_path, (None, an_envelope()))

    assert (turn.is_open, turn.content, turn.envelope, turn.closed) == (True, None, None, False)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_relay_that_is_away(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(RelayDown, match="NotADirectoryError: Not a directory") as down:
        send(tmp_path / "file" / "mail")

    assert (down.value.outcome.verdict, down.value.outcome.fault) == (Verdict.NOT_SENT, Fault.RELAY)


def test_a_message_that_cannot_be_written_is_certainly_not_sent_nor_is_what_follows(tmp_path):
    (tmp_path / "tmp" / "x1.eml").mkdir(parents=True)

    _, turn, further = turns(
        tmp_path, (None, an_envelope()), (an_envelope(), an_envelope(name="x2")), (an_envelope(name="x3"), None)
    )

    for outcome, phase in [
        (turn.content, Phase.CONTENT),
        (turn.envelope, Phase.MAIL),
        (further.content, Phase.CONTENT),
    ]:
        assert (outcome.verdict, outcome.fault, outcome.phase) == (Verdict.NOT_SENT, Fault.RELAY, phase)
        assert (outcome.note, outcome.closes) == ("IsADirectoryError: Is a directory", True)
    assert (turn.closed, further.closed) == (True, True)
    assert list((tmp_path / "new").iterdir()) == []


def test_the_relay_is_called_after_its_folder(tmp_path):
    assert MaildirRelay(tmp_path).name == f"maildir:{tmp_path}"
