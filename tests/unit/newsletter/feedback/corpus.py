"""
Mail that comes back, in the shapes of the programs and providers that write it.

Written after their documented forms: fields, order, wording and quirks are theirs, sentences, names and addresses are
ours. Each sample says what it is, and is built around the name of a delivery, so that a test can prove or forge it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from newsletter.feedback.event import Cause, Kind

READER = "anna.brook@lakes.example"
DOMAIN = "bounce.rivers.example"
NAME = "2a-0123456789abcdef0123"

HARD = (Kind.HARD, Cause.UNKNOWN)
FULL = (Kind.SOFT, Cause.FULL)
DISABLED = (Kind.SOFT, Cause.DISABLED)
SOFT = (Kind.SOFT, Cause.OTHER)
AWAY = (Kind.SOFT, Cause.RELAY)
GREY = (Kind.SOFT, Cause.GREYLIST)
SENDER = (Kind.BLOCKED, Cause.SENDER)
CONTENT = (Kind.BLOCKED, Cause.CONTENT)
DELAYED = (Kind.DELAYED, None)
NOTHING = (None, None)
ANSWER = (Kind.AUTO_REPLY, None)

Expected = tuple[Kind | None, Cause | None]


@dataclass(frozen=True)
class Sample:
    """A message that came back: what it is called, what it is, and how it is built around a delivery's name."""

    label: str
    kind: Kind | None
    cause: Cause | None
    build: Callable[[str, str], str]

    def octets(self, name: str = NAME, reader: str = READER) -> bytes:
        """The message as it comes from the wire."""
        return self.build(name, reader).encode().replace(b"\n", b"\r\n")


def returned(name: str, reader: str) -> str:
    """The header fields of what we had sent."""
    return (
        f"Return-Path: <b+{name}@{DOMAIN}>\n"
        "Received: from rivers.example (rivers.example [192.0.2.10]) by mx.lakes.example; Tue, 1 Dec 2026 08:00:03 +0000\n"
        "From: River News <news@rivers.example>\n"
        f"To: Anna Brook <{reader}>\n"
        "Subject: December on the rivers\n"
        "Date: Tue, 1 Dec 2026 08:00:00 +0000\n"
        f"Message-ID: <{name}@rivers.example>\n"
        "List-ID: <rivers.rivers.example>\n"
        "Precedence: bulk\n"
        "MIME-Version: 1.0\n"
    )


def heading(sender: str, subject: str, name: str, *, more: str = "") -> str:
    return (
        f"Return-Path: <>\nFrom: {sender}\nTo: b+{name}@{DOMAIN}\nSubject: {subject}\n"
        f"Date: Tue, 1 Dec 2026 08:05:00 +0000\nMessage-ID: <1.E0@mx.lakes.example>\nMIME-Version: 1.0\n{more}"
    )


DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.lakes.example>"


@dataclass(frozen=True)
class Writer:
    """A program that writes reports: how it begins, what its blocks look like, how it hands back the message."""

    sender: str
    subject: str
    words: str
    block: str
    copy: str = "text/rfc822-headers"
    message_block: str = "Reporting-MTA: dns; mx.lakes.example\nArrival-Date: Tue, 1 Dec 2026 08:00:03 +0000"
    kind: str = "multipart/report; report-type=delivery-status;"
    part: str = "message/delivery-status"
    more: str = ""


