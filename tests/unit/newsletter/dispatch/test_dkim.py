"""DKIM signatures, judged by a verifier that was written from the RFCs and shares nothing with the signer."""

import base64
import datetime as dt
import hashlib
import re
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.compilation.message import Head, Values, build_skeleton, render
from newsletter.compilation.slots import Slot
from newsletter.dispatch.dkim import (
    OVERSIGNED,
    Signer,
    SigningKey,
    _in_words,
    _relaxed_body,
    _relaxed_fields,
    generate,
    read_signers,
    records,
    signer_for,
)
from newsletter.errors import ConfigurationFault
from newsletter.settings import DkimSettings, load

WHEN = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
RSA_2048, RSA_OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))
ED25519 = Ed25519PrivateKey.generate()
SIGNER = Signer(
    domain="news.example",
    keys=(SigningKey(selector="2026", private=RSA_2048), SigningKey(selector="2026-ed25519", private=ED25519)),
)
BOTH = {"2026": True, "2026-ed25519": True}
NEITHER = {"2026": False, "2026-ed25519": False}
PLAIN = (
    b"From: News <news@news.example>\r\n"
    b"To: ada@town.example\r\n"
    b"Subject: Quays at night\r\n"
    b"Date: Tue, 1 Dec 2026 08:00:00 +0000\r\n"
    b"Message-ID: <abc@news.example>\r\n"
    b"List-Unsubscribe: <https://news.example/u/abc>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Precedence: bulk\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"\r\n"
    b"Dear Ada,\r\n"
    b"\r\n"
    b"the  quays\tare lit.\r\n"
)
UNSIGNED = b"Precedence: bulk\r\n"


def pem(*keys, encryption=None):
    return b"".join(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            encryption or serialization.NoEncryption(),
        )
        for key in keys
    )


def key_file(folder, content, *, mode=0o600, name="dkim.pem"):
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


def own(path, **changes):
    return DkimSettings(**{"domain": "news.example", "selector": "2026", "key_file": path} | changes)


# The verifier: RFC 6376 §3.4.2, §3.4.4, §3.5, §3.7, §6.1 and RFC 8463 §3, one octet or one line at a time.


def split_message(message):
    """The fields as they stand, each with its line end, and the body."""
    fields, rest = [], message
    while rest and not rest.startswith(b"\r\n"):
        end = rest.index(b"\r\n") + 2
        while rest[end : end + 1] in {b" ", b"\t"}:
            end = rest.index(b"\r\n", end) + 2
        fields.append(rest[:end])
        rest = rest[end:]
    return fields, rest[2:]


def slow_header(field):
    name, value = field.decode("latin-1").split(":", 1)
    value = value.replace("\r\n", "")
    return f"{name.rstrip(' ').lower()}:{re.sub('[ ]+', ' ', value.replace(chr(9), ' ')).strip(' ')}".encode("latin-1")


def slow_body(body):
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def tags_of(field):
    pairs = (pair.split("=", 1) for pair in field.decode("ascii").split(":", 1)[1].split(";"))
    return {name.strip(): re.sub(r"\s+", "", value) for name, value in pairs}


def key_holds(record, algorithm, signature, data):
    key = base64.b64decode(tags_of(b"x:" + record.encode())["p"])
    try:
        if algorithm == "ed25519-sha256":
            Ed25519PublicKey.from_public_bytes(key).verify(signature, hashlib.sha256(data).digest())
        else:
            public = serialization.load_der_public_key(key)
            public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def judged(message, published):
    """Whether each selector's signature holds; `published` is the DNS."""
    fields, body = split_message(message)
    verdicts = {}
    for field in fields:
        if not field.lower().startswith(b"dkim-signature:"):
            continue
        tags = tags_of(field)
        if (tags["v"], tags["c"]) != ("1", "relaxed/relaxed"):
            continue
        above = [each for each in fields if each is not field]
        data = b""
        for name in tags["h"].lower().split(":"):
            found = [each for each in above if each.split(b":")[0].rstrip(b" \t").lower() == name.encode()]
            if found:
                above = [each for each in above if each is not found[-1]]
                data += slow_header(found[-1]) + b"\r\n"
        data += slow_header(re.sub(rb"(;\s*b=)[^;]*", rb"\1", field))
        record = published.get(f"{tags['s']}._domainkey.{tags['d']}")
        digest = base64.b64encode(hashlib.sha256(slow_body(body)).digest()).decode()
        verdicts[tags["s"]] = (
            record is not None
            and tags["bh"] == digest
            and key_holds(record, tags["a"], base64.b64decode(tags["b"]), data)
        )
    return verdicts


