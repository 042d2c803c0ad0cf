"""`issue preflight` with its options: the operator's language, an audience, other facts of mail programs."""

import json
import re

CANIEMAIL = {
    "last_update_date": "2026-11-01 00:00:00 +0000",
    "data": [
        {
            "slug": "css-background-color",
            "title": "background-color",
            "stats": {"gmail": {"desktop-webmail": {"2026-11": "n"}}},
        }
    ],
}


def found(done):
    return {finding["code"]: finding for finding in json.loads(done.out)["findings"]}


def test_findings_are_said_in_the_operators_language(approved, monkeypatch):
    asked = ("issue", "preflight", "2026-12", "--segment", "everybody")
    told = approved.quickly(*asked, "--language", "fr").out
    assert "rien n’empêche l’approbation" in told
    assert all(len(line) <= 80 or "http" in line for line in told.splitlines())
    monkeypatch.setattr(type(approved), "settings", {**approved.settings, "NEWSLETTER_LANGUAGE": "fr"})
    french = approved.quickly(*asked, "--json")
    assert "n’existent que pour des essais" in found(french)["audience-test-domains"]["message"]


def test_an_audience_is_compared_with_the_last_one_and_the_warning_can_be_waived(approved):
    approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    approved.quickly("segments", "create", "few", 'list = "readers" and language = "fr"')
    approved.quickly("issue", "copy", "2026-12", "2027-01")
    approved.quickly("issue", "assemble", "2027-01")
    arguments = ("issue", "preflight", "2027-01", "--json", "--segment")
    assert "audience-size" not in found(approved.quickly(*arguments, "everybody", code=None))
    finding = found(approved.quickly(*arguments, "few", code=None))["audience-size"]
    assert re.fullmatch(r"“few” has \d+ people; the last issue went to 60\.", finding["message"])
    waive = ("issue", "waive", "2027-01", "audience-size", "--reason", "A trial.")
    approved.quickly(*waive, code=1)
    approved.quickly(*waive, "--segment", "few")
    assert found(approved.quickly(*arguments, "few", code=None))["audience-size"]["waived"] is True


def test_mail_programs_are_judged_by_a_file_that_somebody_brings(approved):
    (approved.folder / "data.json").write_text(json.dumps(CANIEMAIL), encoding="utf-8")
    approved.quickly("issue", "preflight", "2026-12", "--caniemail", "data.json")
    refused = approved.quickly("issue", "preflight", "2026-12", "--caniemail", "readers.csv", code=2)
    assert "readers.csv is not the data of caniemail: get https://www.caniemail.com/api/data.json" in refused.problem
    missing = approved.quickly("issue", "preflight", "2026-12", "--caniemail", "none.json", code=2)
    assert "none.json cannot be read: No such file or directory" in missing.problem


def test_what_is_asked_outside_stands_in_nobodys_way(approved, monkeypatch):
    from newsletter.preflight import deliverability, reach, resolver

    class Silent:
        def texts(self, _name):
            return ()

        def mail_hosts(self, _name):
            return ()

    def nowhere(_host, _port):
        raise reach.socket.gaierror

    monkeypatch.setattr(resolver, "Dns", Silent)
    monkeypatch.setattr(deliverability, "which", lambda _: None)
    monkeypatch.setattr(reach.socket, "getaddrinfo", lambda *_, **__: nowhere(None, None))
    done = approved.quickly("issue", "preflight", "2026-12", "--outside", "--json", code=0)
    assert {"spf-missing", "dmarc-missing", "link-host-unknown"} <= set(found(done))
    assert not any(finding["waived"] for finding in found(done).values())