POSTFIX = Writer(
    "MAILER-DAEMON@mx.lakes.example (Mail Delivery System)",
    "Undelivered Mail Returned to Sender",
    "This is the mail system at host mx.lakes.example.\n\nYour message could not be delivered to one or more recipients.\n\n<{reader}>: {said}",
    "Final-Recipient: rfc822; {reader}\nOriginal-Recipient: rfc822;{reader}\nAction: {action}\nStatus: {status}\nRemote-MTA: dns; mx2.lakes.example\nDiagnostic-Code: smtp; {said}",
    copy="message/rfc822",
    message_block="Reporting-MTA: dns; mx.lakes.example\nX-Postfix-Queue-ID: 4F1C2A0\nX-Postfix-Sender: rfc822; b+x@bounce.rivers.example\nArrival-Date: Tue,  1 Dec 2026 09:00:03 +0100 (CET)",
    more="Auto-Submitted: auto-replied\n",
)
SENDMAIL = Writer(
    "Mail Delivery Subsystem <MAILER-DAEMON@mx.lakes.example>",
    "Returned mail: see transcript for details",
    "The original message was received at Tue, 1 Dec 2026 09:00:03 +0100\n\n   ----- The following addresses had permanent fatal errors -----\n<{reader}>\n    (reason: {said})\n\n   ----- Transcript of session follows -----\n... while talking to mx2.lakes.example.:\n>>> RCPT To:<{reader}>\n<<< {said}",
    "Final-Recipient: RFC822; {reader}\nAction: {action}\nStatus: {status}\nRemote-MTA: DNS; mx2.lakes.example\nDiagnostic-Code: SMTP; {said}\nLast-Attempt-Date: Tue, 1 Dec 2026 09:00:04 +0100",
    more="Auto-Submitted: auto-generated (failure)\n",
)
EXIM = Writer(
    "Mail Delivery System <Mailer-Daemon@mx.lakes.example>",
    "Mail delivery failed: returning message to sender",
    "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {reader}\n    SMTP error from remote mail server after RCPT TO:<{reader}>:\n    {said}",
    "Action: {action}\nFinal-Recipient: rfc822;{reader}\nStatus: {status}\nRemote-MTA: dns; mx2.lakes.example\nDiagnostic-Code: smtp; {said}",
    message_block="Reporting-MTA: dns; mx.lakes.example",
    more="X-Failed-Recipients: {reader}\nAuto-Submitted: auto-replied\n",
)
EXCHANGE = Writer(
    "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@lakes.example>",
    "Undeliverable: December on the rivers",
    "Delivery has failed to these recipients or groups:\n\nAnna Brook ({reader})\n\nDiagnostic information for administrators:\n\nGenerating server: MBX1.lakes.example\n\n{reader}\nRemote Server returned '{said}'",
    "Original-recipient: rfc822;{reader}\nFinal-recipient: rfc822;{reader}\nAction: {action}\nStatus: {status}\nDiagnostic-code: smtp;{said}",
    copy="message/rfc822",
    message_block="Reporting-MTA: dns;MBX1.lakes.example\nReceived-From-MTA: dns;rivers.example",
    kind="multipart/report; report-type=delivery-status;",
    more="X-MS-Exchange-Message-Is-Ndr:\nContent-Language: en-US\nAuto-Submitted: auto-replied\n",
)
ONLINE = Writer(
    "postmaster@lakes.example",
    "Undeliverable: December on the rivers",
    "Your message to {reader} couldn't be delivered.\n\nStatus code: {said}",
    "Final-Recipient: rfc822;{reader}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp;{said}\nX-Display-Name: Anna Brook",
    copy="message/rfc822",
    message_block="Reporting-MTA: dns;AM0PR01MB0001.eurprd01.prod.exchangelabs.example\nReceived-From-MTA: dns;rivers.example\nArrival-Date: Tue, 1 Dec 2026 08:00:03 +0000",
    more="X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply\nX-MS-Exchange-Message-Is-Ndr:\n",
)
GMAIL = Writer(
    "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
    "Delivery Status Notification (Failure)",
    "** Address not found **\n\nYour message wasn't delivered to {reader}.\n\nThe response from the remote server was:\n{said}",
    "Final-Recipient: rfc822; {reader}\nAction: {action}\nStatus: {status}\nRemote-MTA: dns; mx2.lakes.example. (192.0.2.20, the server for the domain lakes.example.)\nDiagnostic-Code: smtp; {said}\nLast-Attempt-Date: Tue, 01 Dec 2026 00:00:04 -0800 (PST)",
    copy="message/rfc822",
    message_block="Reporting-MTA: dns; googlemail.com\nReceived-From-MTA: dns; news@rivers.example\nArrival-Date: Tue, 01 Dec 2026 00:00:03 -0800 (PST)",
    more="X-Failed-Recipients: {reader}\nAuto-Submitted: auto-replied\n",
)
ZIMBRA = Writer(
    "MAILER-DAEMON@zimbra.lakes.example (Mail Delivery System)",
    "Undelivered Mail Returned to Sender",
    "This is the mail system at host zimbra.lakes.example.\n\n<{reader}>: host zimbra.lakes.example[192.0.2.30] said: {said}",
    "Final-Recipient: rfc822; {reader}\nOriginal-Recipient: rfc822;{reader}\nAction: {action}\nStatus: {status}\nRemote-MTA: dns; zimbra.lakes.example\nDiagnostic-Code: smtp; {said}",
    copy="message/rfc822",
)
CYRUS = Writer(
    DAEMON,
    "Undelivered Mail Returned to Sender",
    "This is the mail system at host mx.lakes.example.\n\n<{reader}>: host mx.lakes.example[/run/cyrus/socket/lmtp] said: {said}",
    "Final-Recipient: rfc822; {reader}\nAction: {action}\nStatus: {status}\nRemote-MTA: dns; mx.lakes.example\nDiagnostic-Code: smtp; {said}",
    copy="message/rfc822",
)
COURIER = Writer(
    '"Courier mail server at mx.lakes.example" <@lakes.example>',
    "NOTICE: mail delivery status.",
    "This is a delivery status notification from mx.lakes.example,\nrunning the Courier mail server.\n\n                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<{reader}>:\n    <<< {said}",
    "Final-Recipient: rfc822; {reader}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {said}",
    message_block="Reporting-MTA: dns; mx.lakes.example\nArrival-Date: Tue, 01 Dec 2026 09:00:03 +0100",
)
DOMINO = Writer(
    "Postmaster@lakes.example",
    "DELIVERY FAILURE: {said}",
    "Your message\n\n  Subject: December on the rivers\n\nwas not delivered to:\n\n  {reader}\n\nbecause:\n\n  {said}",
    "Final-Recipient: rfc822;{reader}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: X-Notes; {said}",
    copy="message/rfc822",
    message_block="Reporting-MTA: dns;notes.lakes.example",
)
GROUPWISE = Writer(
    "Mailer-Daemon@gw.lakes.example",
    "Message status - undeliverable",
    "The message that you sent was undeliverable to the following:\n\n\t{reader} ({said})",
    "Final-Recipient: rfc822;{reader}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp;{said}",
    copy="message/rfc822",
)
OPENSMTPD = Writer(
    "Mailer Daemon <MAILER-DAEMON@mx.lakes.example>",
    "Delivery status notification: error",
    "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\n{reader}: {said}",
    "Final-Recipient: rfc822; {reader}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {said}",
)
SES = Writer(
    "MAILER-DAEMON@eu-west-1.amazonses.com",
    "Delivery Status Notification (Failure)",
    "An error occurred while trying to deliver the mail to the following recipients:\n{reader}",
    "Final-Recipient: rfc822; {reader}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {said}",
    copy="message/rfc822",
    message_block="Reporting-MTA: dns; a1-2.smtp-out.eu-west-1.amazonses.com",
)
GATEWAY = Writer(
    "MAILER-DAEMON@gateway.lakes.example",
    "Undeliverable message",
    "Your message could not be delivered.\n\n{reader}: {said}",
    "Final-Recipient: rfc822;{reader}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp;{said}",
    kind="multipart/report;",  # without the type of report
)
INTERNATIONAL = Writer(
    DAEMON,
    "=?utf-8?q?Nicht_zustellbar?=",
    "{reader}: {said}",
    "Final-Recipient: utf-8; {reader}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {said}",
    copy="message/global-headers",
    part="message/global-delivery-status",
)


def report(
    writer: Writer, status: str, said: str, *, action: str = "failed", blocks: str = ""
) -> Callable[[str, str], str]:
    """A report of one writer; `blocks` stands in place of its own block."""

    def build(name: str, reader: str) -> str:
        given = {"reader": reader, "said": said, "status": status, "action": action, "name": name}
        head = heading(writer.sender, writer.subject.format(**given), name, more=writer.more.format(**given))
        block = (blocks or writer.block).format(**given).replace("\n\n    ", "\n    ")
        return (
            f'{head}Content-Type: {writer.kind}\n boundary="=_1/mx"\n\nThis is a MIME-encapsulated message.\n\n'
            f"--=_1/mx\nContent-Type: text/plain; charset=utf-8\n\n{writer.words.format(**given)}\n\n"
            f"--=_1/mx\nContent-Type: {writer.part}\n\n{writer.message_block}\n\n{block}\n\n"
            f"--=_1/mx\nContent-Type: {writer.copy}\n\n{returned(name, reader)}\n--=_1/mx--\n"
        )

    return build


