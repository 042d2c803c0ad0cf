import pytest

from newsletter.dispatch.providers import group_of


@pytest.mark.parametrize(
    ("addresses", "group"),
    [
        (("anna@gmail.com", "ben@GoogleMail.com"), "google"),
        (("anna@outlook.com", "ben@hotmail.fr", "eve@live.de", "zoe@msn.com"), "microsoft"),
        (("anna@yahoo.fr", "ben@ymail.com", "eve@aol.com"), "yahoo"),
        (("anna@gmx.de", "ben@web.de", "eve@mail.com"), "gmx"),
        (("anna@icloud.com", "ben@me.com", "eve@mac.com"), "apple"),
        (("anna@orange.fr", "ben@wanadoo.fr"), "orange"),
        (("anna@free.fr",), "free"),
        (("anna@laposte.net",), "laposte"),
        (('"a@b"@Lakes.example', "ben@lakes.example"), "lakes.example"),
    ],
)
def test_domains_of_one_provider_are_one_group_and_the_others_stand_alone(addresses, group):
    assert {group_of(address) for address in addresses} == {group}
