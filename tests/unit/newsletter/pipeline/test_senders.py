import pytest

from newsletter.dispatch.dkim import generate
from newsletter.pipeline.senders import domains_of, signing_domains
from newsletter.preflight.domains import SenderDomains
from newsletter.settings import BounceSettings, DkimKeySettings, DkimSettings, Settings


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A file with keys."""
    return generate(tmp_path_factory.mktemp("keys"), "2026")


def settings(file, *domains, **more):
    found = {domain: DkimKeySettings(selector="2026", key_file=file) for domain in domains}
    return Settings(dkim=DkimSettings(domains=found), **more)


def test_the_domains_that_sign_are_named_as_in_the_dns(keys):
    first = DkimSettings(
        domain="Quay.example",
        selector="2026",
        key_file=keys,
        domains={name: DkimKeySettings(selector="x", key_file=keys) for name in ("liège.example", "no domain")},
    )
    assert signing_domains(first) == ("quay.example", "xn--lige-6oa.example")
    assert signing_domains(DkimSettings()) == ()


def test_without_keys_a_sender_has_its_own_domain_and_that_of_its_bounces():
    assert domains_of("ada@Quay.example", Settings()) == SenderDomains(sender="quay.example", returns="quay.example")
    bounce = Settings(bounce=BounceSettings(domain="bounce.example"))
    assert domains_of("ada@quay.example", bounce).returns == "bounce.example"


def test_of_several_keys_the_nearest_signs_and_has_its_records(keys):
    found = domains_of("ada@news.quay.example", settings(keys, "rivers.example", "quay.example", "news.quay.example"))
    assert found.signing == "news.quay.example"
    assert sorted(found.keys) == [
        "2026-ed25519._domainkey.news.quay.example",
        "2026._domainkey.news.quay.example",
    ]


def test_a_sender_for_whom_nobody_signs_has_no_keys(keys):
    assert domains_of("ada@quay.example", settings(keys, "rivers.example")).signing is None


def test_keys_that_cannot_be_read_are_left_out(tmp_path):
    found = domains_of("ada@quay.example", settings(tmp_path / "none.pem", "quay.example"))
    assert (found.signing, found.keys) == ("quay.example", {})