def letter(
    sender: str,
    subject: str,
    words: str,
    *,
    more: str = "",
    copy: str = "\n\n",
    kind: str = "text/plain; charset=utf-8",
) -> Callable[[str, str], str]:
    """A letter of a mail system, and the header fields of the message behind `copy`."""

    def build(name: str, reader: str) -> str:
        head = heading(sender, subject, name, more=more.format(reader=reader))
        body = words.replace("{reader}", reader)
        return f"{head}Content-Type: {kind}\n\n{body}{copy}{returned(name, reader)}\nGood morning, Anna.\n"

    return build


def mail(head: str, words: str, *, to: str = "b") -> Callable[[str, str], str]:
    """Any other mail that a person or a program writes to the name of a delivery."""

    def build(name: str, reader: str) -> str:
        address = f"To: <{to}+{name}@{DOMAIN}>\n"
        said = f"{head}\n{words}\n".replace("{reader}", reader).replace("{name}", name)
        return f"{address}{said}"

    return build


def arf(
    kind: str, *, more: str = "", sender: str = "feedback@mail.example", redacted: bool = True
) -> Callable[[str, str], str]:
    """An abuse report (RFC 5965)."""

    def build(name: str, reader: str) -> str:
        shown = "redacted@lakes.example" if redacted else reader
        return (
            f"From: <{sender}>\nTo: <abuse@rivers.example>\nSubject: FW: December on the rivers\nMIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=feedback-report;\n boundary="part1"\n\n'
            "--part1\nContent-Type: text/plain; charset=us-ascii\n\nThis is an email abuse report.\n\n"
            f"--part1\nContent-Type: message/feedback-report\n\nFeedback-Type: {kind}\nUser-Agent: Reporter/1.0\nVersion: 1\n"
            f"Original-Mail-From: <b+{name}@{DOMAIN}>\nReported-Domain: rivers.example\n{more}\n"
            f"--part1\nContent-Type: message/rfc822\n\n{returned(name, shown)}\nGood morning.\n\n--part1--\n"
        )

    return build


