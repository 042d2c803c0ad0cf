"""Whatever somebody pastes into an entry arrives as words: nothing runs, nothing is filled in, nothing is lost."""

import pytest
from lxml import html as lxml_html

LONG = "x" * 5000

TITLE = '{{ 7919*7927 }} {% raw %} <b>bold</b> & "quoted" 👩‍🚀 שלום'

BODY = f"""Sums: {{{{ 7919*7927 }}}} and {{% if x %}} and {{# note #}}.

<script>alert(1)</script> <img src=x onerror=alert(1)> <mj-text>no</mj-text> <!-- gone? --> &lt;kept&gt;

[[unsubscribe]] [[preferences_url]] [[nonsense]] [[first_name|dear reader]]

{LONG}

Emoji 👩‍🚀🏳️‍🌈 and مرحبا بالعالم and שלום beside English.

<![CDATA[ raw ]]> </mj-text></mjml> <!--[if mso]>outlook<![endif]-->"""


@pytest.fixture
def received(installation, small, mail):
    """The message that a reader gets of an issue full of traps."""
    control = "bell\u0007 null-like\u0001 end"
    small["entries"] = [
        {
            "key": "trap",
            "kind": "news",
            "section": "news",
            "published": "2026-11-10",
            "texts": {
                "en": {
                    "title": TITLE,
                    "body": f"{BODY}\n\n{control}",
                    "links": [{"label": "<i>More</i> {{ 1+1 }}", "url": "https://www.small.example/?a=1&b=%22x%22"}],
                }
            },
        }
    ]
    small["issues"][0]["texts"]["en"]["subject"] = "{{ 7919*7927 }} <b>& 👩‍🚀 [[first_name|you]] [[unsubscribe]]"
    installation.quickly("content", "import", installation.write("pack.yaml", small))
    installation.quickly("issue", "assemble", "one")
    found = installation.quickly("issue", "preflight", "one", "--json", code=4).json["findings"]
    for code in sorted({finding["code"] for finding in found if finding["severity"] == "warning"}):
        installation.quickly("issue", "waive", "one", code, "--reason", "on purpose")
    installation.quickly("issue", "approve", "one")
    installation.quickly("lists", "create", "readers")
    installation.quickly(
        "subscribers",
        "add",
        "ada@readers.example",
        "first_name={{ 6007*6011 }}<i>",
        "--list",
        "readers",
        "--language",
        "en",
    )
    installation.quickly("segments", "create", "everybody", 'list = "readers"')
    installation.quickly("issue", "queue", "one", "--segment", "everybody", "--now")
    installation.run("dispatch", "--until-done")
    [message] = mail.received
    return message


def test_hostile_text_arrives_inert_and_readable(received):
    page = lxml_html.document_fromstring(received.html)
    words = " ".join(page.xpath("//body")[0].text_content().split())
    spoken = " ".join(received.text.split())

    assert not page.xpath("//script | //mj-text | //*[@onerror]")
    assert not page.xpath("//img[@src='x']")
    for part in (words, spoken):
        assert "Sums: {{ 7919*7927 }} and {% if x %} and {# note #}." in part
        assert "<script>alert(1)</script>" in part
        assert "<img src=x onerror=alert(1)>" in part
        assert "<kept>" in part
        assert "[[unsubscribe]]" in part
        assert "[[nonsense]]" in part
        assert "[[preferences_url]]" in part
        assert "{{ 6007*6011 }}<i>" in part
        assert "👩‍🚀🏳️‍🌈" in part
        assert "مرحبا بالعالم" in part
        assert "שלום" in part
        assert "<b>bold</b>" in part
        assert "62773913" not in part.replace("x", "")
        assert "\u0007" not in part
        assert "\u0001" not in part
        assert part.replace("\u200b", "").replace("\u00ad", "").replace(" ", "").count(LONG) == 1
    assert received.subject == "{{ 7919*7927 }} <b>& 👩‍🚀 {{ 6007*6011 }}<i> [[unsubscribe]]"
    assert page.xpath("//a[@href='https://www.small.example/?a=1&b=%22x%22']")
    assert max(len(line) for line in received.message.as_bytes().splitlines()) <= 998
