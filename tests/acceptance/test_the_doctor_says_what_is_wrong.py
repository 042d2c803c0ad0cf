"""The doctor looks at an installation, changes nothing, and says what to do; it makes keys to sign with."""

import json
import tomllib

import pytest
from databases import CHOSEN

pytestmark = pytest.mark.skipif(
    CHOSEN != "sqlite", reason="the server of the tests does without the disk, which is an error to the doctor"
)


@pytest.fixture(scope="module")
def mended():
    """How the doctor ends here where nothing else is wrong: an old Python is a warning of its own."""
    import sys

    from newsletter.doctor.machine import check_python

    return 0 if check_python(sys.version_info[:3]).status == "ok" else 4


def statuses(done):
    return {check["code"]: check["status"] for check in json.loads(done.out)["checks"]}


def test_a_good_installation_is_well_and_stays_as_it_is(approved, mended):
    before = sorted(path.name for path in approved.folder.iterdir())
    done = approved.quickly("doctor", "--json", code=mended)
    told = statuses(done)
    assert {code for code, status in told.items() if status == "error"} == set()
    assert {"database", "file-system", "disk-space", "keys", "time-zones", "theme", "public-url", "relay"} <= set(told)
    assert [path.name for path in approved.folder.iterdir() if path.name not in before] in (
        [],
        ["newsletter.sqlite-shm"],
    )


def test_what_is_wrong_is_said_in_words_with_what_to_do(installation):
    installation.mail.port = 1
    done = installation.run("doctor", code=1, NEWSLETTER_PUBLIC_URL="http://news.example")
    assert "error    relay: 127.0.0.1:1 does not answer" in done.out
    assert "> Correct NEWSLETTER_SMTP__HOST" in done.out
    assert "warning  public-url: http://news.example is not encrypted" in done.out
    assert done.out.splitlines()[-1].startswith("1 error, ")
    assert max(map(len, done.out.splitlines())) <= 80 or installation.folder.name in done.out


def test_keys_are_made_and_told_so_that_they_can_be_copied(approved, mended):
    made = approved.quickly("doctor", "dkim-key", "keys", "--selector", "2027")
    file = approved.folder / "keys" / "2027.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    start = made.out.index("[dkim]")
    assert tomllib.loads(made.out[start:])["dkim"] == {
        "domain": "beacontowns.example",
        "selector": "2027",
        "key_file": str(file),
    }
    (approved.folder / "newsletter.toml").write_text(made.out[start:], encoding="utf-8")
    told = approved.quickly("doctor", "--json", code=mended).json["checks"]
    (signing,) = [check for check in told if check["code"] == "dkim"]
    assert signing["status"] == "ok"
    assert len(signing["records"]) == 2
    assert all(record in made.out for record in signing["records"])
    assert "mail from beacontowns.example is signed" in approved.quickly("doctor", code=mended).out


def test_keys_are_never_written_over(approved):
    arguments = ("doctor", "dkim-key", "keys", "--selector", "2027", "--domain", "towns.example")
    assert approved.quickly(*arguments, "--json").json["domain"] == "towns.example"
    kept = (approved.folder / "keys" / "2027.pem").read_bytes()
    assert "cannot be made: File exists" in approved.quickly(*arguments, code=2).problem
    assert (approved.folder / "keys" / "2027.pem").read_bytes() == kept


def test_keys_need_a_domain_that_can_send_mail(approved):
    arguments = ("doctor", "dkim-key", "keys", "--selector", "2027")
    assert approved.quickly(*arguments, "--domain", "no domain", code=2).problem
    assert not (approved.folder / "keys").exists()


def test_keys_are_for_the_only_sender_there_is(installation):
    refused = installation.quickly("doctor", "dkim-key", "keys", code=2).problem
    assert refused == "newsletter: say with --domain whose mail the keys sign: there is no newsletter yet"