_REPORTS = r"""
postfix: unknown in a table | postfix | 5.1.1 | hard | 550 5.1.1 <anna.brook@lakes.example>: Recipient address rejected: User unknown in virtual mailbox table
postfix: unknown local user | postfix | 5.1.1 | hard | unknown user: "anna.brook"
postfix: mailbox full | postfix | 5.2.2 | full | 552 5.2.2 <anna.brook@lakes.example>: user is over quota
postfix: maildir over quota | postfix | 5.2.2 | full | maildir delivery failed: The user you are trying to reach is over quota.
postfix: host not found | postfix | 5.4.4 | disabled | Host or domain name not found. Name service error for name=lakes.example type=A: Host not found
postfix: given up after five days | postfix | 4.4.1 | away | connect to mx2.lakes.example[192.0.2.20]:25: Connection timed out
postfix: blocked by a list | postfix | 5.7.1 | sender | 554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using zen.list.example
postfix: too large | postfix | 5.3.4 | content | 552 5.3.4 Message size exceeds fixed limit
postfix: loop | postfix | 5.4.6 | away | mail for lakes.example loops back to myself
postfix: relaying denied | postfix | 5.7.1 | sender | 554 5.7.1 <anna.brook@lakes.example>: Relay access denied
postfix: spam, status made up | postfix | 5.0.0 | sender | 550 This message was classified as SPAM and may not be delivered (in reply to end of DATA command)
postfix: refused at the end without words | postfix | 5.0.0 | content | 554 Transaction failed (in reply to end of DATA command)
postfix: refused without words | postfix | 5.0.0 | soft | 550 Administrative prohibition (in reply to RCPT TO command)
postfix: domain takes no mail | postfix | 5.1.0 | soft | Domain lakes.example does not accept mail (nullMX)
sendmail: user unknown | sendmail | 5.1.1 | hard | 550 5.1.1 <anna.brook@lakes.example>... User unknown
sendmail: no code of its own | sendmail | 5.1.1 | hard | 550 <anna.brook@lakes.example>: User unknown
sendmail: made-up status for spam | sendmail | 5.1.1 | sender | 550 Your message was rejected as spam
sendmail: made-up status for a block | sendmail | 5.1.1 | sender | 550 Access denied, your host 192.0.2.10 is listed at a blacklist
sendmail: quota | sendmail | 5.2.2 | full | 552 5.2.2 <anna.brook@lakes.example>... Mailbox full
sendmail: host unknown | sendmail | 5.1.2 | hard | 550 Host unknown
sendmail: timed out | sendmail | 4.4.7 | away | 451 4.4.7 message timed out
exim: no such user | exim | 5.0.0 | hard | 550 No Such User Here
exim: unrouteable | exim | 5.0.0 | hard | 550 Unrouteable address
exim: sender verify | exim | 5.0.0 | sender | 550 Sender verify failed
exim: callout of our own address | exim | 5.0.0 | sender | 550-Verification failed for <news@rivers.example> 550-Called: 192.0.2.10 550-Sent: RCPT TO:<news@rivers.example> 550-Response: 550 5.1.1 User unknown 550 Sender verify failed
exim: retry timeout | exim | 4.0.0 | away | 451 Temporary local problem - please try later
exim: greylisted for too long | exim | 4.0.0 | grey | 451 Greylisted, please try again in 300 seconds
exim: reverse lookup | exim | 5.0.0 | sender | 550 Reverse DNS lookup failed for host 192.0.2.10
exim: mailbox over quota | exim | 5.0.0 | full | 552 Mailbox quota exceeded / mailbox is full
exchange: not found | exchange | 5.1.1 | hard | 550 5.1.1 RESOLVER.ADR.RecipNotFound; not found
exchange: ambiguous | exchange | 5.1.4 | soft | 550 5.1.4 RESOLVER.ADR.Ambiguous; ambiguous address
exchange: mailbox full | exchange | 5.2.2 | full | 554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException
exchange: restricted | exchange | 5.7.1 | sender | 550 5.7.1 RESOLVER.RST.AuthRequired; authentication required
exchange: disabled | exchange | 5.2.1 | disabled | 550 5.2.1 STOREDRV.Deliver; mailbox is disabled
exchange: too big for the recipient | exchange | 5.2.3 | content | 550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient
exchange: content | exchange | 5.6.0 | content | 554 5.6.0 STOREDRV.Submit.Exception:PropertyValidationException; cannot be decoded
online: not in the directory | online | 5.1.10 | hard | 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient anna.brook@lakes.example not found by SMTP address lookup
online: access denied | online | 5.4.1 | soft | 550 5.4.1 Recipient address rejected: Access denied. [AM0PR01.eurprd01.prod.outlook.example]
online: domain not found | online | 5.4.310 | disabled | 550 5.4.310 DNS domain lakes.example does not exist [Message=InfoDomainNonexistent]
online: expired | online | 5.4.300 | away | 550 5.4.300 Message expired -> 451 4.7.500 Server busy
online: dmarc | online | 5.7.509 | sender | 550 5.7.509 Access denied, sending domain rivers.example does not pass DMARC verification
online: spam | online | 5.7.350 | sender | 550 5.7.350 Remote server returned message detected as spam -> 554 5.7.1
online: external senders not wanted | online | 5.7.133 | sender | 550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required
outlook.com: unavailable | online | 5.5.0 | soft | 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).
outlook.com: block list | online | 5.7.1 | sender | 550 5.7.1 Unfortunately, messages from [192.0.2.10] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).
outlook.com: over quota | online | 5.2.2 | full | 552 5.2.2 Submission quota exceeded for the mailbox, recipient's mailbox is full
gmail: no account | gmail | 5.1.1 | hard | 550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces. x1-20020a05 - gsmtp
gmail: inactive | gmail | 5.2.1 | disabled | 550 5.2.1 The email account that you tried to reach is inactive. x1-20020a05 - gsmtp
gmail: over quota | gmail | 5.2.2 | full | 552-5.2.2 The recipient's inbox is out of storage space and inactive. 552 5.2.2 x1-20020a05 - gsmtp
gmail: over quota for now | gmail | 4.2.2 | full | 452-4.2.2 The recipient's inbox is out of storage space. 452 4.2.2 x1-20020a05 - gsmtp
gmail: unauthenticated | gmail | 5.7.26 | sender | 550-5.7.26 This mail has been blocked because the sender is unauthenticated. 550 5.7.26 x1 - gsmtp
gmail: likely unsolicited | gmail | 5.7.1 | sender | 550-5.7.1 [192.0.2.10] Our system has detected that this message is likely unsolicited mail. 550 5.7.1 x1 - gsmtp
gmail: receives too fast | gmail | 4.2.1 | soft | 450-4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. 450 4.2.1 x1 - gsmtp
gmail: domain not found | gmail | 5.1.2 | hard | DNS Error: DNS type 'mx' lookup of lakes.example responded with code NXDOMAIN
gmail: timed out | gmail | 4.4.1 | away | The recipient server did not accept our requests to connect. [mx2.lakes.example 192.0.2.20: timed out]
yahoo: no account | postfix | 5.0.0 | hard | 554 delivery error: dd This user doesn't have a yahoo.com account (anna.brook@lakes.example) [0] - mta1.mail.yahoo.example
yahoo: not found | postfix | 5.1.1 | hard | 552 1 Requested mail action aborted, mailbox not found
yahoo: disabled | postfix | 5.0.0 | disabled | 554 delivery error: dd Sorry, your message cannot be delivered. This mailbox is disabled (554.30).
yahoo: over quota | postfix | 5.0.0 | full | 554 delivery error: dd Sorry, your message to anna.brook@lakes.example cannot be delivered. This account is over quota.
yahoo: policy | postfix | 5.7.9 | sender | 554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahoo.example/errors
yahoo: complaints | postfix | 4.7.0 | away | 421 4.7.0 [TSS04] Messages from 192.0.2.10 temporarily deferred due to unexpected volume or user complaints
zimbra: unknown | zimbra | 5.1.1 | hard | 550 5.1.1 Recipient address rejected: lakes.example (in reply to RCPT TO command)
zimbra: over quota | zimbra | 5.2.2 | full | 552 5.2.2 Over quota (in reply to end of DATA command)
cyrus: unknown mailbox | cyrus | 5.1.1 | hard | 550-Mailbox unknown. Either there is no mailbox associated with this 550-name or you do not have authorization to see it. 550 5.1.1 User unknown (in reply to RCPT TO command)
cyrus: over quota | cyrus | 5.2.2 | full | 552 5.2.2 Over quota SESSIONID=<mx-1> (in reply to end of DATA command)
dovecot: user does not exist | cyrus | 5.1.1 | hard | 550 5.1.1 <anna.brook@lakes.example> User doesn't exist: anna.brook@lakes.example (in reply to RCPT TO command)
dovecot: quota | cyrus | 5.2.2 | full | 552 5.2.2 <anna.brook@lakes.example> Quota exceeded (mailbox for user is full) (in reply to end of DATA command)
dovecot: temporary failure | cyrus | 4.2.0 | soft | 451 4.2.0 <anna.brook@lakes.example> Execution of Sieve filters was aborted due to temporary failure
courier: user unknown | courier | 5.0.0 | hard | 550 User <anna.brook@lakes.example> unknown
courier: over quota | courier | 5.0.0 | full | 522 5.2.2 Mailbox is full
domino: not in the directory | domino | 5.1.1 | hard | User brook (anna.brook@lakes.example) not listed in Domino Directory
domino: no route | domino | 5.4.4 | disabled | No route found to domain LAKES from server NOTES1/Lakes. Check Server, Connection and Domain documents in Domino Directory.
domino: quota | domino | 5.2.2 | full | Mail file is over its quota; the message cannot be delivered
groupwise: unknown | groupwise | 5.1.1 | hard | 550 User unknown
groupwise: disk quota | groupwise | 5.2.2 | full | Mailbox disk space limit exceeded
opensmtpd: invalid recipient | opensmtpd | 5.1.1 | hard | 550 Invalid recipient: <anna.brook@lakes.example>
opensmtpd: network error | opensmtpd | 4.4.1 | away | 421 Network error on destination MXs
ses: hard | ses | 5.1.1 | hard | 550 5.1.1 user unknown
ses: suppressed there | ses | 5.1.1 | hard | Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address
gateway like proofpoint: unknown | gateway | 5.1.1 | hard | 550 5.1.1 User Unknown
gateway like proofpoint: blocked | gateway | 5.7.0 | sender | 554 5.7.0 Blocked - see https://ipcheck.gateway.example/?ip=192.0.2.10
gateway like mimecast: invalid | gateway | 5.1.1 | hard | 550 Invalid Recipient - https://community.gateway.example/docs/DOC-1369#550 [xYz1]
gateway like mimecast: policy | gateway | 5.7.1 | sender | 550 Administrative Lockout - envelope blocked by sender policy
gateway like barracuda: blocked | gateway | 5.0.0 | sender | 550 permanent failure for one or more recipients (anna.brook@lakes.example:blocked)
gateway like messagelabs: unknown | gateway | 5.0.0 | hard | 550-Invalid recipient <anna.brook@lakes.example> (#5.1.1)
gateway like trend: rejected | gateway | 5.7.1 | sender | 550 5.7.1 <anna.brook@lakes.example>: Recipient address rejected: Mail appears to be unsolicited
gmx and web.de: unavailable | postfix | 5.0.0 | soft | 550 Requested action not taken: mailbox unavailable For explanation visit https://postmaster.gmx.example/en/error-messages
t-online: problem | postfix | 5.0.0 | soft | 554 IP=192.0.2.10 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.example to clarify.)
t-online: unknown | postfix | 5.0.0 | hard | 550 user unknown -- Benutzer unbekannt
orange: unknown | postfix | 5.1.1 | hard | 550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]
orange: refused | postfix | 5.7.1 | sender | 550 5.7.1 Mail rejete. Mail rejected. OFR_506 [506]
free: closed for being unused | postfix | 5.2.1 | disabled | 550 5.2.1 This mailbox has been blocked due to inactivity
laposte: full | postfix | 5.2.2 | full | 552 5.2.2 Message refusé car la boîte du destinataire est pleine LPN007_510
libero: unknown | postfix | 5.1.1 | hard | 550 RCPT TO:<anna.brook@lakes.example> User unknown - utente sconosciuto
telefonica: unknown | postfix | 5.0.0 | hard | 550 usuario desconocido
otenet: unknown | postfix | 5.1.1 | hard | 550 5.1.1 Ο χρήστης δεν υπάρχει
mail.ru: unavailable | postfix | 5.0.0 | hard | 550 Message was not accepted -- invalid mailbox. Local mailbox anna.brook@lakes.example is unavailable: user not found
mail.ru: spam | postfix | 5.0.0 | sender | 550 spam message rejected. Please visit https://help.mail.example/notspam-support
yandex: no such user | postfix | 5.7.1 | hard | 550 5.7.1 No such user!
seznam: disabled | postfix | 5.2.1 | disabled | 554 5.2.1 Mailbox <anna.brook@lakes.example> is disabled
wp.pl: unknown | postfix | 5.0.0 | hard | 550 Nie ma takiej skrzynki: adres nie istnieje
qq: unknown | postfix | 5.0.0 | hard | 550 Mailbox not found. https://open.work.weixin.example/help
163: unknown | postfix | 5.0.0 | hard | 550 User not found: anna.brook@lakes.example
icloud: unknown | postfix | 5.1.1 | hard | 550 5.1.1 <anna.brook@lakes.example>: user does not exist
icloud: local policy | postfix | 5.7.1 | sender | 554 5.7.1 [CS01] Message rejected due to local policy
aol: rejected by dmarc | postfix | 5.2.1 | sender | 550 5.2.1 : (DMARC) This message failed DMARC evaluation and is being refused due to provided DMARC policy
comcast: not our customer | postfix | 5.1.1 | hard | 551 not our customer
bluewin: greylisted | postfix | 4.7.1 | grey | 450 4.7.1 <anna.brook@lakes.example>: Recipient address rejected: Greylisted for 300 seconds
international address | international | 5.1.1 | hard | 550 5.1.1 Empfänger unbekannt
"""
"""A report a line: what it is called, who wrote it, its status, what it is, what the server said."""


