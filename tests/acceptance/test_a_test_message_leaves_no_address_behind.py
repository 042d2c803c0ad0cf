"""A test goes to one address, in one edition, beside any run; afterwards nobody knows the address any more."""

ADDRESS = "curious.colleague@elsewhere.example"


def everywhere(installation):
    """All that lies in the folder of the installation, whatever its form; with a SQLite file the database too."""
    if installation.kind == "sqlite":
        installation.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return b"".join(path.read_bytes() for path in installation.folder.iterdir() if path.is_file())


def test_a_test_message_leaves_no_address_behind(approved, mail):
    sent = approved.run("issue", "test", "2026-12", "--to", ADDRESS, "--language", "fr")
    assert sent.out == "accepted: 2.0.0 kept\n"
    [received] = mail.received
    assert (received.recipient, received.language) == (ADDRESS, "fr")
    assert received.subject == "Chers lecteurs, Skagen en mai et neuf lentilles"
    assert ADDRESS.encode() not in everywhere(approved)
    assert approved.rows("SELECT address FROM delivery WHERE mailing LIKE 'test:%'") == [(None,)]
    standing = approved.status()
    assert (standing["state"], standing["total"]) == ("approved", 0)

    refused = approved.quickly("issue", "test", "2026-12", "--to", ADDRESS, "--language", "de", code=1)
    assert refused.problem == "newsletter: there is no edition 'de'; did you mean 'en' or 'es' or 'fr'?"
    refused = approved.quickly("issue", "test", "2026-12", "--to", "nobody", code=2)
    assert refused.problem
    assert len(mail.received) == 1


def test_a_test_goes_out_beside_a_running_dispatcher(approved, mail):
    dispatcher = approved.start("dispatch")
    approved.wait(lambda: approved.rows("SELECT count(*) FROM worker WHERE ended IS NULL") == [(1,)])
    sent = approved.quickly("issue", "test", "2026-12", "--to", ADDRESS)
    assert sent.out.startswith("accepted")
    assert dispatcher.poll() is None
    assert mail.recipients == [ADDRESS]
    assert ADDRESS.encode() not in everywhere(approved)


def test_an_erased_person_is_in_no_file_any_more(approved, mail):
    gone = "reader0004@hu.example"
    approved.quickly("issue", "queue", "2026-12", "--segment", "everybody", "--now")
    approved.run("dispatch", "--until-done")
    approved.quickly("subscribers", "erase", gone, "--yes")
    (approved.folder / "readers.csv").unlink()
    assert gone.encode() not in everywhere(approved)
    approved.quickly("issue", "audit", "2026-12")
