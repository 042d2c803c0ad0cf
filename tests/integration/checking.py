"""An issue that waits to be checked, in two languages, for tests of what officers and reviewers do with it."""

import json
from contextlib import contextmanager
from functools import cached_property

from databases import copy_of
from integration.kept import Kept
from integration.signing import Clock, bare_pipeline
from integration.test_correction import a_pack, an_entry
from sqlmodel import select

from newsletter.content.models import NewsletterRow
from newsletter.database import open_engine
from newsletter.web.app import create_app
from newsletter.web.rates import Rates

NEWSLETTER, ISSUE = "small", "one"
DESK = f"/desk/n/{NEWSLETTER}/issues/{ISSUE}"
CHECK = f"{DESK}/check"


@contextmanager
def opened_scene(ready, folder):
    """A scene over a copy of a SQLite file that has tables and no rows, for the tests of a module: see `Scene.again`."""
    engine = open_engine(copy_of(ready, folder / "newsletter.sqlite"))
    try:
        yield Scene(engine, folder)
    finally:
        engine.dispose()


class Scene:
    """The verbs over one database, the clock, and what the entries of the issue are."""

    def __init__(self, engine, folder, *entries, **changes):
        self.engine = engine
        self.clock = Clock()
        self.folder = folder
        self.pipeline = bare_pipeline(engine, self.clock).acting_as("anna")
        self.pack(*(entries or (an_entry("quays"), an_entry("fair"))), **changes)
        self.pipeline.editorial.assemble(ISSUE, newsletter=NEWSLETTER)
        self.kept = Kept(engine)

    def again(self):
        """Everything as it was at the beginning, some time later; what was compiled stays compiled."""
        self.kept.put_back()
        self.clock.forward(minutes=5)
        return self

    @cached_property
    def app(self):
        return create_app(self.pipeline, rates=Rates(burst=10_000))

    def pack(self, *entries, by=None, **changes):
        """Import a pack, as Anna or somebody else."""
        path = self.folder / "pack.yaml"
        path.write_text(json.dumps(a_pack(*entries, **changes)), encoding="utf-8")
        self.clock.forward(minutes=1)
        self.as_(by or "anna").entries.import_pack(path)

    def as_(self, operator):
        """The verbs, done by somebody."""
        return self.pipeline.acting_as(operator)

    def wants_four_eyes(self):
        with self.pipeline.parts.sessions() as session:
            for row in session.exec(select(NewsletterRow)):
                row.settings = {**row.settings, "four_eyes": True}
            session.commit()

    def decide(self):
        """Accept every warning, so that nothing stands in the way."""
        report = self.pipeline.approval.preflight(ISSUE, newsletter=NEWSLETTER, segment=None).report
        for code in {finding.code for finding in report.findings if finding.severity == "warning"}:
            self.pipeline.approval.waive(ISSUE, code, reason="a test", newsletter=NEWSLETTER)

    def look(self):
        return self.pipeline.previewing.look(ISSUE, newsletter=NEWSLETTER)

    def ask(self, edition="fr", reader="Marie", days=7):
        """A review; returns it with its token."""
        review = self.pipeline.reviewing.ask(ISSUE, newsletter=NEWSLETTER, edition=edition, reader=reader, days=days)
        return review, review.link.rpartition("/")[2]

    def reviews(self):
        return self.pipeline.reviewing.reviews(ISSUE, newsletter=NEWSLETTER)
