"""
Programs that check mail follow every link of it, and nobody is unsubscribed; one click of a standard client does it.

The client and the crawler know nothing but the messages that the mail server has taken.
"""

import re
from urllib.parse import urldefrag, urljoin

import pytest
from lxml import html as lxml_html
from stored import digests
from visitor import visiting

from newsletter.web.app import create_app

ROOT = "https://news.beacontowns.example"
READERS = {"ada@lakes.example": "en", "bo@lakes.example": "fr", "cy@lakes.example": "es"}


@pytest.fixture
def sent(approved, mail):
    """An installation whose issue three readers have got, each in another language."""
    rows = "".join(f"{address},{language}\n" for address, language in READERS.items())
    (approved.folder / "few.csv").write_text(f"email,language\n{rows}", encoding="utf-8")
    approved.quickly("lists", "create", "few", "--public")
    approved.quickly("subscribers", "import", approved.folder / "few.csv", "--list", "few")
    approved.quickly("segments", "create", "few", 'list = "few"')
    approved.quickly("issue", "queue", "2026-12", "--segment", "few", "--now")
    approved.quickly("dispatch", "--until-done")
    assert {received.recipient for received in mail.received} == set(READERS)
    return approved


@pytest.fixture
def pipeline(sent):
    return sent.opened(public_url=ROOT)


@pytest.fixture
def visitor(pipeline):
    with visiting(create_app(pipeline), root=ROOT) as opened:
        yield opened


def links_of(message):
    """Every address in a message, those of its headers among them."""
    found = set(lxml_html.fromstring(message.html).xpath("//@href | //@src | //form/@action"))
    found |= set(re.findall(r"https?://[^\s<>\"]+", message.text))
    for name in ("List-Unsubscribe", "List-Archive", "List-Subscribe", "List-Help", "Archived-At"):
        found |= set(re.findall(r"<([^>]+)>", str(message.message.get(name, ""))))
    return found


def onward(address, answer):
    """Where an answer leads: its links, and the targets of its forms too, as careless programs take them."""
    if answer.is_redirect:
        return {urljoin(address, answer.headers["location"])}
    if not answer.headers["content-type"].startswith("text/html") or not answer.content:
        return set()
    page = lxml_html.fromstring(answer.text)
    return {urljoin(address, link) for link in page.xpath("//@href | //@src | //form/@action")} | (
        {address} if page.xpath("//form[not(@action)]") else set()
    )


def test_following_every_link_of_every_message_changes_nothing(mail, pipeline, visitor):
    before, seen = digests(pipeline.parts.engine), {}
    assert {"subscriber", "membership", "consent_entry", "departure", "suppression", "delivery"} <= set(before)
    waiting = {urldefrag(link)[0] for received in mail.received for link in links_of(received)}
    assert sum("/u/" in link for link in waiting) == sum("/p/" in link for link in waiting) == len(READERS)
    while waiting:
        address = waiting.pop()
        if not address.startswith(ROOT) or address in seen:
            continue
        head, answer = visitor.head(address), visitor.get(address)
        assert (head.status_code, head.content) == (answer.status_code, b""), address
        assert "set-cookie" not in answer.headers
        seen[address] = answer.status_code
        waiting |= {urldefrag(link)[0] for link in onward(address, answer)}
    assert digests(pipeline.parts.engine) == before
    assert len(seen) > 100
    odd = {address: status for address, status in seen.items() if status not in {200, 301}}
    assert set(odd.values()) <= {405}, odd


def one_click(message):
    """The request of a client that keeps to RFC 8058 and has nothing but the message: the address and the body."""
    [post] = message.get_all("List-Unsubscribe-Post")
    name, _, value = post.partition("=")
    [header] = message.get_all("List-Unsubscribe")
    [address] = re.findall(r"<(https:[^>]+)>", header)
    return address, {name: value}


@pytest.mark.parametrize("encoding", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_one_click_of_a_standard_client_unsubscribes_exactly_one(sent, mail, visitor, encoding):
    before = people(sent)
    [message] = [received.message for received in mail.received if received.recipient == "bo@lakes.example"]
    address, pair = one_click(message)
    for _ in range(2):
        body = {"data": pair} if "urlencoded" in encoding else {"files": {k: (None, v) for k, v in pair.items()}}
        answer = visitor.post(address, **body)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert "set-cookie" not in answer.headers
    after = people(sent)
    assert {address: (before[address], row) for address, row in after.items() if before[address] != row} == {
        "bo@lakes.example": (("confirmed", 0), ("left", 1))
    }
    assert sent.quickly("segments", "count", "few", "--newsletter", "beacon-towns", "--json").json["audience"] == 2


def test_one_click_is_answered_for_somebody_who_has_been_erased(sent, mail, pipeline, visitor):
    [message] = [received.message for received in mail.received if received.recipient == "cy@lakes.example"]
    address, pair = one_click(message)
    sent.quickly("subscribers", "erase", "cy@lakes.example", "--yes")
    before = digests(pipeline.parts.engine)
    answer = visitor.post(address, data=pair)
    assert (answer.status_code, answer.text) == (200, "unsubscribed\n")
    assert visitor.get(address).status_code == 200
    assert digests(pipeline.parts.engine) == before


def test_the_button_leaves_and_the_undo_restores_everything(sent, mail, visitor):
    before = people(sent)
    [message] = [received.message for received in mail.received if received.recipient == "ada@lakes.example"]
    address, _ = one_click(message)
    page = visitor.get(address)
    assert "ada@lakes.example" not in page.text
    left = visitor.post(address, data={"leave": "1"})
    assert people(sent)["ada@lakes.example"] == ("left", 1)
    [action] = lxml_html.fromstring(left.text).xpath("//form/@action")
    restored = visitor.post(urljoin(address, action))
    assert restored.status_code == 200
    assert people(sent) == before


def people(installation):
    """How each reader stands to the list, and how many newsletters they have left."""
    rows = installation.rows(
        "SELECT s.address, m.state, (SELECT count(*) FROM departure d WHERE d.subscriber_id = s.id) FROM subscriber s "
        "JOIN membership m ON m.subscriber_id = s.id JOIN mailing_list l ON l.id = m.list_id WHERE l.name = 'few'"
    )
    return {address: (state, left) for address, state, left in rows}
