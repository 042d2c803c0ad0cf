"""What is made of a relay; `tests/integration/test_doctor_relay.py` looks at real ones."""

import pytest

from newsletter.doctor.relay import RelayFacts, check_relay, is_local
from newsletter.settings import SmtpSettings, Tls

EVERYTHING = {"pipelining": "", "size": "10240000", "8bitmime": "", "smtputf8": ""}
WELL = RelayFacts(extensions=EVERYTHING, tls="TLSv1.3", has_authenticated=True)
SETTINGS = SmtpSettings(host="relay.example", username="ada", tls=Tls.STARTTLS)


def found(facts, **settings):
    return [(check.code, check.status.value) for check in check_relay(SETTINGS.model_copy(update=settings), facts)]


def test_a_relay_that_does_everything_is_fine():
    checks = list(check_relay(SETTINGS, WELL))
    assert [(check.code, check.status.value) for check in checks] == [
        ("relay", "ok"),
        ("relay-tls", "ok"),
        ("relay-auth", "ok"),
        ("relay-extensions", "ok"),
    ]
    assert checks[1].words == "the connection is secured by TLSv1.3"
    assert checks[3].advice == ""


def test_a_relay_that_does_not_answer_is_all_that_is_said():
    (check,) = check_relay(SETTINGS, RelayFacts(step="connect", failed="Connection refused"))
    assert (check.code, check.status) == ("relay", "error")
    assert check.words == "relay.example:25 does not answer: Connection refused"


def test_a_connection_that_cannot_be_secured_is_an_error():
    assert found(RelayFacts(step="tls", failed="no STARTTLS")) == [("relay", "ok"), ("relay-tls", "error")]


@pytest.mark.parametrize(("host", "status"), [("relay.example", "warning"), ("localhost", "ok")])
def test_a_connection_in_clear_is_a_warning_unless_it_stays_on_this_machine(host, status):
    facts = RelayFacts(extensions=EVERYTHING)
    assert found(facts, host=host, tls=Tls.NONE, username=None)[1] == ("relay-tls", status)


def test_a_login_that_is_refused_is_an_error_and_the_last_that_is_said():
    checks = list(check_relay(SETTINGS, RelayFacts(step="auth", failed="535 no")))
    assert [(check.code, check.status.value) for check in checks][1:] == [("relay-tls", "ok"), ("relay-auth", "error")]
    assert checks[-1].words == "the relay does not let ada in: 535 no"


def test_a_relay_that_asks_for_no_login_has_to_know_this_machine():
    checks = list(check_relay(SETTINGS.model_copy(update={"username": None}), RelayFacts(extensions=EVERYTHING)))
    assert "no user name is set" in checks[2].words


def test_what_a_relay_lacks_is_told_with_what_that_means():
    *_, check = check_relay(SETTINGS, RelayFacts(extensions={"size": ""}))
    assert (check.status, check.words) == ("ok", "the relay announces SIZE")
    assert check.advice.startswith("Know that without PIPELINING a message takes four round trips instead of one; ")
    *_, check = check_relay(SETTINGS, RelayFacts())
    assert check.words == "the relay announces none that is made use of"


@pytest.mark.parametrize(("size", "codes"), [("199999", ["relay-size"]), ("200000", []), ("0", []), ("x", [])])
def test_a_relay_has_to_take_an_edition(size, codes):
    checks = check_relay(SETTINGS, RelayFacts(extensions={**EVERYTHING, "size": size}))
    assert [check.code for check in checks if check.status == "error"] == codes


@pytest.mark.parametrize(("host", "local"), [("LOCALHOST", True), ("127.0.0.1", True), ("relay.localhost", False)])
def test_this_machine_has_few_names(host, local):
    assert is_local(host) is local