def _reports() -> list[Sample]:
    rows = [line.split(" | ", 4) for line in _REPORTS.strip().split("\n")]
    return [
        Sample(label, *_named(is_), report(_named(writer), status, said)) for label, writer, status, is_, said in rows
    ]


def _named(word: str) -> Any:
    """What this module calls by a word of its tables."""
    return globals()[word.upper()]


QMAIL = "Hi. This is the qmail-send program at lakes.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<{reader}>:\n"
QMAIL_COPY = "\n\n--- Below this line is a copy of the message.\n\n"
EXIM_LETTER = "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {reader}\n    "
EXIM_COPY = "\n\n------ This is a copy of the message, including all the headers. ------\n\n"
OLD_COPY = "\n\n   ----- Original message follows -----\n\n"


_LETTERS = r"""
qmail: no mailbox | hard | MAILER-DAEMON@lakes.example | failure notice | {qmail_copy} | {qmail}Sorry, no mailbox here by that name. (#5.1.1)
qmail: remote refuses | hard | MAILER-DAEMON@lakes.example | failure notice | {qmail_copy} | {qmail}192.0.2.20 does not like recipient.\nRemote host said: 550 5.1.1 <{reader}>: Recipient address rejected: User unknown\nGiving up on 192.0.2.20.
qmail: over quota | full | MAILER-DAEMON@lakes.example | failure notice | {qmail_copy} | {qmail}The users mailfolder is over the allowed quota (size). (#5.2.2)
qmail: no such host | hard | MAILER-DAEMON@lakes.example | failure notice | {qmail_copy} | {qmail}Sorry, I couldn't find any host named lakes.example. (#5.1.2)
qmail: not in rcpthosts | sender | MAILER-DAEMON@lakes.example | failure notice | {qmail_copy} | {qmail}192.0.2.20 does not like recipient.\nRemote host said: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
qmail: too long in the queue | away | MAILER-DAEMON@lakes.example | failure notice | {qmail_copy} | {qmail}Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nI'm not going to try again; this message has been in the queue too long.
qmail: vpopmail | hard | MAILER-DAEMON@lakes.example | failure notice | {qmail_copy} | {qmail}vdeliver: user does not exist, but will deliver to nobody\nThis address no longer accepts mail. (#5.1.1)
exim: unknown user | hard | Mail Delivery System <Mailer-Daemon@lakes.example> | Mail delivery failed: returning message to sender | {exim_copy} | {exim_letter}Unrouteable address
exim: remote 550 | hard | Mail Delivery System <Mailer-Daemon@lakes.example> | Mail delivery failed: returning message to sender | {exim_copy} | {exim_letter}SMTP error from remote mail server after RCPT TO:<{reader}>:\n    host mx2.lakes.example [192.0.2.20]: 550 5.1.1 User unknown
exim: retry timeout exceeded | full | Mail Delivery System <Mailer-Daemon@lakes.example> | Mail delivery failed: returning message to sender | {exim_copy} | {exim_letter}mailbox is full: retry timeout exceeded
exim: host lookup | soft | Mail Delivery System <Mailer-Daemon@lakes.example> | Mail delivery failed: returning message to sender | {exim_copy} | {exim_letter}all relevant MX records point to non-existent hosts
exim: after the end of data | sender | Mail Delivery System <Mailer-Daemon@lakes.example> | Mail delivery failed: returning message to sender | {exim_copy} | {exim_letter}SMTP error from remote mail server after end of data:\n    host mx2.lakes.example [192.0.2.20]: 554 5.7.1 Message rejected as spam by Content Filtering.
sendmail of old: unknown | hard | Mail Delivery Subsystem <MAILER-DAEMON@lakes.example> | Returned mail: User unknown | {old_copy} |    ----- The following addresses had permanent fatal errors -----\n<{reader}>\n\n   ----- Transcript of session follows -----\n550 <{reader}>... User unknown
sendmail of old: deferred for five days | away | Mail Delivery Subsystem <MAILER-DAEMON@lakes.example> | Returned mail: Cannot send message for 5 days | {old_copy} |    ----- Transcript of session follows -----\n<{reader}>... Deferred: Connection timed out with mx2.lakes.example.\nMessage could not be delivered for 5 days\nMessage will be deleted from queue
smail: unknown | hard | <MAILER-DAEMON@lakes.example> | mail failed, returning to sender | \n|------------------------- Message text follows: ------------------------|\n | |------------------------- Message log follows: -------------------------|\n no valid recipients were found for this message\n|------------------------- Failed addresses follow: ---------------------|\n <{reader}> ... unknown user
exchange 5.5: unknown | hard | System Administrator <postmaster@lakes.example> | Undeliverable: December on the rivers | \n\n | Your message\n\n  Subject: December on the rivers\n\ndid not reach the following recipient(s):\n\n{reader} on Tue, 1 Dec 2026 08:00:04 +0000\n    The recipient name is not recognized\n\tThe MTS-ID of the original message is: c=us;a= ;p=lakes;l=MX1
exchange 2003: 5.1.1 | hard | System Administrator <postmaster@lakes.example> | Undeliverable: December on the rivers | \n\n | Your message did not reach some or all of the intended recipients.\n\nThe following recipient(s) could not be reached:\n\n      {reader} on 12/1/2026 9:00 AM\n            The e-mail account does not exist at the organization this message was sent to.\n            <mx1.lakes.example #5.1.1>
exchange in german | hard | System Administrator <postmaster@lakes.example> | Unzustellbar: December on the rivers | \n\n | Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Verteilerlisten:\n\n{reader}\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden. Überprüfen Sie die Adresse.
exchange in french | hard | System Administrator <postmaster@lakes.example> | Non remis : December on the rivers | \n\n | Échec de la remise pour ces destinataires ou groupes :\n\n{reader}\nL'adresse de courrier que vous avez entrée est introuvable.
exchange in spanish | hard | System Administrator <postmaster@lakes.example> | No se puede entregar: December on the rivers | \n\n | No se pudo entregar a estos destinatarios o grupos:\n\n{reader}\nNo se encontró la dirección de correo que escribió; el buzón no existe.
exchange in italian | hard | System Administrator <postmaster@lakes.example> | Non recapitabile: December on the rivers | \n\n | Recapito non riuscito per i seguenti destinatari o gruppi:\n\n{reader}\nL'indirizzo immesso non è stato trovato.
exchange in dutch | hard | System Administrator <postmaster@lakes.example> | Onbestelbaar: December on the rivers | \n\n | Het bericht is niet afgeleverd bij deze geadresseerden:\n\n{reader}\nHet opgegeven adres bestaat niet.
exchange in polish | hard | System Administrator <postmaster@lakes.example> | Niedostarczona: December on the rivers | \n\n | Dostarczenie do następujących adresatów nie powiodło się:\n\n{reader}\nPodany adres nie istnieje.
exchange in greek | hard | System Administrator <postmaster@lakes.example> | Αποτυχία παράδοσης: December on the rivers | \n\n | Η παράδοση απέτυχε:\n\n{reader}\nΗ διεύθυνση που δώσατε δεν βρέθηκε.
full in french | full | System Administrator <postmaster@lakes.example> | Non remis : December on the rivers | \n\n | La boîte aux lettres du destinataire est pleine et ne peut pas accepter de messages.\n{reader}
full in german | full | System Administrator <postmaster@lakes.example> | Unzustellbar: December on the rivers | \n\n | {reader}\nDas Postfach des Empfängers ist voll und kann keine Nachrichten annehmen.
netscape of old | full | Mail Administrator <Postmaster@lakes.example> | Mail System Error - Returned Mail | \n\n | This Message was undeliverable due to the following reason:\n\nThe user(s) account is temporarily over quota.\n\n  <{reader}>\n\nPlease reply to Postmaster@lakes.example
post.office of old | hard | Mail Administrator <Postmaster@lakes.example> | Mail System Error - Returned Mail | \n\n | This Message was undeliverable due to the following reason:\n\nEach of the following recipients was rejected by a remote mail server.\n\nRecipient: <{reader}>\nReason:    550 <{reader}>: User unknown
notes of old | hard | Lotus Notes <postmaster@lakes.example> | Undeliverable message | \n------- Returned Message --------\n\n | ------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\n{reader}\n
mdaemon | hard | MDaemon at lakes.example <MDaemon@lakes.example> | Permanent Delivery Failure | \n\n | The attached message had PERMANENT fatal delivery errors!\n\n  {reader}\n\n--> RCPT To:<{reader}>\n<-- 550 <{reader}>, Recipient unknown
imail | hard | Postmaster <postmaster@lakes.example> | Undeliverable Mail | \n\nOriginal message follows.\n\n | Unknown user: {reader}\n\nRCPT TO generated following response:\n550 unknown user
mailenable | hard | postmaster@lakes.example | Message Delivery Failure | \n\n | MailEnable: Message Delivery Failure.\n\nReason: ME-E0096: The recipient {reader} does not exist.
compuserve of old | full | Electronic Postmaster <POSTMASTER@lakes.example> | Undeliverable message | \n\n | Your message could not be delivered for the following reason:\n\n  Mailbox for {reader} is full
a daemon that explains nothing | soft | Mail Delivery System <MAILER-DAEMON@mx.lakes.example> | Undelivered mail | \n\n--- Original message ---\n | Your message to {reader} could not be delivered.
html alone | hard | postmaster@lakes.example | Delivery failure | \n\n | <html><style>p { color: #550511 }</style><body><p>Your message to <b>{reader}</b> was refused:</p><p>550 5.1.1 Unknown user</p></body></html>
"""
"""A letter a line: what it is called and is, who wrote it under which subject, what stands before the copy, its words."""


