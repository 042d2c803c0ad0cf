"""
A crowd of subscribers that a database makes by itself, in seconds, for questions that are asked of a million people.

Half of them are confirmed members of the list “members”, a few of “board”; their `population` is a number but for one.
"""

from datetime import UTC, datetime

from sqlalchemy import Engine, text

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

NUMBERS = {
    "sqlite": """WITH RECURSIVE numbers(number) AS
        (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < :total)""",
    "postgresql": "WITH numbers(number) AS (SELECT generate_series(1, :total))",
}

PEOPLE = {
    "sqlite": """
        INSERT INTO subscriber (id, uid, address, address_key, digest, first_name, last_name, organisation, city, country,
            language, attributes, created, updated)
        {numbers}
        SELECT number, printf('%016d', number), printf('q%d@town%d.example', number, number % 50),
            printf('q%d@town%d.example', number, number % 50), printf('%064d', number), 'Ana', '', '', '', 'BE',
            CASE number % 4 WHEN 0 THEN 'fr' WHEN 1 THEN 'en' WHEN 2 THEN 'de' END,
            printf('{{"population": %d, "vip": %s}}', number * 7919 % 1000000, CASE number % 3 WHEN 0 THEN 'true' ELSE 'false' END),
            :now, :now
        FROM numbers""",
    "postgresql": """
        INSERT INTO subscriber (id, uid, address, address_key, digest, first_name, last_name, organisation, city, country,
            language, attributes, created, updated)
        {numbers}
        SELECT number, lpad(number::text, 16, '0'), format('q%s@town%s.example', number, number % 50),
            format('q%s@town%s.example', number, number % 50), lpad(number::text, 64, '0'), 'Ana', '', '', '', 'BE',
            CASE number % 4 WHEN 0 THEN 'fr' WHEN 1 THEN 'en' WHEN 2 THEN 'de' END,
            jsonb_build_object('population', number::bigint * 7919 % 1000000, 'vip', number % 3 = 0), :now, :now
        FROM numbers""",
}

MEMBERS = """
INSERT INTO membership (subscriber_id, list_id, state, changed)
SELECT id, 1, CASE id % 16 WHEN 12 THEN 'left' ELSE 'confirmed' END, :now FROM subscriber WHERE id % 16 >= 7
UNION ALL SELECT id, 2, 'confirmed', :now FROM subscriber WHERE id % 5000 = 0
"""

MANY = {
    "sqlite": """UPDATE subscriber SET attributes = '{"population": "many", "vip": true}' WHERE id = 8""",
    "postgresql": """UPDATE subscriber SET attributes = '{"population": "many", "vip": true}' WHERE id = 8""",
}


def make(engine: Engine, total: int) -> None:
    """Fill the empty tables of a database with so many people."""
    kind = engine.dialect.name
    now = NOW.replace(tzinfo=None).isoformat(" ", "microseconds") if kind == "sqlite" else NOW
    with engine.begin() as connection:
        for number, name in enumerate(("members", "board"), 1):
            columns = "(id, name, public, double_opt_in, opt_in_reason, description, titles, descriptions, created)"
            connection.execute(
                text(
                    f"INSERT INTO mailing_list {columns} VALUES (:id, :name, false, true, '', '', '{{}}', '{{}}', :now)"
                ),
                {"id": number, "name": name, "now": now},
            )
        people = PEOPLE[kind].format(numbers=NUMBERS[kind]).replace("{{", "{").replace("}}", "}")
        connection.execute(text(people.replace('": ', '"\\: ')), {"total": total, "now": now})
        connection.execute(text(MEMBERS), {"now": now})
        connection.execute(text(MANY[kind].replace('": ', '"\\: ')))
    if kind == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
