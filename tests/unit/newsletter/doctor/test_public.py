import pytest

from newsletter.doctor.public import check_media_url, check_public_url
from newsletter.settings import DispatchSettings, Settings, SmtpSettings

FAR = SmtpSettings(host="relay.example")


def status(url, **settings):
    return check_public_url(Settings(public_url=url, **settings)).status.value


@pytest.mark.parametrize("url", ["https://news.example", "https://news.example:8443/n", "https://93.184.215.14"])
def test_an_encrypted_public_address_is_fine(url):
    assert status(url, smtp=FAR) == "ok"


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example",
        "http://localhost:8000",
        "https://localhost",
        "https://127.0.0.1",
        "https://10.0.0.7",
        "https://[::1]:8000",
        "https://intranet",
        "https://news.local",
        "https://news.internal",
    ],
)
def test_any_other_is_an_error_before_a_relay_and_a_warning_at_home(url, tmp_path):
    assert status(url, smtp=FAR) == "error"
    assert status(url) == "warning"
    assert status(url, smtp=FAR, dispatch=DispatchSettings(maildir=tmp_path)) == "warning"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://pictures.example/n", ["ok: https://pictures.example/n"]),
        ("http://pictures.example", ["error: http://pictures.example is not encrypted"]),
        ("https://10.0.0.7", ["error: https://10.0.0.7 leads to this machine or a private network"]),
        ("file:///srv/media", ["error: file:///srv/media leads to this machine or a private network"]),
        (None, []),
    ],
)
def test_pictures_elsewhere_need_an_encrypted_public_address_too(url, words):
    found = list(check_media_url(Settings(media_url=url, smtp=FAR)))
    assert [f"{check.status}: {check.words}" for check in found] == words
    assert {check.status for check in check_media_url(Settings(media_url=url))} <= {"ok", "warning"}, "a trial"
