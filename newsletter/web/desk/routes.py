"""The routes of the desk, area by area."""

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter

from newsletter.bootstrap import Pipeline
from newsletter.web.desk import (
    account,
    alerts,
    api_tokens,
    audit,
    block,
    imports,
    lists,
    login,
    member,
    oidc,
    second,
    security,
    servers,
    setup,
    tags,
    team,
    today,
    topics,
    translations,
    webhooks,
)
from newsletter.web.desk.checks import routes as checks
from newsletter.web.desk.desk import Desk
from newsletter.web.desk.entries import routes as entries
from newsletter.web.desk.issues import routes as issues
from newsletter.web.desk.newsletters import listing, settings, trying
from newsletter.web.desk.parts import routes as parts
from newsletter.web.desk.people import adding, person, table
from newsletter.web.desk.segments import editor as segment_editor
from newsletter.web.desk.segments import table as segment_table
from newsletter.web.desk.sending import routes as sending

ROUTERS: Final[tuple[Callable[[Pipeline, Desk], APIRouter], ...]] = (
    login.router,
    oidc.router,
    setup.router,
    account.router,
    security.router,
    second.router,
    api_tokens.router,
    team.router,
    member.router,
    audit.router,
    today.router,
    listing.router,
    trying.router,
    settings.router,
    servers.router,
    alerts.router,
    checks.router,
    issues.router,
    parts.router,
    sending.router,
    block.router,
    topics.router,
    translations.router,
    entries.router,
    webhooks.router,
    table.router,
    adding.router,
    person.router,
    lists.router,
    segment_table.router,
    segment_editor.router,
    tags.router,
    imports.router,
)
"""Each makes the routes of an area."""
