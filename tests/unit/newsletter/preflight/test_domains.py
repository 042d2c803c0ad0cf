import pytest

from newsletter.preflight.domains import Policy, SenderDomains, check_domains, policy_for, tags_in

SPF = "v=spf1 include:relay.example -all"
DMARC = "v=DMARC1; p=none"
KEY = "v=DKIM1; k=ed25519; p=11qYAYKx"
NAME = "2026._domainkey.quay.example"
WHOLE = {"quay.example": (SPF, "other=1"), "_dmarc.quay.example": (DMARC,), NAME: (KEY,)}


class Names:
    """A DNS of records that stand still; a name with None does not answer."""

    def __init__(self, records):
        self.records = records
        self.asked = []

    def texts(self, name):
        self.asked.append(name)
        return self.records.get(name, ())

    def mail_hosts(self, name):
        return ()


def found(sender="quay.example", *, returns="quay.example", signing="quay.example", **changes):
    records = {**WHOLE, **{name.replace("__", "."): texts for name, texts in changes.pop("records", {}).items()}}
    domains = SenderDomains(sender=sender, returns=returns, signing=signing, keys={NAME: KEY})
    return [(finding.code, finding.message()) for finding in check_domains(domains, Names(records))]


def codes(**given):
    return [code for code, _ in found(**given)]


def test_a_domain_that_has_everything_is_clean():
    assert found() == []


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ((), "spf-missing"),
        (("v=spf10 -all",), "spf-missing"),
        ((SPF, SPF), "spf-several"),
        (("v=spf1 +all",), "spf-open"),
        (("v=spf1 mx ALL",), "spf-open"),
        (("v=spf1 mx ~all",), None),
        (("V=SPF1 -all",), None),
        (None, "dns-unanswered"),
    ],
)
def test_one_spf_record_says_who_may_send(texts, code):
    assert codes(records={"quay.example": texts}) == ([code] if code else [])


def test_spf_is_asked_of_the_domain_that_bounces_go_to():
    assert found(returns="bounce.quay.example") == [
        (
            "spf-missing",
            "bounce.quay.example has no SPF record: receivers cannot tell which servers may send for it.",
        )
    ]


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ((), "dkim-unpublished"),
        (("v=DKIM1; k=ed25519; p=",), "dkim-other-key"),
        (("v=DKIM1; k=ed25519; p=AAAA",), "dkim-other-key"),
        (("nothing of it",), "dkim-other-key"),
        (("p=11qY AYKx",), None),
        (("v=DKIM1; p=AAAA", KEY), None),
        (None, "dns-unanswered"),
    ],
)
def test_the_key_that_signs_is_the_one_that_is_published(texts, code):
    assert codes(records={NAME: texts}) == ([code] if code else [])


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ((), "dmarc-missing"),
        (("v=spf1 -all",), "dmarc-missing"),
        (("v=DMARC1",), "dmarc-unreadable"),
        (("v=DMARC1; p=perhaps",), "dmarc-unreadable"),
        ((DMARC, DMARC), "dmarc-unreadable"),
        (("v=DMARC1;p=Reject;adkim=s",), None),
        (None, "dns-unanswered"),
    ],
)
def test_one_dmarc_record_says_what_becomes_of_the_rest(texts, code):
    assert codes(records={"_dmarc.quay.example": texts}) == ([code] if code else [])


def test_a_strict_record_wants_the_senders_own_key():
    strict = {"_dmarc.news.quay.example": ("v=DMARC1; p=none; adkim=s",)}
    assert codes(sender="news.quay.example", records=strict) == ["dmarc-strict"]
    assert codes(sender="news.quay.example", signing="news.quay.example", records=strict) == []
    assert codes(sender="news.quay.example", signing=None, records=strict) == []


def test_a_policy_is_looked_for_upwards_but_not_at_the_top():
    names = Names({"_dmarc.quay.example": (DMARC,)})
    assert policy_for("a.b.quay.example", names) == Policy("_dmarc.quay.example", {"v": "DMARC1", "p": "none"})
    nowhere = Names({})
    assert policy_for("a.quay.example", nowhere) is None
    assert nowhere.asked == ["_dmarc.a.quay.example", "_dmarc.quay.example"]
    assert policy_for("localhost", nowhere) is None


def test_tags_are_read_without_blanks():
    assert tags_in(" v = DKIM1 ; p=AB CD;; nothing; t=") == {"v": "DKIM1", "p": "ABCD", "t": ""}
