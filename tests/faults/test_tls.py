"""F18: TLS that is wrong in one way each. No message leaves and no credentials, and the relay is to blame."""

import ssl
import warnings

import pytest
from faults.bench import account, people
from faults.certificates import Authority
from faults.script import Act, Drop, Rule, Script, Step

pytestmark = pytest.mark.faults

LOGIN = {"NEWSLETTER_SMTP__USERNAME": "rivers", "NEWSLETTER_SMTP__PASSWORD": "secret"}


def old(context: ssl.SSLContext) -> ssl.SSLContext:
    """A server of long ago."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


def test_nothing_is_said_to_a_relay_that_cannot_prove_itself(bench, tmp_path):
    authority, elsewhere = Authority(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    stranger = Authority(elsewhere)
    good = authority.context()
    injected = Act(after_it="250 2.0.0 in clear\r\n")
    cases = {
        "expired": (authority.context(days=(-30, -1)), ()),
        "another host": (authority.context("elsewhere.example"), ()),
        "another authority": (stranger.context(), ()),
        "too old": (old(authority.context()), ()),
        "STARTTLS stripped": (None, ()),
        "handshake broken off": (good, (Rule(step=Step.STARTTLS, act=Act(drop=Drop.RST)),)),
        "words in clear behind STARTTLS": (good, (Rule(step=Step.STARTTLS, act=injected),)),
    }
    recipients = people(8)
    bench.queue(recipients)
    bench.settings |= {**LOGIN, "NEWSLETTER_SMTP__HOST": "localhost", "NEWSLETTER_SMTP__CA_FILE": str(authority.file)}
    options = bench.relay.options
    options.login = ("rivers", "secret")

    processes = {}
    for name, (context, rules) in cases.items():
        options.tls, bench.relay.script = context, Script(rules)
        process = processes[name] = bench.dispatch(patience=0.1)
        assert process.wait() == 4, f"{name}: {process.error}"

    for name, process in processes.items():
        assert [line["event"] for line in process.log] == ["relay away"], f"{name}: {process.error}"
    assert bench.relay.steps[Step.AUTH] == bench.relay.steps[Step.MAIL] == 0
    assert bench.attempts() == []
    assert set(bench.states().values()) == {"planned"}

    options.tls, bench.relay.script = good, Script()
    bench.finish()
    assert account(bench, recipients).lost == set()
    assert bench.audit() == []
