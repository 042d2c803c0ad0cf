"""Whoever is imported as pending is asked for their own word, each once."""


def test_who_is_imported_as_pending_is_asked_to_confirm_once(installation, small, mail):
    installation.quickly("content", "import", installation.write("small.json", small))
    installation.quickly("lists", "create", "readers")
    pending = ("subscribers", "import", installation.readers(6), "--list", "readers", "--pending")

    tried = installation.quickly(*pending, "--dry-run", "--json").json
    assert (tried["new"], tried["invited"]) == (6, 0)
    imported = installation.quickly(*pending, "--json").json
    assert (imported["new"], imported["invited"]) == (6, 6)
    again = installation.quickly(*pending)
    assert "0 people invited" in again.out
    invited = installation.quickly("subscribers", "invite", "--list", "readers", "--json")
    assert invited.json == {"invited": 0}
    [readers] = installation.quickly("lists", "list", "--json").json
    assert (readers["pending"], readers["confirmed"]) == (6, 0)

    installation.quickly("dispatch", "--until-done")

    assert len(mail.received) == 6
    assert {received.language for received in mail.received} == {"en", "fr", "de", "es"}
    assert all("/c/" in received.text for received in mail.received)
    french = next(received for received in mail.received if received.language == "fr")
    assert "Il nous a été demandé d’envoyer" in french.text