def _letters() -> list[Sample]:
    return [_letter(line) for line in _LETTERS.strip().split("\n")]


def _letter(line: str) -> Sample:
    label, is_, sender, subject, copy, words = line.split(" | ", 5)
    for name in ("qmail", "exim_letter", "qmail_copy", "exim_copy", "old_copy"):
        words, copy = (text.replace(f"{{{name}}}", _named(name)) for text in (words, copy))
    words, copy = (text.replace("\\n", "\n").replace("\\t", "\t") for text in (words, copy))
    kind = "text/html; charset=utf-8" if words.startswith("<html>") else "text/plain; charset=utf-8"
    return Sample(label, *_named(is_), letter(sender, subject, words, copy=copy, kind=kind))


def _later() -> list[Sample]:
    rows: list[tuple[str, str, str, str]] = [
        (
            "exim: warning",
            "Mail Delivery System <Mailer-Daemon@lakes.example>",
            "Warning: message 1a2b3c-0001 delayed 24 hours",
            "A message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue.\n\n    {reader}\n      Delay reason: mailbox is full\n\nNo action is required on your part. Delivery attempts will continue for some time.",
        ),
        (
            "sendmail of old: warning",
            "Mail Delivery Subsystem <MAILER-DAEMON@lakes.example>",
            "Warning: could not send message for past 4 hours",
            "    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n    **********************************************\n\n   ----- The following addresses had transient non-fatal errors -----\n<{reader}>\n\n451 mx2.lakes.example: Name server timeout\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old",
        ),
        (
            "exchange: delay",
            "Microsoft Outlook <postmaster@lakes.example>",
            "Delivery delayed: December on the rivers",
            "Delivery to these recipients or groups is delayed:\n\n{reader}\n\nDelivery of this message has been delayed. You do not need to resend it.",
        ),
        (
            "a delay in german",
            "Mailer-Daemon@lakes.example",
            "Zustellung verzögert",
            "Ihre Nachricht wurde noch nicht zugestellt: {reader}\nEs wird weiter versucht.",
        ),
    ]
    samples = [Sample(label, *DELAYED, letter(sender, subject, words)) for label, sender, subject, words in rows]
    block = "Final-Recipient: rfc822; {reader}\nAction: delayed\nStatus: 4.4.1\nDiagnostic-Code: smtp; {said}\nWill-Retry-Until: Sun, 6 Dec 2026 08:00:00 +0000"
    samples += [
        Sample(
            "postfix: delay",
            *DELAYED,
            report(POSTFIX, "4.4.1", "connect to mx2.lakes.example: Connection refused", action="delayed"),
        ),
        Sample("gmail: delay", *DELAYED, report(GMAIL, "4.4.1", "timed out", blocks=block)),
        Sample(
            "postfix: delay of a full mailbox",
            *DELAYED,
            report(POSTFIX, "4.2.2", "452 4.2.2 Mailbox full", action="delayed"),
        ),
        Sample("delivered", *NOTHING, report(POSTFIX, "2.0.0", "250 2.0.0 Ok: queued", action="delivered")),
        Sample("relayed", *NOTHING, report(SENDMAIL, "2.1.5", "250 ok", action="relayed")),
        Sample("expanded", *NOTHING, report(EXCHANGE, "2.0.0", "250 ok", action="expanded")),
    ]
    return samples


