"""What a browser is called in a list of sessions."""

import pytest

from newsletter.web.desk.agents import browser_of, system_of

LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0 Safari/537.36 Edg/138.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0 Safari/604.1"


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (LINUX, ("Firefox", "Linux")),
        (MAC, ("Safari", "Mac")),
        (EDGE, ("Edge", "Windows")),
        (PHONE, ("Chrome", "iPhone")),
        ("curl/8.5.0", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_browser_is_called_by_the_name_that_people_know(agent, names):
    assert (browser_of(agent), system_of(agent)) == names
