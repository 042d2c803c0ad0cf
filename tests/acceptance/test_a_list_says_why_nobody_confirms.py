"""A list whose members need not confirm says why, or who gave no reason; and what readers call it in each language."""


def test_a_list_says_why_nobody_confirms(installation):
    created = installation.quickly("--as", "grace", "lists", "create", "press", "--single-opt-in")
    assert created.out == "list press created\n"
    assert "no reason was given" in created.err
    installation.quickly("lists", "create", "jury", "--single-opt-in", "--reason", "they were asked by telephone")
    installation.quickly("lists", "create", "members")

    def told():
        return {each["name"]: each for each in installation.quickly("lists", "list", "--json").json}

    assert {name: facts["opt_in_reason"] for name, facts in told().items()} == {
        "press": "no reason given by grace",
        "jury": "they were asked by telephone",
        "members": "",
    }
    installation.quickly("lists", "set", "members", "double_opt_in=false")
    assert told()["members"]["opt_in_reason"] == "no reason given by system"
    installation.quickly("lists", "set", "press", "opt_in_reason=journalists ask for it", "title.fr=Presse")
    installation.quickly("lists", "set", "press", "title.de=Presse", "description.fr=Pour les journalistes")
    press = told()["press"]
    installation.quickly("lists", "set", "press", "double_opt_in=false")
    assert told()["press"]["opt_in_reason"] == press["opt_in_reason"]
    assert (press["opt_in_reason"], press["titles"]) == ("journalists ask for it", {"fr": "Presse", "de": "Presse"})
    assert press["descriptions"] == {"fr": "Pour les journalistes"}
    refused = installation.quickly("lists", "set", "press", "title.french=Presse", code=None)
    assert refused.code
    assert "french" in refused.problem
