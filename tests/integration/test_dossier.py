"""Whoever asks gets everything that is stored about them, in words, and about nobody else."""

import json

import pytest
from integration.register import Register
from integration.signing import ADA, BOB
from sqlmodel import select

from newsletter.accounts.models import AuditRow
from newsletter.database import reading
from newsletter.pipeline.dossier import data_by_id
from subscribers.errors import UnknownSubscriber


@pytest.fixture
def register(engine):
    return Register(engine)


def test_a_dossier_tells_everything_in_words(register):
    register.add(first_name="Ada", language="fr", population="12000", tags="press")
    register.add(BOB, first_name="Robert")
    run = register.run(total=1)
    register.plan(ADA, run)
    register.plan(BOB, run)
    register.send(saying={register.digest_of(ADA): (550, "5.1.1 <ada@town.example> unknown")})
    register.people.changes.rename(ADA, "ada@city.example")
    register.people.changes.set(["ada@city.example"], {"city": "Ghent"})
    register.people.unsubscribe("ada@city.example", newsletter="rivers", list_name="members")
    register.people.suppress("ada@city.example", note="by letter")

    told = register.people.data("ada@city.example")

    assert (told["Person"]["address"], told["Person"]["first name"], told["Person"]["city"]) == (
        "ada@city.example",
        "Ada",
        "Ghent",
    )
    assert (told["Further facts"], told["Tags"]) == ({"population": 12000}, ["press"])
    assert told["Lists"] == [{"list": "members", "stands": "has left it", "since": "2026-12-01T08:00:00Z"}]
    assert told["Newsletters left"] == [{"newsletter": "rivers", "when": "2026-12-01T08:00:00Z"}]
    assert told["Addresses before"] == [{"digest": register.digest_of(ADA), "until": "2026-12-01T08:00:00Z"}]
    assert [line["what"] for line in told["Consent log"]] == [
        "was entered by an administrator",
        "left the list",
        "left the newsletter",
    ]
    assert told["Consent log"][0]["done by"] == "grace"
    assert told["Must not be written to"] == {
        "why": "manual",
        "since": "2026-12-01T08:00:00Z",
        "note": "by letter",
    }
    [message] = told["Messages"]
    assert (message["message"], message["stands"]) == ("issue:rivers/2026-12", "refused by the mail server")
    [attempt] = message["tries"]
    assert (attempt["came to"], attempt["mail server said"]) == ("refused", "550 5.1.1 <a…@t….example> unknown")
    assert [deed["what"] for deed in told["What operators did"]] == ["address changed", "changed", "suppressed"]
    assert told["What came back"] == []
    assert "Robert" not in json.dumps(told)
    assert register.digest_of(BOB) not in json.dumps(told)


def own_data(register, key):
    """What a person is shown who asks for it themselves."""
    with reading(register.engine) as session:
        return data_by_id(session, key).data


def test_who_read_a_dossier_is_noted_unless_it_was_the_person(register):
    key = register.add()
    own = own_data(register, key)
    asked = register.as_operator("anna").data(ADA)
    assert own == asked
    with register.parts.sessions() as session:
        [row] = session.exec(select(AuditRow)).all()
    assert (row.operator, row.action, row.subscriber_id) == ("anna", "data read", key)
    assert own_data(register, key)["What operators did"] == [{"when": "2026-12-01T08:00:00Z", "what": "data read"}]


def test_of_an_erased_person_a_dossier_tells_what_was_kept(register):
    register.add()
    run = register.run(total=1)
    register.plan(ADA, run)
    register.send()
    register.people.erase(ADA)
    told = register.people.data(ADA)
    assert told["Person"] == "not a subscriber: nothing but what follows is stored"
    assert told["Must not be written to"]["why"] == "erased"
    assert [line["what"] for line in told["Consent log"]] == ["was entered by an administrator"]
    assert [message["stands"] for message in told["Messages"]] == ["accepted by the mail server"]
    assert [deed["what"] for deed in told["What operators did"]] == ["erased"]
    assert "turned back" in told["Stands for the address"]["is"]


def test_of_somebody_unknown_there_is_none(register):
    with pytest.raises(UnknownSubscriber, match="Nothing is stored about this address"):
        register.people.data(ADA)
    with pytest.raises(UnknownSubscriber):
        own_data(register, 7)


def test_a_dossier_is_json(register):
    register.add()
    register.plan(ADA, register.run())
    assert json.loads(json.dumps(register.people.data(ADA)))["Messages"][0]["stands"] == "planned"
