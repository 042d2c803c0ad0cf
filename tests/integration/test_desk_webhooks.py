"""The page of webhooks: added with a secret shown once, tried, removed."""

import pytest
from integration.desk import desk_client
from integration.signing import bare_pipeline

from newsletter.accounts.operator import Role


@pytest.fixture
def pipeline(chosen_engine, clock):
    return bare_pipeline(chosen_engine, clock)


def test_a_program_is_added_tried_and_removed(pipeline):
    admin = desk_client(pipeline, role=Role.ADMIN, language="fr")
    assert "Ajouter un programme" in admin.get("/desk/webhooks").text
    wrong = admin.post("/desk/webhooks", {"url": "crm.example", "event": "run.finished"})
    assert wrong.status_code == 422
    assert "Saisissez une adresse" in wrong.text
    made = admin.post("/desk/webhooks", {"url": "https://crm.example/<b>", "event": ["run.finished", "nothing"]}).text
    assert "whsec_" in made
    assert "<b>" not in made
    assert "whsec_" not in admin.get("/desk/webhooks").text
    (row,) = pipeline.webhooks.all()
    one = f"/desk/webhooks/{row.id}"
    assert "Rien à signaler" in admin.get(one).text
    assert admin.post(f"{one}/test").headers["location"] == one
    assert "webhook.test" in admin.get(one).text
    assert admin.post(f"{one}/enable").status_code == 303
    assert admin.post(f"{one}/remove").headers["location"] == "/desk/webhooks"
    assert admin.get(one).status_code == 404