def _several() -> list[Sample]:
    member = "Final-Recipient: rfc822; member@clubs.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown"
    ours = "Final-Recipient: rfc822; {reader}\nAction: expanded\nStatus: 2.0.0"
    both = (
        "Final-Recipient: rfc822; {reader}\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 full\n\n"
        + member
    )
    return [
        Sample(
            "an address that leads on to a dead one", Kind.SOFT, Cause.FORWARDED, report(POSTFIX, "", "", blocks=member)
        ),
        Sample("a group of which a member is gone", *NOTHING, report(EXCHANGE, "", "", blocks=f"{ours}\n\n{member}")),
        Sample("ours is full and another one gone", *FULL, report(POSTFIX, "", "", blocks=both)),
        Sample(
            "rewritten by the server, the original named",
            *HARD,
            report(
                POSTFIX,
                "",
                "",
                blocks="Final-Recipient: rfc822; ab12@mail.lakes.example\nOriginal-Recipient: rfc822; {reader}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 gone",
            ),
        ),
        Sample(
            "no recipient that can be read",
            *HARD,
            report(
                EXCHANGE,
                "",
                "",
                blocks="Final-Recipient: unknown;\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 user unknown",
            ),
        ),
        Sample(
            "no action",
            *HARD,
            report(
                EXCHANGE,
                "",
                "",
                blocks="Final-Recipient: RFC822; {reader}\nStatus: 5.1.1 (bad destination mailbox address)",
            ),
        ),
        Sample(
            "a status alone",
            *SOFT,
            report(EXCHANGE, "", "", blocks="Final-Recipient: RFC822; {reader}\nAction: Failed\nStatus: 5.0.0"),
        ),
        Sample(
            "edge server with its own field",
            *HARD,
            report(
                EXCHANGE,
                "",
                "",
                blocks="Final-recipient: RFC822;\n {reader}\nAction: failed\nStatus: 5.1.1\nX-Supplementary-Info: <mx2.lakes.example #5.1.1 smtp;550 5.1.1 no such user>",
            ),
        ),
        Sample(
            "xtext of another script",
            *HARD,
            report(
                INTERNATIONAL,
                "",
                "",
                blocks="Final-Recipient: utf-8-addr-xtext; {reader}\nAction: failed\nStatus: 5.1.1",
            ),
        ),
    ]


