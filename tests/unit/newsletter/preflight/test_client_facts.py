from newsletter.preflight.client_facts import AS_OF, CLIENTS, LOST, PARTLY, SUPPORTED, own_facts


def test_every_feature_says_something_of_every_program():
    features = own_facts().features
    assert {len(feature.support) for feature in features} == {len(CLIENTS)}
    assert {letter for feature in features for letter in feature.support} == set("yanu")
    assert all(feature.signs and feature.title for feature in features)
    assert own_facts().as_of == AS_OF


def test_the_table_holds_what_a_newsletter_can_meet_and_each_once():
    slugs = [feature.slug for feature in own_facts().features]
    assert len(slugs) == len(set(slugs)) > 80


def test_a_sign_belongs_to_one_feature():
    signs = [sign for feature in own_facts().features for sign in feature.signs]
    assert sorted(signs) == sorted(set(signs))


def test_well_known_facts_are_in_the_table():
    by_slug = {feature.slug: feature for feature in own_facts().features}
    assert "Outlook (Windows)" in [client.name for client in by_slug["css-border-radius"].clients(LOST)]
    assert "Apple Mail (iOS)" in [client.name for client in by_slug["css-border-radius"].clients(SUPPORTED)]
    assert "Gmail (web)" in [client.name for client in by_slug["css-at-media"].clients(PARTLY)]
    assert by_slug["image-webp"].breaks
    assert not by_slug["css-border-radius"].breaks


def test_the_three_families_of_every_count_are_large():
    assert {client.family for client in CLIENTS if client.large} == {"Apple Mail", "Gmail", "Outlook"}
