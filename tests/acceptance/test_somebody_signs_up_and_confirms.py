"""Somebody signs up, gets one mail that asks them to confirm, and is a member once they have."""

import datetime as dt
import re
from dataclasses import replace

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.signup import AskedFor

ANNA = "anna@brest.example"


def test_somebody_signs_up_and_confirms(installation, small, mail):
    installation.quickly("content", "import", installation.write("small.json", small))
    installation.quickly("lists", "create", "readers", "--public")
    installation.quickly("lists", "set", "readers", "title.fr=Lectrices et lecteurs")
    pipeline = installation.opened()
    later = replace(pipeline.parts, now=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=10))
    offer = pipeline.signup.offer("small", language="fr")

    Pipeline(parts=later).signup.ask(
        AskedFor(newsletter="small", address=ANNA, first_name="Anna", language="fr", stamp=offer.stamp)
    )
    installation.quickly("dispatch", "--until-done")

    (received,) = mail.to(ANNA)
    message = received.message
    assert received.subject == "Veuillez confirmer votre abonnement\u00a0: Petite lettre"
    assert (received.language, message["From"]) == ("fr", "Small network <letter@small.example>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert [name for name in message if name.startswith("List-") or name == "Precedence"] == []
    assert message["To"] == ANNA
    assert "Anna" not in received.text + received.html
    links = set(re.findall(r"https://news.beacontowns.example/c/[\w.-]+", received.html))
    assert set(re.findall(r"https://\S+", received.text)) == links
    (link,) = links

    standing = pipeline.people.show(ANNA)
    assert [state for state, _ in standing.memberships.values()] == ["pending"]
    token = link.rpartition("/")[2]
    assert pipeline.signup.look(token).masked == "a…@b….example"
    confirmed = pipeline.signup.confirm(token, origin="192.0.2.1")

    assert [each.title for each in confirmed.lists] == ["Lectrices et lecteurs"]
    shown = installation.quickly("subscribers", "show", ANNA, "--json").json
    assert shown["first_name"] == "Anna"
    assert [line["action"] for line in shown["consent"]] == ["subscribed", "confirmed"]
    pipeline.parts.engine.dispose()