def published_by(signer):
    return {record.name: record.text for record in records(signer)}


DNS = published_by(SIGNER)


def verdict(message, signature=None):
    """What the verifier says of a message under the signature it had, or gets."""
    return judged((SIGNER.sign(message) if signature is None else signature) + message, DNS)


def test_the_verifier_accepts_the_sample_of_rfc_8463_and_nothing_else():
    sample = (
        b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
        b" d=football.example.com; i=@football.example.com;\r\n"
        b" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
        b" subject : date : message-id : from : subject : date;\r\n"
        b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
        b" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
        b" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
        b" d=football.example.com; i=@football.example.com;\r\n"
        b" q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
        b" date : message-id : from : subject : date;\r\n"
        b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
        b" b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
        b" DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
        b" dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
        b"From: Joe SixPack <joe@football.example.com>\r\n"
        b"To: Suzie Q <suzie@shopping.example.net>\r\n"
        b"Subject: Is dinner ready?\r\n"
        b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
        b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
        b"\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
    )
    dns = {
        "brisbane._domainkey.football.example.com": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "test._domainkey.football.example.com": "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
        "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4"
        "hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    }

    assert judged(sample, dns) == {"brisbane": True, "test": True}
    assert judged(sample.replace(b"lost", b"won!"), dns) == {"brisbane": False, "test": False}
    assert judged(sample.replace(b"dinner", b"supper"), dns) == {"brisbane": False, "test": False}


def test_both_keys_sign_and_the_one_that_everybody_knows_stands_first():
    assert verdict(PLAIN) == BOTH
    assert [tags_of(field)["a"] for field in split_message(SIGNER.sign(PLAIN))[0]] == ["rsa-sha256", "ed25519-sha256"]


def test_a_key_of_one_kind_signs_alone():
    for key in SIGNER.keys:
        signer = Signer(domain="news.example", keys=(key,))

        assert judged(signer.sign(PLAIN) + PLAIN, published_by(signer)) == {key.selector: True}


def test_headers_in_relaxed_form_are_those_of_the_rfc():
    assert _relaxed_fields(b"A: X\r\nB : Y\t\r\n\tZ  ") == {b"a": [b"a:X\r\n"], b"b": [b"b:Y Z\r\n"]}


@pytest.mark.parametrize(
    ("body", "relaxed"),
    [
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
        (b"", b""),
        (b"\r\n\r\n", b""),
        (b" \t\r\n", b""),
        (b"no end", b"no end\r\n"),
        (b"no end \t", b"no end\r\n"),
        (b"a\r\n \r\n\r\nb\r\n \r\n \t\r\n", b"a\r\n\r\n\r\nb\r\n"),
    ],
)
def test_bodies_in_relaxed_form_are_those_of_the_rfc(body, relaxed):
    assert _relaxed_body(body) == slow_body(body) == relaxed


@given(st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b"  ", b"."])).map(b"".join))
def test_any_body_has_the_relaxed_form_that_the_verifier_makes_of_it(body):
    assert _relaxed_body(body) == slow_body(body)


