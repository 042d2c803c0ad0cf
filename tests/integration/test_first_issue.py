"""From an empty database to a sent issue, by the pages of the desk alone, over a real mail server."""

import asyncio
import email
import email.policy
from dataclasses import replace

from integration.desk import desk_client
from integration.desk_forms import fill
from integration.signing import Clock, bare_pipeline

from newsletter.accounts.operator import Role
from newsletter.bootstrap import Pipeline
from newsletter.cli.mailbox import mailbox
from newsletter.dispatchers import build_dispatcher
from newsletter.settings import load

HOME = "/desk/n/river-news"


def test_the_first_issue_of_an_empty_database_needs_no_file(chosen_engine, tmp_path):
    with mailbox(tmp_path / "letters") as port:
        settings = load(smtp={"host": "127.0.0.1", "port": port, "tls": "none", "connections": 1})
        pipeline = Pipeline(parts=replace(bare_pipeline(chosen_engine, Clock()).parts, settings=settings))
        desk = desk_client(pipeline, role=Role.ADMIN)

        def step(heading):
            """Today names what comes next."""
            return f'<li class="now">\n<h2>{heading}' in desk.get("/desk").text

        assert step("Set up a newsletter")
        newsletter = {
            "name": "River News",
            "languages": ["en", "fr"],
            "sender_name": "River network",
            "sender_address": "news@rivers.example",
        }
        made = fill(desk, desk.get("/desk/newsletters/new"), newsletter)
        assert made.headers["location"] == f"{HOME}/settings"

        assert step("Bring the people")
        fill(desk, desk.get("/desk/lists/new"), {"name": "members", "title.en": "Members"})
        fill(desk, desk.get("/desk/people/new"), {"address": "ada@town.example", "language": "fr", "list": "members"})
        segment = {"name": "readers", "text": 'list = "members"', "edited": "text"}
        fill(desk, desk.get("/desk/segments/new"), segment)

        assert step("Write entries")
        begun = {"title": "The lock is open again", "language": "en", "section": "lead"}
        entry = fill(desk, desk.get(f"{HOME}/entries/new"), begun).headers["location"]
        written = {
            "body.en": "Boats pass the lock since Monday.",
            "title.fr": "L’écluse est rouverte",
            "body.fr": "Les bateaux passent l’écluse depuis lundi.",
            "published": "2026-11-20",
            "then": "publish",
        }
        assert fill(desk, desk.get(entry), written, pressed="then").status_code == 303

        assert step("Make an issue")
        issue = fill(desk, desk.get(f"{HOME}/issues/new"), {}, action="/issues/new").headers["location"]
        assert "The lock is open again" in desk.get(issue).text
        assert "It has no subject in these languages: English, Français." in " ".join(desk.get("/desk").text.split())
        words = {
            "subject-en": "The lock is open again",
            "preheader-en": "Boats pass since Monday.",
            "subject-fr": "L’écluse est rouverte",
            "preheader-fr": "Les bateaux passent depuis lundi.",
        }
        assert fill(desk, desk.get(f"{issue}/wording"), words).status_code == 303

        assert step("Look at it in your own mailbox")
        assert "Everything is written." in desk.get("/desk").text
        looked_at = desk.get(f"{issue}/approve?now")
        assert "The checks are content." in desk.get("/desk").text
        approved = fill(desk, looked_at, {}, action="/approve")
        assert approved.status_code == 303
        assert "It is approved and waits for its time to be set." in desk.get("/desk").text
        last = desk.get(f"{issue}/schedule/last?segment=readers&when=now&clock=newsletter")
        assert fill(desk, last, {}, action="/schedule").status_code == 303

        asyncio.run(build_dispatcher(pipeline).run(until_done=True, patience=5))

    (file,) = (tmp_path / "letters" / "ada@town.example" / "new").glob("*.eml")
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert message["Subject"] == "L’écluse est rouverte"
    assert message["From"] == "River network <news@rivers.example>"
    assert "Les bateaux passent l’écluse depuis lundi." in message.get_body(("plain",)).get_content()
    page = desk.get("/desk").text
    assert "Six steps to your first issue" not in page
    assert "Nothing needs you today" in page