def _answers() -> list[Sample]:
    person = "From: Anna Brook <{reader}>\n"
    rows: list[tuple[str, str, str, Kind | None]] = [
        (
            "out of office by Exchange",
            person
            + "Subject: Automatic reply: December on the rivers\nX-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated\n",
            "I am away until Monday.",
            Kind.AUTO_REPLY,
        ),
        (
            "vacation by RFC 3834",
            "Return-Path: <>\n"
            + person
            + "Subject: Auto: December on the rivers\nAuto-Submitted: auto-replied (vacation)\n",
            "Back on 12 January.",
            Kind.AUTO_REPLY,
        ),
        (
            "absence in german without a header",
            person + "Subject: Abwesenheitsnotiz: December on the rivers\n",
            "Ich bin bis Montag nicht erreichbar.",
            Kind.AUTO_REPLY,
        ),
        (
            "absence in french",
            person + "Subject: =?utf-8?q?R=C3=A9ponse_automatique_=3A_December?=\n",
            "Je suis en congé.",
            Kind.AUTO_REPLY,
        ),
        (
            "absence in spanish",
            person + "Subject: Fuera de la oficina: December\n",
            "Vuelvo el lunes.",
            Kind.AUTO_REPLY,
        ),
        ("absence in greek", person + "Subject: Αυτόματη απάντηση: December\n", "Απουσιάζω.", Kind.AUTO_REPLY),
        ("absence in arabic", person + "Subject: رد تلقائي: December\n", "أنا خارج المكتب", Kind.AUTO_REPLY),
        (
            "absence that speaks of a dead mailbox",
            person + "Subject: Automatic reply: I have left\nAuto-Submitted: auto-replied\n",
            "I no longer work here. 550 5.1.1 this mailbox does not exist any more, user unknown.",
            Kind.AUTO_REPLY,
        ),
        (
            "x-autoreply",
            person + "Subject: Re: December\nX-Autoreply: yes\n",
            "Thank you for your message.",
            Kind.AUTO_REPLY,
        ),
        (
            "ticket system",
            "From: Help desk <desk@lakes.example>\nSubject: [Ticket#1] We have received your message\nX-Autorespond: desk\nPrecedence: bulk\n",
            "A ticket was opened.",
            Kind.AUTO_REPLY,
        ),
        (
            "precedence auto_reply",
            person + "Subject: December\nPrecedence: auto_reply\n",
            "Gone fishing.",
            Kind.AUTO_REPLY,
        ),
        (
            "challenge by subject",
            "From: Guard <guard@lakes.example>\nSubject: Please confirm your message\n",
            "Click here to prove that you are human.",
            Kind.AUTO_REPLY,
        ),
        (
            "challenge by TMDA",
            "From: Anna Brook <{reader}>\nSubject: Re: December\nX-TMDA-Fingerprint: abc\n",
            "Reply to this message to release it.",
            Kind.AUTO_REPLY,
        ),
        (
            "a person who answers",
            person + "Subject: Re: December on the rivers\n",
            "Thank you, this was a fine issue! Could you tell me about room 550 at the museum?",
            None,
        ),
        ("advertising", "From: Shop <shop@clubs.example>\nSubject: Everything must go\n", "Only today.", None),
    ]
    samples = [
        Sample(label, kind, None, mail(head + "Content-Type: text/plain; charset=utf-8\n", words))
        for label, head, words, kind in rows
    ]
    receipt = (
        "From: Anna Brook <{reader}>\nSubject: Read: December\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="m"\n'
    )
    read_it = (
        "--m\nContent-Type: text/plain\n\nYour message was displayed.\n--m\nContent-Type: message/disposition-notification\n\n"
        "Final-Recipient: rfc822; {reader}\nDisposition: manual-action/MDN-sent-manually; displayed\n--m--"
    )
    return [*samples, Sample("a receipt", *ANSWER, mail(receipt, read_it))]


def _reactions() -> list[Sample]:
    person = "From: Anna Brook <{reader}>\nContent-Type: text/plain\n"
    daemon = "Return-Path: <>\nFrom: MAILER-DAEMON@lakes.example\nSubject: Undelivered Mail\nContent-Type: text/plain\n"
    jmrp = (
        "From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.10\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="j"\n'
    )
    reported = "--j\nContent-Type: message/rfc822\n\nMessage-ID: <{name}@rivers.example>\nX-HmXmrOriginalRecipient: <{reader}>\nSubject: December\n\nGood morning.\n--j--"
    return [
        Sample("abuse", Kind.COMPLAINT, None, arf("abuse")),
        Sample(
            "abuse, not redacted",
            Kind.COMPLAINT,
            None,
            arf("abuse", redacted=False, more="Original-Rcpt-To: <anna.brook@lakes.example>\n"),
        ),
        Sample("fraud", Kind.COMPLAINT, None, arf("fraud")),
        Sample("opt-out", Kind.COMPLAINT, None, arf("opt-out")),
        Sample("not spam after all", Kind.NOT_SPAM, None, arf("not-spam")),
        Sample("about a signature", *NOTHING, arf("auth-failure", more="Auth-Failure: dkim\n")),
        Sample("forwarded by Outlook.com", Kind.COMPLAINT, None, mail(jmrp, reported)),
        Sample("a farewell by mail", Kind.UNSUBSCRIBE, None, mail(person + "Subject: unsubscribe\n", "", to="leave")),
        Sample("a farewell without words", Kind.UNSUBSCRIBE, None, mail(person, "", to="leave")),
        Sample(
            "an absence at the address for farewells",
            *ANSWER,
            mail(person + "Subject: Out of office\nAuto-Submitted: auto-replied\n", "", to="leave"),
        ),
        Sample("a bounce at the address for farewells", *HARD, mail(daemon, "550 5.1.1 user unknown", to="leave")),
    ]


CORPUS = [*_reports(), *_letters(), *_later(), *_several(), *_answers(), *_reactions()]
"""All samples; see the label of each."""
