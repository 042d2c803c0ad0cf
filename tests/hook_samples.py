"""
Requests as mail providers send them: the shapes of their public documentation, people and keys of our own.

Each function gives the headers and the body of one request, signed as its provider signs.
"""

import base64
import datetime as dt
import functools
import hmac
import json
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

NOW = dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)
ANNA = "anna@lakes.example"
NAME = "1f-0123456789abcdef0123"
MESSAGE_ID = f"<{NAME}@rivers.example>"
RETURN_PATH = f"b+{NAME}@bounces.rivers.example"
REFUSED = "550 5.1.1 <anna@lakes.example>: Recipient address rejected: User unknown"

KEY = "the-last-part-of-the-address"
SIGNING_KEY = "mailgun-signing-key"
TOKEN = "a-token-for-brevo"
USERNAME, PASSWORD = "postmark", "a-password-for-postmark"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SUBSCRIBE_URL = (
    "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
    "&TopicArn=arn:aws:sns:eu-west-1:123456789012:bounces&Token=abc123"
)


class Sample(NamedTuple):
    """A request."""

    headers: dict[str, str]
    body: bytes


def seconds(at=NOW):
    return int(at.timestamp())


# Mailgun


def mailgun(event="failed", *, at=NOW, token="t" * 50, key=SIGNING_KEY, recipient=ANNA, message_id=MESSAGE_ID, **more):
    data = {
        "event": event,
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": at.timestamp(),
        "recipient": recipient,
        "severity": "permanent",
        "reason": "generic",
        "message": {"headers": {"message-id": message_id.strip("<>")}},
        "envelope": {"sender": "news@rivers.example", "targets": recipient},
        "delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": REFUSED, "description": ""},
    }
    stamp = str(seconds(at))
    code = hmac.digest(key.encode(), f"{stamp}{token}".encode(), "sha256").hex()
    signature = {"timestamp": stamp, "token": token, "signature": code}
    return Sample({"content-type": "application/json"}, dumped({"signature": signature, "event-data": data | more}))


# Postmark


def postmark(kind="HardBounce", *, username=USERNAME, password=PASSWORD, **more):
    data = {
        "RecordType": "Bounce",
        "ID": 4242,
        "Type": kind,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Description": "The server was unable to deliver your message.",
        "Details": REFUSED,
        "Email": ANNA,
        "BouncedAt": "2026-12-01T07:59:00.1234567Z",
    }
    credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Sample({"authorization": f"Basic {credentials}"}, dumped(data | more))


# SendGrid


@functools.cache
def sendgrid_key():
    return ec.generate_private_key(ec.SECP256R1())


def sendgrid_public_key(key=None):
    public = (key or sendgrid_key()).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def sendgrid_event(event="bounce", **more):
    plain = {
        "event": event,
        "email": ANNA,
        "timestamp": seconds(),
        "smtp-id": MESSAGE_ID,
        "sg_event_id": "c2dfZXZlbnQ",
        "type": "bounce",
        "status": "5.1.1",
        "reason": REFUSED,
    }
    return plain | more


def sendgrid(*events, at=NOW, key=None, alone=False):
    told = list(events or [sendgrid_event()])
    body, stamp = dumped(told[0] if alone else told), str(seconds(at))
    signature = (key or sendgrid_key()).sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
        "x-twilio-email-event-webhook-timestamp": stamp,
    }
    return Sample(headers, body)


# Brevo


def brevo(event="hard_bounce", *, token=TOKEN, message_id=MESSAGE_ID, **more):
    data = {
        "event": event,
        "email": ANNA,
        "id": 26224,
        "message-id": message_id,
        "ts_epoch": seconds() * 1000,
        "ts_event": seconds(),
        "reason": REFUSED,
    }
    return Sample({"authorization": f"Bearer {token}"}, dumped(data | more))


# Amazon


@functools.cache
def amazon_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(*, name="sns.amazonaws.com", key=None, begins=NOW - dt.timedelta(days=30), days=365):
    key = key or amazon_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    dated = made.serial_number(1).not_valid_before(begins).not_valid_after(begins + dt.timedelta(days=days))
    return dated.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def ses_message(part="bounce", *, kind="Bounce", words=("Permanent", "General"), person=None, mail=None, **more):
    told = {"bounceType": words[0], "bounceSubType": words[1], "feedbackId": "0102-feedback", "timestamp": stamp()}
    people = {
        "bounce": "bouncedRecipients",
        "complaint": "complainedRecipients",
        "deliveryDelay": "delayedRecipients",
    }.get(part, "recipients")
    refused = {"emailAddress": ANNA, "status": "5.1.1", "action": "failed", "diagnosticCode": f"smtp; {REFUSED}"}
    plain = {
        "timestamp": stamp(),
        "messageId": "0102-message",
        "source": RETURN_PATH,
        "destination": [ANNA],
        "headers": [{"name": "Message-ID", "value": MESSAGE_ID}],
        "commonHeaders": {"messageId": MESSAGE_ID},
    }
    people_told = [refused] if person is None else person
    return {"notificationType": kind, part: told | {people: people_told} | more, "mail": plain | (mail or {})}


def stamp(at=NOW):
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sns(message=None, *, version="2", key=None, at=NOW, **more):
    told = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": json.dumps(ses_message() if message is None else message),
        "Timestamp": stamp(at),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **more,
    }
    covered = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    content = "".join(f"{name}\n{told[name]}\n" for name in covered if name in told)
    hash_ = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = (key or amazon_key()).sign(content.encode(), padding.PKCS1v15(), hash_)
    told["Signature"] = base64.b64encode(signature).decode()
    return Sample({"x-amz-sns-message-type": told["Type"]}, dumped(told))


def subscription(**more):
    return sns({}, **{"Type": "SubscriptionConfirmation", "Token": "abc123", "SubscribeURL": SUBSCRIBE_URL, **more})


def dumped(value):
    return json.dumps(value, ensure_ascii=False).encode()
