"""What refusals mean, in codes and in words."""

import pytest

from newsletter.dispatch.outcome import Phase, Reply
from newsletter.feedback.causes import answer_in, judge, judge_text
from newsletter.feedback.event import Cause, Kind
from newsletter.feedback.tongues import in_english

SENTENCES = """
hard | 550 5.1.1 unknown or illegal alias: x@y.example
hard | 550 5.1.1 Mailbox does not exist
hard | 550 No such recipient here
hard | 550 Unknown address error 550-'5.1.1 <x@y.example>... User unknown'
hard | 554 5.1.1 <x@y.example>: Recipient address rejected: User unknown in relay recipient table
hard | 550 Invalid mailbox
hard | 550 x@y.example: No such account
hard | 550 user no longer available
hard | 554 Recipient address rejected: user x@y.example does not exist
hard | 550 5.1.3 bad address syntax
hard | 550 5.1.6 recipient no longer on server
hard | 553 5.3.0 x@y.example... No such user here
hard | 550 Email address could not be found, or was misspelled (G8)
hard | 550 5.0.350 Remote server returned an error -> 550 user unknown
hard | user unknown
soft | 550 #5.1.0 Address rejected.
soft | 550 RCPT (x@y.example) is not for us
soft | 450 4.2.1 mailbox temporarily disabled
soft | 421 4.3.2 system not accepting messages
soft | 451 4.7.1 Greylisting in action, please come back later
soft | 550 5.2.2 mailbox quota exceeded
soft | 552 5.2.2 The email account that you tried to reach is over quota
soft | 550 account disabled
soft | 550 5.2.1 The user has moved; mailbox closed
soft | 550 mailbox not local; please try again
soft | 550 recipient rejected
soft | 550 5.4.1 All recipient addresses rejected : Access denied
soft | 550 Sorry, we do not accept mail from your country
soft | 550 This domain is not hosted here
soft | 554 Too many hops
soft | 550 The account x has been suspended
soft | 452 4.1.1 requested action aborted: try again later
soft | 554 no valid recipients
soft | Connection timed out
blocked | 554 5.7.1 Your access has been rejected due to the sending server's poor reputation
blocked | 550 5.7.1 Message contains spam or virus
blocked | 550 SPF check failed
blocked | 571 Email from 192.0.2.1 is currently blocked by the provider
blocked | 550 JunkMail rejected - (x) [192.0.2.1]:1234 is in an RBL
blocked | 552 5.2.3 Message too large
blocked | 552 Message size exceeds fixed maximum message size
blocked | 550 5.7.606 Access denied, banned sending IP [192.0.2.1]
blocked | 554 5.7.5 Permanent failure evaluating DMARC policy
blocked | 550 High probability of spam
blocked | 550 Blocked by recipient's personal blocklist
blocked | 554 5.5.2 syntax error
blocked | 554 5.6.1 body type not supported
blocked | 550 relay not permitted
blocked | 503 bad sequence of commands
blocked | 550 5.1.1 Sorry, your message looks like spam to us
blocked | 550 5.1.8 Access denied, bad outbound sender
blocked | 550 5.1.7 sender address invalid
blocked | 550 5.1.1 sender verification failed for unknown user
blocked | 550 unknown user - sender verify failed
blocked | 550 Verification failed for <news@rivers.example>: No such user
"""


@pytest.mark.parametrize("sentence", SENTENCES.strip().split("\n"))
def test_a_sentence_is_understood(sentence):
    kind, _, words = sentence.partition(" | ")

    assert judge_text(words).kind == kind


def test_a_status_that_the_report_made_up_gives_way_to_the_words():
    assert judge_text("550 Your message was rejected as spam", status="5.1.1").kind is Kind.BLOCKED
    assert judge_text("550 mailbox is full", status="5.1.1").cause is Cause.FULL
    assert judge_text("550 go away", status="5.1.1") == (Kind.HARD, Cause.UNKNOWN)
    assert judge_text("550 go away", status="4.2.0").kind is Kind.SOFT
    assert judge_text("", status="5.1.1").kind is Kind.HARD
    assert judge_text("", status="4.4.1").cause is Cause.RELAY


def test_the_end_of_the_content_says_nothing_of_the_recipient():
    at_the_end = Reply(code=554, enhanced=None, text="refused")

    assert judge(at_the_end, phase=Phase.CONTENT).cause is Cause.CONTENT
    assert judge(at_the_end).cause is Cause.OTHER
    assert judge_text("554 refused (in reply to end of DATA command)").cause is Cause.CONTENT


def test_a_relay_that_asks_for_credentials_says_nothing_of_the_recipient():
    assert judge(Reply(code=535, enhanced=None, text="authentication failed")).cause is Cause.RELAY


@pytest.mark.parametrize(
    ("text", "code", "enhanced"),
    [
        ("550 5.1.1 gone", 550, "5.1.1"),
        ("550-5.1.1 gone", 550, "5.1.1"),
        ("552 (#5.2.2) full", 552, "5.2.2"),
        ("host mx.lakes.example[192.0.2.25] said: 450 4.2.0 later", 450, "4.2.0"),
        ("192.0.2.255:25 did not answer", 550, None),
        ("no mailbox (#5.1.1)", 550, "5.1.1"),
        ("", 550, None),
    ],
)
def test_the_reply_is_found_in_what_is_quoted(text, code, enhanced):
    answer = answer_in(text)

    assert (answer.code, answer.enhanced) == (code, enhanced)


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("Empfänger unbekannt", "user unknown"),
        ("Das Postfach ist voll", "mailbox is full"),
        ("als Spam eingestuft", "refused as spam"),
        ("Cette adresse n'existe pas", "user unknown"),
        ("La boîte est saturée", "mailbox is full"),
        ("la boite du destinataire est pleine", "mailbox is full"),
        ("El usuario no existe", "user unknown"),
        ("O usuário não existe", "user unknown"),
        ("La casella è piena", "mailbox is full"),
        ("utente inesistente", "user unknown"),
        ("Het adres bestaat niet", "user unknown"),
        ("mottagaren är okänd", "user unknown"),
        ("modtageren findes ikke", "user unknown"),
        ("vastaanottajaa ei löydy", "user unknown"),
        ("skrzynka jest pełna", "mailbox is full"),
        ("adres nie istnieje", "user unknown"),
        ("příjemce neexistuje", "user unknown"),
        ("a postafiók nem található", "user unknown"),
        ("utilizator necunoscut", "user unknown"),
        ("Ο χρήστης δεν υπάρχει", "user unknown"),
        ("Το γραμματοκιβώτιο είναι γεμάτο", "mailbox is full"),
        ("kullanıcı bulunamadı", "user unknown"),
        ("пользователь не найден", "user unknown"),
        ("ящик переполнен", "mailbox is full"),
        ("المستلم غير موجود", "user unknown"),
        ("صندوق البريد ممتلئ", "mailbox is full"),
        ("用户不存在", "user unknown"),
        ("宛先が存在しません", "user unknown"),
        ("垃圾邮件", "refused as spam"),
    ],
)
def test_other_languages_are_understood(words, meaning):
    assert in_english(words) == f"{meaning}: {words}"


def test_english_is_left_as_it_is():
    assert in_english("550 user unknown") == "550 user unknown"
    assert in_english("Ihre Nachricht ist angekommen") == "Ihre Nachricht ist angekommen"