def test_the_digest_of_an_empty_body_is_that_of_nothing():
    message = PLAIN.partition(b"\r\n\r\n")[0]

    for ending in (b"\r\n\r\n", b"\r\n", b""):
        signature = SIGNER.sign(message + ending)
        assert tags_of(split_message(signature)[0][0])["bh"] == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_flipping_any_octet_that_is_signed_breaks_both_signatures():
    signature, start = SIGNER.sign(PLAIN), PLAIN.index(UNSIGNED)
    free = range(start, start + len(UNSIGNED) - len(b"\r\n"))

    for index in range(len(PLAIN)):
        flipped = PLAIN[:index] + bytes([PLAIN[index] ^ 1]) + PLAIN[index + 1 :]
        assert judged(signature + flipped, DNS) == (BOTH if index in free else NEITHER), flipped


@pytest.mark.parametrize("number", [0, 1], ids=["rsa", "ed25519"])
def test_flipping_an_octet_of_a_signature_s_own_tags_breaks_it(number):
    fields = split_message(SIGNER.sign(PLAIN))[0]
    field, selector = fields[number], SIGNER.keys[number].selector
    value = range(field.index(b"v=1"), field.index(b" b="))

    for index in value:
        flipped = field[:index] + bytes([field[index] ^ 1]) + field[index + 1 :]
        try:
            judgement = judged(flipped + PLAIN, DNS)
        except (ValueError, KeyError):  # no signature any more
            continue
        assert not judgement.get(selector), flipped


@pytest.mark.parametrize("name", OVERSIGNED)
def test_nobody_can_add_a_field_that_people_or_programs_act_upon(name):
    added = f"{name}: somebody else's\r\n".encode()

    assert verdict(added + PLAIN, SIGNER.sign(PLAIN)) == NEITHER
    assert verdict(PLAIN.replace(b"MIME-Version", added + b"MIME-Version"), SIGNER.sign(PLAIN)) == NEITHER


@pytest.mark.parametrize(
    "name", ["Received", "Return-Path", "Authentication-Results", "X-Spam", "Feedback-ID", "CFBL-Address"]
)
def test_relays_may_add_the_fields_that_are_theirs(name):
    assert verdict(f"{name}: theirs\r\n".encode() + PLAIN, SIGNER.sign(PLAIN)) == BOTH


def test_a_feedback_id_of_ours_cannot_be_changed_but_a_relay_may_put_its_own_above():
    message = b"Feedback-ID: a:b:c:news\r\n" + PLAIN
    signature = SIGNER.sign(message)

    assert verdict(b"Feedback-ID: relay\r\n" + message, signature) == BOTH
    assert verdict(message.replace(b"a:b:c", b"a:b:d"), signature) == NEITHER


def test_fields_that_stand_twice_are_signed_from_the_last_to_the_first():
    message = b"To: first@town.example\r\n" + PLAIN
    signature = SIGNER.sign(message)

    assert tags_of(split_message(signature)[0][0])["h"].split(":").count("To") == 3
    assert verdict(message, signature) == BOTH


def test_relays_may_fold_anew_and_trim_blanks():
    message = PLAIN.replace(b"Subject: Quays at", b"SUBJECT:   Quays\r\n\tat").replace(b"lit.\r\n", b"lit.  \r\n\r\n")

    assert verdict(message, SIGNER.sign(PLAIN)) == BOTH


def test_every_field_is_covered_that_one_click_unsubscribing_needs():
    for field in split_message(SIGNER.sign(PLAIN))[0]:
        names = tags_of(field)["h"].split(":")

        assert names.count("List-Unsubscribe") == names.count("List-Unsubscribe-Post") == names.count("From") == 2
        assert "Return-Path" not in names


def test_a_signature_bears_the_date_of_its_message_and_never_expires():
    for field in split_message(SIGNER.sign(PLAIN))[0]:
        tags = tags_of(field)

        assert list(tags) == ["v", "a", "c", "d", "s", "t", "h", "bh", "b"]
        assert int(tags["t"]) == WHEN.timestamp()


