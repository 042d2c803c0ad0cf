"""The command that shows what was counted of an issue: clicks by language and link, and opened messages."""

from typing import TYPE_CHECKING, Any

from newsletter.cli.output import JsonOption, note, print_json, print_table, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE, NewsletterOption

if TYPE_CHECKING:
    from newsletter.pipeline.engagement import EditionFigures, Figures, Times


def clicks(slug: str, newsletter: str = NewsletterOption, json: bool = JsonOption) -> None:
    """Show how often the links of an issue were clicked, where its newsletter has that counted."""
    figures = STATE.pipeline().engagement.figures(slug, newsletter=newsletter)
    if json:
        print_json(_json(figures))
        return
    if figures.tracking == "off":
        say(
            f"nothing is counted in issue {slug}: see `newsletter newsletters set {figures.newsletter} tracking=totals`"
        )
        return
    if not figures.editions:
        say(f"issue {slug} is not approved: nobody can have clicked in it")
        return
    for edition in figures.editions:
        say(_summary(edition, opens=figures.opens))
    print_table(
        ("language", "people", "programs", "link"),
        [
            (edition.language, link.times.people, link.times.programs, link.url)
            for edition in figures.editions
            for link in edition.links
        ],
    )
    note("programs are mail filters and previews that follow links by themselves")


def _summary(edition: "EditionFigures", *, opens: bool) -> str:
    followed = sum(link.times.people for link in edition.links)
    told = [f"{counted(edition.accepted, 'message', 'messages')} accepted", counted(followed, "click", "clicks")]
    if opens:
        told.append(f"opened {counted(edition.opens.people, 'time', 'times')}")
    told += [
        f"{counted(people, 'person', 'people')} {kind.value}" for kind, people in edition.readers.items() if people
    ]
    return f"{edition.language}: {', '.join(told)}"


def _json(figures: "Figures") -> dict[str, Any]:
    return {
        "newsletter": figures.newsletter,
        "issue": figures.issue,
        "tracking": figures.tracking.value,
        "opens": figures.opens,
        "editions": [
            {
                "language": edition.language,
                "accepted": edition.accepted,
                "opens": _times(edition.opens),
                "readers": {kind.value: people for kind, people in edition.readers.items()},
                "links": [{"url": link.url, **_times(link.times)} for link in edition.links],
            }
            for edition in figures.editions
        ],
    }


def _times(times: "Times") -> dict[str, int]:
    return {"people": times.people, "programs": times.programs}
