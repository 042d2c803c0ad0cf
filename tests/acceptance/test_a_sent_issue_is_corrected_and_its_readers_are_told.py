"""A mistake is found after sending: the page says so, the email stays in the record, and its readers get an erratum."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

SORRY = """
newsletter: beacon-towns
entries:
  - key: sorry-lenses
    kind: news
    section: projects
    published: 2026-12-02
    texts:
      en: {title: "Correction: ten lenses, not nine", body: "We miscounted, [[first_name|dear reader]]."}
      fr: {title: "Rectificatif : dix lentilles", body: "Nous avions mal compté."}
      es: {title: "Rectificación: diez lentes", body: "Contamos mal."}
issues:
  - slug: 2026-12-erratum
    date: 2026-12-04
    period: {from: 2026-12-02, to: 2026-12-03}
    items: [sorry-lenses]
    texts:
      en: {title: Correction, subject: "Correction: ten lenses, not nine", preheader: We miscounted.}
      fr: {title: Rectificatif, subject: "Rectificatif : dix lentilles", preheader: Nous avions mal compté.}
      es: {title: Rectificación, subject: "Rectificación: diez lentes", preheader: Contamos mal.}
"""


@pytest.mark.timeout(120)
def test_a_sent_issue_is_corrected_and_its_readers_are_told(approved, mail):
    approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    approved.run("dispatch", "--until-done")
    received = {message.recipient: message.language for message in mail.received}
    assert len(received) == 60
    mail.received.clear()
    the_pages_are_corrected(approved)
    an_erratum_reaches_the_french_readers(approved, mail, received)


def the_pages_are_corrected(approved):
    pack = Path(shutil.copy(Path(__file__).parent / "packs" / "beacons.yaml", approved.folder / "beacons.yaml"))
    refused = approved.quickly("issue", "correct", "2026-12", "--reason", "We miscounted.", code=1)
    assert "nothing that the pages of issue 2026-12 say is different" in refused.problem
    text = pack.read_text(encoding="utf-8").replace("Nine lenses, four makers", "Ten lenses, four makers")
    pack.write_text(text.replace("Nine towns measure", "Ten towns measure"), encoding="utf-8")
    approved.quickly("content", "import", pack)
    trial = approved.quickly("issue", "correct", "2026-12", "--reason", "We miscounted.", "--dry-run").out
    assert "en: “Ten towns measure their lenses”" in trial
    assert "  + … on 5 and 6 November. Ten lenses, four makers, one drawing." in trial
    approved.quickly(
        "--as", "anna", "issue", "correct", "2026-12", "--reason", "We miscounted.", "--translation", "fr=Mal compté."
    )
    [correction] = approved.quickly("issue", "show", "2026-12", "--json").json["corrections"]
    assert (correction["by"], correction["reasons"]) == ("anna", {"en": "We miscounted.", "fr": "Mal compté."})
    assert approved.quickly("issue", "audit", "2026-12", "--json").json["holds"] is True
    exported = approved.quickly("issue", "export", "2026-12", "site", "--json").json
    assert "en" in exported["corrected"]
    page = approved.folder / "site/archive/beacon-towns/2026-12/en"
    assert "Corrected on " in (now := (page / "index.html").read_text(encoding="utf-8"))
    assert "Ten towns measure their lenses" in now
    assert "Nine towns measure their lenses" in (page / "sent/index.html").read_text(encoding="utf-8")


def an_erratum_reaches_the_french_readers(approved, mail, received):
    (approved.folder / "sorry.yaml").write_text(SORRY, encoding="utf-8")
    slug, readers = "2026-12-erratum", ("--readers-of", "2026-12", "--language", "fr")
    approved.quickly("content", "import", "sorry.yaml")
    approved.quickly("issue", "assemble", slug)
    for finding in approved.quickly("issue", "preflight", slug, "--json", code=None).json["findings"]:
        assert finding["severity"] != "error", finding
        if finding["severity"] == "warning":
            approved.quickly("issue", "waive", slug, finding["code"], "--reason", "It is an erratum.", code=None)
    approved.quickly("issue", "approve", slug)
    french = {recipient for recipient, language in received.items() if language == "fr"}
    gone = min(french)
    approved.quickly("subscribers", "unsubscribe", gone)
    queued = approved.quickly("issue", "queue", slug, *readers, "--now", "--json").json
    assert (queued["segment"], queued["audience"]) == ("readers of 2026-12, edition fr", len(french) - 1)
    approved.run("dispatch", "--until-done")
    assert set(mail.recipients) == french - {gone}
    assert Counter(message.subject for message in mail.received) == {"Rectificatif : dix lentilles": len(french) - 1}
    assert approved.status(slug)["segment"] == "readers of 2026-12, edition fr"