@pytest.mark.parametrize("zone", [b"+0100", b"-0700 (PDT)"])
def test_the_date_counts_in_any_zone(zone):
    field = split_message(SIGNER.sign(PLAIN.replace(b"+0000", zone)))[0][0]

    assert int(tags_of(field)["t"]) == WHEN.timestamp() + {b"+0100": -3600, b"-0700 (PDT)": 25200}[zone]


def test_a_date_of_no_zone_counts_as_utc():
    field = split_message(SIGNER.sign(PLAIN.replace(b"+0000", b"-0000")))[0][0]

    assert int(tags_of(field)["t"]) == WHEN.timestamp()


@pytest.mark.parametrize("message", [PLAIN.replace(b"Date:", b"Day:"), PLAIN.replace(b"Tue, 1 Dec", b"someday")])
def test_a_message_without_a_date_is_not_ours_to_sign(message):
    with pytest.raises(ValueError, match="date"):
        SIGNER.sign(message)


def test_the_same_message_has_the_same_signature_in_every_thread():
    once = SIGNER.sign(PLAIN)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(SIGNER.sign, [PLAIN] * 40)) == {once}


@given(
    st.from_regex(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True),
    st.from_regex(r"([a-z][a-z0-9]{0,10}\.){1,4}example", fullmatch=True),
)
@settings(max_examples=30)
def test_a_signature_is_folded_like_any_header(selector, domain):
    signer = Signer(domain=domain, keys=(SigningKey(selector=selector, private=RSA_2048),))
    signature = signer.sign(PLAIN)

    assert max(map(len, signature.split(b"\r\n"))) <= 78
    assert signature.endswith(b"\r\n")
    assert signature.isascii()
    assert judged(signature + PLAIN, published_by(signer)) == {selector: True}


def test_the_names_of_many_fields_stand_on_many_lines():
    words = _in_words(("Content-Transfer-Encoding",) * 7).split(" ")

    assert max(map(len, words)) <= 74
    assert "".join(words) == ":".join(["Content-Transfer-Encoding"] * 7)


HEAD = Head(
    sender_name="Réseau des Villes",
    sender_address="news@news.example",
    language="fr",
    reply_to="desk@news.example",
    list_id="villes.news.example",
    feedback_id="2026-12:fr:villes:newsexample",
)
SKELETON = build_skeleton(
    HEAD,
    subject=["Bonjour ", Slot("first_name", "lectrice")],
    text=["Chère ", Slot("first_name", "lectrice"), ",\n\nles  quais \n.\n", Slot("unsubscribe_url", ""), "\n"],
    html=["<p>Chère ", Slot("first_name", "lectrice"), ",</p>\n" + "<p>les  quais\t</p>\n" * 100],
)


def personal(name, number=0, skeleton=SKELETON):
    return render(
        skeleton,
        Values(
            address=f"reader{number}@town.example",
            name=name,
            message_id=f"{hashlib.sha256(str(number).encode()).hexdigest()[:26]}@news.example",
            date=WHEN,
            unsubscribe_url=f"https://news.example/u/{hashlib.sha512(str(number).encode()).hexdigest()}",
            slots={"first_name": name},
        ),
    )


def test_five_hundred_personal_messages_are_accepted():
    messages = [personal(f"Žofie Ιωάννα {'ü' * (number % 60)}{number}", number) for number in range(500)]

    assert all(verdict(message) == BOTH for message in messages)


@given(
    name=st.text(max_size=80),
    subject=st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=200),
    text=st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=300),
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_stands_in_a_message_it_is_accepted(name, subject, text):
    skeleton = build_skeleton(HEAD, subject=[subject], text=[text], html=["<p>", Slot("first_name", ""), "</p>\n"])

    assert verdict(personal(name, skeleton=skeleton)) == BOTH


def test_nobody_signs_by_default():
    assert read_signers(DkimSettings()) == ()
    assert signer_for((), "news.example") is None


