"""Against a name server of our own on loopback: what the DNS would say, without the DNS."""

import socket
import time
from contextlib import contextmanager
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from dns.resolver import NoResolverConfiguration

from newsletter.preflight import resolver
from newsletter.preflight.resolver import Dns

LONG = "p=" + "A" * 300
ZONE = {
    ("long.quay.example.", "TXT"): [f'"{LONG[:255]}" "{LONG[255:]}"', '"v=spf1 -all"'],
    ("quay.example.", "MX"): ["20 second.example.", "10 first.example."],
    ("deaf.example.", "MX"): ["0 ."],
}


@contextmanager
def name_server(zone):
    """A name server that knows a zone; names that begin with `silent` get no answer, with `broken` a failure."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))

    def serve():
        while True:
            data, peer = listening.recvfrom(4096)
            if not data:
                return
            query = dns.message.from_wire(data)
            question = query.question[0]
            name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
            if name.startswith("silent"):
                continue
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.AA
            if (name, kind) in zone:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *zone[name, kind]))
            elif name.startswith("broken"):
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif not any(known == name for known, _ in zone):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            listening.sendto(answer.to_wire(), peer)

    thread = Thread(target=serve)
    thread.start()
    port = listening.getsockname()[1]
    try:
        yield port
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closing:
            closing.sendto(b"", ("127.0.0.1", port))
        thread.join()
        listening.close()


@pytest.fixture(scope="module")
def port():
    with name_server(ZONE) as port:
        yield port


def asking(port, **changes):
    return Dns(servers=["127.0.0.1"], port=port, **changes)


def test_a_text_in_several_strings_is_one(port):
    assert asking(port).texts("long.quay.example") == (LONG, "v=spf1 -all")


def test_the_preferred_host_for_mail_comes_first(port):
    assert asking(port).mail_hosts("quay.example") == ("first.example", "second.example")


def test_a_domain_that_takes_no_mail_has_no_host(port):
    assert asking(port).mail_hosts("deaf.example") == ()


def test_a_name_that_is_not_there_or_has_no_such_record_has_none(port):
    assert asking(port).texts("nowhere.example") == ()
    assert asking(port).texts("quay.example") == ()
    assert asking(port).mail_hosts("long.quay.example") == ()


def test_a_server_that_fails_gives_no_answer(port):
    assert asking(port).texts("broken.example") is None
    assert asking(port).mail_hosts("broken.example") is None


def test_what_is_no_name_gets_no_answer(port):
    assert asking(port).texts("a" * 64 + ".example") is None


def test_all_questions_together_have_the_time_of_one(port):
    start = time.monotonic()
    names = asking(port, seconds=0.2)
    assert [names.texts(f"silent{number}.example") for number in range(20)] == [None] * 20
    assert time.monotonic() - start < 3, "one after the other they have four seconds"


def test_a_machine_without_a_name_server_has_no_answers(monkeypatch):
    def refuse(**_):
        raise NoResolverConfiguration

    monkeypatch.setattr(resolver, "Resolver", refuse)
    assert Dns().texts("quay.example") is None


def test_by_default_the_servers_of_this_machine_are_asked():
    assert Dns(seconds=0)._resolver is None or Dns(seconds=0)._resolver.nameservers
    assert Dns(seconds=0).texts("quay.example") is None
