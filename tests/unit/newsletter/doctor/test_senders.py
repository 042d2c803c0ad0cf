import pytest

from newsletter.dispatch.dkim import generate, read_signers, records
from newsletter.doctor.senders import check_names, check_signing
from newsletter.settings import BounceSettings, DkimSettings, Settings

ADA = "ada@quay.example"


@pytest.fixture(scope="module")
def dkim(tmp_path_factory):
    """Settings with keys of quay.example."""
    file = generate(tmp_path_factory.mktemp("keys"), "2026")
    return DkimSettings(domain="quay.example", selector="2026", key_file=file, domains=None)


class Names:
    """A DNS of records that stand still."""

    def __init__(self, texts, hosts=()):
        self._texts, self._hosts = texts, hosts

    def texts(self, name):
        return self._texts.get(name, ())

    def mail_hosts(self, _name):
        return self._hosts


def zone(dkim, **changes):
    keys = {record.name: (record.text,) for signer in read_signers(dkim) for record in records(signer)}
    base = {"quay.example": ("v=spf1 -all",), "_dmarc.quay.example": ("v=DMARC1; p=reject",), **keys}
    return {**base, **changes}


def names_found(texts, *, addresses=(ADA,), hosts=(), **settings):
    checks = check_names(addresses, Settings(**settings), Names(texts, hosts))
    return [(check.code, check.status.value) for check in checks]


def test_without_keys_the_relay_has_to_sign():
    (check,) = check_signing([ADA], DkimSettings())
    assert (check.code, check.status) == ("dkim", "ok")
    assert "List-Unsubscribe-Post" in check.advice


def test_keys_are_told_with_the_records_to_publish(dkim):
    (check,) = check_signing([ADA], dkim)
    assert check.status == "ok"
    assert check.words == "mail from quay.example is signed (rsa-sha256 and ed25519-sha256)"
    rsa, ed25519 = check.records
    assert rsa.startswith('2026._domainkey.quay.example. IN TXT "v=DKIM1; k=rsa; p=')
    assert ed25519.startswith('2026-ed25519._domainkey.quay.example. IN TXT "v=DKIM1; k=ed25519; p=')
    assert all(len(string) <= 255 for record in check.records for string in record.split('"')[1::2])


def test_keys_that_cannot_be_read_are_an_error():
    (check,) = check_signing([ADA], DkimSettings(domain="quay.example"))
    assert (check.code, check.status) == ("dkim", "error")


def test_a_sender_without_a_key_is_an_error(dkim):
    checks = list(check_signing([ADA, "bo@rivers.example", "cy@press.quay.example"], dkim))
    assert [check.status.value for check in checks] == ["ok", "error"]
    assert "sent from rivers.example, for which there is no DKIM key" in checks[1].words


def test_a_domain_with_everything_in_the_dns_is_fine(dkim):
    assert names_found(zone(dkim), dkim=dkim) == [("dns", "ok")]
    assert names_found(zone(dkim), addresses=[ADA, "bo@quay.example"]) == [("dns", "ok")]


def test_a_key_that_is_not_published_is_an_error_and_other_lacks_are_warnings(dkim):
    assert names_found({}, dkim=dkim) == [
        ("spf-missing", "warning"),
        ("dkim-unpublished", "error"),
        ("dkim-unpublished", "error"),
        ("dmarc-missing", "warning"),
    ]


@pytest.mark.parametrize(
    ("policy", "status"), [("v=DMARC1; p=reject", "ok"), ("v=DMARC1; p=none", "warning"), (None, "warning")]
)
def test_a_logo_needs_a_strict_policy(dkim, policy, status):
    logo = {"default._bimi.quay.example": ("v=BIMI1; l=https://quay.example/logo.svg",)}
    texts = zone(dkim, **logo, **{"_dmarc.quay.example": (policy,) if policy else None})
    assert ("bimi", status) in names_found(texts, dkim=dkim)


@pytest.mark.parametrize(("hosts", "status"), [(("mx.example",), "ok"), ((), "error"), (None, "warning")])
def test_something_has_to_take_bounces(dkim, hosts, status):
    texts = zone(dkim, **{"bounce.quay.example": ("v=spf1 -all",)})
    bounce = BounceSettings(domain="bounce.quay.example")
    assert names_found(texts, hosts=hosts, dkim=dkim, bounce=bounce)[-1] == ("bounce-domain", status)