@pytest.mark.parametrize("keys", [(RSA_2048, ED25519), (ED25519, RSA_2048)], ids=["rsa first", "ed25519 first"])
def test_one_file_may_hold_both_keys_in_any_order(tmp_path, keys):
    path = key_file(tmp_path, b"made in December\n" + pem(*keys))

    (signer,) = read_signers(own(path))

    assert (signer.domain, [key.selector for key in signer.keys]) == ("news.example", ["2026", "2026-ed25519"])
    assert signer.sign(PLAIN) == SIGNER.sign(PLAIN)


def test_an_ed25519_key_alone_keeps_its_selector(tmp_path):
    (signer,) = read_signers(own(key_file(tmp_path, pem(ED25519))))

    assert [key.selector for key in signer.keys] == ["2026-ed25519"]


def test_a_domain_in_any_script_signs_as_the_dns_has_it(tmp_path):
    (signer,) = read_signers(own(key_file(tmp_path, pem(RSA_2048)), domain="Städte.example"))

    assert signer.domain == "xn--stdte-hra.example"
    assert b" d=xn--stdte-hra.example;" in signer.sign(PLAIN)


def test_further_domains_have_tables_of_their_own(tmp_path):
    first = key_file(tmp_path, pem(RSA_2048))
    second = key_file(tmp_path, pem(RSA_OTHER, ED25519), name="clubs.pem")
    clubs = {"clubs.example": {"selector": "winter", "key_file": second}}

    both = read_signers(own(first, domains=clubs))
    alone = read_signers(DkimSettings(domains=clubs))

    assert [signer.domain for signer in both] == ["news.example", "clubs.example"]
    assert [record.name for record in records(alone[0])] == [
        "winter._domainkey.clubs.example",
        "winter-ed25519._domainkey.clubs.example",
    ]


def test_the_settings_file_and_the_environment_name_domains_together(tmp_path, monkeypatch):
    path = key_file(tmp_path, pem(RSA_2048))
    table = f'[dkim.domains."clubs.example"]\nselector = "winter"\nkey_file = "{path}"\n'
    (tmp_path / "newsletter.toml").write_text(table)
    monkeypatch.chdir(tmp_path)
    for name, value in (("DOMAIN", "news.example"), ("SELECTOR", "2026"), ("KEY_FILE", str(path))):
        monkeypatch.setenv(f"NEWSLETTER_DKIM__{name}", value)

    assert [signer.domain for signer in read_signers(load().dkim)] == ["news.example", "clubs.example"]


def test_a_domain_that_is_set_twice_is_an_error(tmp_path):
    path = key_file(tmp_path, pem(RSA_2048))

    with pytest.raises(ConfigurationFault, match=r"^the DKIM domain news\.example is set twice"):
        read_signers(own(path, domains={"NEWS.example": {"selector": "b", "key_file": path}}))


@pytest.mark.parametrize("missing", ["domain", "selector", "key_file"])
def test_a_setting_without_its_fellows_is_an_error(tmp_path, missing):
    with pytest.raises(ConfigurationFault, match="go together: set all three"):
        read_signers(own(tmp_path / "dkim.pem", **{missing: None}))


@pytest.mark.parametrize("domain", ["news", "news example", "https://news.example"])
def test_a_domain_that_is_none_is_an_error(tmp_path, domain):
    with pytest.raises(ConfigurationFault, match=r"^the DKIM domain '.*' is none that mail could come from"):
        read_signers(own(tmp_path / "dkim.pem", domain=domain))


