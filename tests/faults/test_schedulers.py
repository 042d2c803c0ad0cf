"""
Schedulers on PostgreSQL that are killed, stopped and cut off: another one leads within five seconds. And an import whose
worker is killed goes on in another one.
"""

import signal

import pytest
from faults.bench import Bench, until
from faults.zygote import Break, Kill

from newsletter.bootstrap import build
from newsletter.database import open_engine
from newsletter.pipeline.election import leader
from newsletter.pipeline.upload_work import Plan
from newsletter.settings import load
from subscribers.models import UploadState

pytestmark = pytest.mark.faults

SHORT = Break(
    constants={
        "newsletter.pipeline.election:EVERY_SECONDS": 0.2,
        "newsletter.pipeline.election:VALID_SECONDS": 0.8,
        "newsletter.pipeline.election:SILENT_SECONDS": 1.0,
    }
)
TAKEN_OVER = 5
"""Seconds."""


@pytest.fixture
def bench(postgres, zygote, tmp_path):
    """An installation on PostgreSQL without any content."""
    postgres.do("CREATE DATABASE schedulers")
    made = Bench(tmp_path, zygote=zygote, relay=_NoRelay(), url=postgres.url("schedulers"))
    made.run("init")
    yield made
    made.end()
    postgres.do("DROP DATABASE schedulers WITH (FORCE)")


class _NoRelay:
    port = 1


def stands(process):
    """What a scheduler last said about the seat, in a word."""
    told = [line["event"].split()[2].rstrip(":") for line in process.log if "this scheduler" in line["event"]]
    return told[-1] if told else None


@pytest.mark.parametrize("broken", [SHORT, pytest.param(Break(), marks=pytest.mark.long)], ids=["short", "in earnest"])
def test_another_scheduler_leads_when_one_is_stopped_killed_or_asked_to_end(bench, postgres, broken):
    engine = open_engine(postgres.url("schedulers"))

    def leads(process):
        found = leader(engine)
        return found is not None and found.name.endswith(f":{process.pid}")

    first = bench.start("scheduler", broken=broken)
    until(lambda: leads(first))
    second = bench.start("scheduler", broken=broken)
    until(lambda: stands(second) == "follows")

    first.send_signal(signal.SIGSTOP)
    assert until(lambda: leads(second)) < TAKEN_OVER
    first.send_signal(signal.SIGCONT)
    until(lambda: stands(first) == "follows")

    second.kill()
    assert until(lambda: leads(first)) < TAKEN_OVER

    third = bench.start("scheduler", broken=broken)
    until(lambda: stands(third) == "follows")
    first.terminate()
    assert until(lambda: leads(third)) < TAKEN_OVER
    assert first.wait() == 0

    postgres.fail()
    until(lambda: any("no session" in line["event"] for line in third.log))
    postgres.start()
    engine.dispose()
    assert until(lambda: leads(third)) < TAKEN_OVER
    third.terminate()
    assert third.wait() == 0, third.error
    engine.dispose()


QUICK_JOBS = {
    "newsletter.tasks.worker:BEAT_SECONDS": 0.2,
    "newsletter.tasks.worker:SILENCE_SECONDS": 1.5,
    "newsletter.tasks.worker:SWEEP_SECONDS": 0.3,
    "newsletter.tasks.worker:POLL_SECONDS": 0.2,
}
SMALL_CHUNKS = {"subscribers.importing.loading:CHUNK": 10, "subscribers.importing.loading:WIDE": 10}
ROWS = 200


@pytest.mark.parametrize("jobs", [QUICK_JOBS, pytest.param({}, marks=pytest.mark.long)], ids=["short", "in earnest"])
def test_an_import_whose_worker_is_killed_goes_on_in_another_one_and_takes_each_row_once(
    bench, postgres, monkeypatch, jobs
):
    monkeypatch.chdir(bench.folder)
    bench.run("lists", "create", "readers")
    pipeline = build(load(database={"url": postgres.url("schedulers")}), operator="grace")
    uploads = pipeline.uploads
    people = "email\n" + "".join(f"p{number}@town.example\n" for number in range(ROWS))
    key = uploads.stage(people.encode(), name="people.csv", list_name="readers")
    uploads.settle(key, Plan(), list_name="readers")
    uploads.check(key).join(60)
    assert uploads.get(key).state is UploadState.CHECKED
    dying = bench.start(
        "worker",
        broken=Break(
            kill=Kill(target="subscribers.importing.loading:_Loader.take", nth=8),
            constants={**jobs, **SMALL_CHUNKS},
        ),
    )
    until(lambda: bench.rows("SELECT count(*) FROM procrastinate_workers")[0][0] > 0)

    begun = uploads.run(key)
    assert begun.thread is None, "it is left to the worker"
    assert dying.wait() == -9
    found = uploads.get(key)
    assert (found.state, found.done) == (UploadState.RUNNING, 70)

    other = bench.start("worker", broken=Break(constants=jobs))
    until(lambda: uploads.get(key).state is UploadState.FINISHED, patience=30)
    counts = uploads.get(key).report["counts"]
    assert (counts["new"], counts["unchanged"]) == (ROWS - 70, 70)
    assert bench.rows("SELECT count(*) FROM subscriber") == [(ROWS,)]
    assert bench.rows("SELECT count(*), count(DISTINCT subscriber_id) FROM consent_entry") == [(ROWS, ROWS)]
    other.terminate()
    assert other.wait() == 0, other.error
    pipeline.parts.engine.dispose()