@pytest.mark.parametrize("selector", ["a b", "-a", "a-", "a..b", "_a", "../a", "é", "a" * 56])
def test_a_selector_that_cannot_be_published_is_an_error(tmp_path, selector):
    path = key_file(tmp_path, pem(RSA_2048))

    with pytest.raises(ConfigurationFault, match=r"^the DKIM selector '.*' cannot be published"):
        read_signers(own(path, selector=selector))
    with pytest.raises(ConfigurationFault, match=r"^the DKIM selector '.*' cannot be published"):
        generate(tmp_path, selector)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no private key in PEM"),
        (b"v=DKIM1; p=abc", "holds no private key in PEM"),
        (pem(RSA_2048, RSA_OTHER), "holds two keys of one kind"),
        (pem(ED25519, ED25519), "holds two keys of one kind"),
        (pem(rsa.generate_private_key(65537, 1024)), r"has 1024 bits: DKIM takes 2048 to 4096$"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "holds a key of another kind"),
        (pem(RSA_2048, encryption=serialization.BestAvailableEncryption(b"open")), "is encrypted"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds something that is no private key"),
        (
            RSA_2048.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            "holds something that is no private key",
        ),
    ],
    ids=["empty", "a record", "two rsa", "two ed25519", "short", "elliptic", "encrypted", "damaged", "public"],
)
def test_a_key_file_with_anything_else_is_an_error_that_says_what(tmp_path, content, words):
    path = key_file(tmp_path, content)

    with pytest.raises(ConfigurationFault, match=words) as caught:
        read_signers(own(path))
    assert str(path) in str(caught.value)


def test_a_key_file_that_is_missing_is_an_error(tmp_path):
    with pytest.raises(ConfigurationFault, match=r"dkim\.pem cannot be read: No such file or directory$"):
        read_signers(own(tmp_path / "dkim.pem"))


@pytest.mark.parametrize(("mode", "taken"), [(0o600, True), (0o640, True), (0o644, False), (0o602, False)])
def test_a_key_file_that_everybody_may_open_is_an_error(tmp_path, mode, taken):
    path = key_file(tmp_path, pem(RSA_2048), mode=mode)

    if taken:
        assert read_signers(own(path))
    else:
        with pytest.raises(ConfigurationFault, match=r"run chmod o= .*dkim\.pem$"):
            read_signers(own(path))


def test_keys_do_not_show():
    assert "PrivateKey" not in repr(SIGNER)


def test_a_signer_is_aligned_with_its_domain_and_what_lies_above_and_beneath():
    aligned = {"news.example", "fr.news.example", "example"}
    strange = {"oldnews.example", "news.example.town", "clubs.example", "town.example"}

    assert {domain for domain in aligned | strange if SIGNER.is_aligned(domain)} == aligned


def test_the_nearest_of_the_aligned_signers_signs():
    signers = [Signer(domain=domain, keys=()) for domain in ("town.example", "news.town.example", "clubs.example")]

    assert signer_for(signers, "town.example") is signers[0]
    assert signer_for(signers, "news.town.example") is signers[1]
    assert signer_for(signers, "fr.news.town.example") is signers[1]
    assert signer_for(signers, "press.town.example") is signers[0]


def test_mail_from_a_domain_that_no_key_belongs_to_is_an_error():
    with pytest.raises(ConfigurationFault, match=r'add \[dkim\.domains\."clubs\.example"\] to newsletter\.toml'):
        signer_for([SIGNER], "clubs.example")


def test_records_are_split_into_strings_that_the_dns_takes():
    long, short = records(SIGNER)

    assert long.name == "2026._domainkey.news.example"
    assert [len(each) for each in long.strings] == [255, len(long.text) - 255]
    assert long.text.startswith("v=DKIM1; k=rsa; p=MII")
    assert short.zone_line == f'2026-ed25519._domainkey.news.example. IN TXT "{short.text}"'
    assert long.zone_line.count('"') == 4


def test_made_keys_sign_and_belong_to_their_owner_alone(tmp_path):
    path = generate(tmp_path / "keys", "2027")
    (signer,) = read_signers(own(path, selector="2027"))

    assert path == tmp_path / "keys" / "2027.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert judged(signer.sign(PLAIN) + PLAIN, published_by(signer)) == {"2027": True, "2027-ed25519": True}


def test_keys_are_never_overwritten(tmp_path):
    generate(tmp_path, "2027")
    before = (tmp_path / "2027.pem").read_bytes()

    with pytest.raises(ConfigurationFault, match=r"2027\.pem cannot be made: File exists$"):
        generate(tmp_path, "2027")
    assert (tmp_path / "2027.pem").read_bytes() == before
