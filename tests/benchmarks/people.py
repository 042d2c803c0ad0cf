"""People for imports: as many as wanted, as various as a real file has them."""

from pathlib import Path

FIRST = ("Anne", "Ben", "Chloé", "Dora", "Émile", "Fatou", "Giorgos", "Hanna")
LAST = ("Lambert", "Okafor", "Müller", "Papadopoulou", "García", "Dubois")
PLACES = (
    "Liège,BE,fr-BE,Europe/Brussels",
    "Rotterdam,NL,en,Europe/Amsterdam",
    "Köln,DE,de,Europe/Berlin",
    "Αθήνα,GR,el,Europe/Athens",
)


def written(path: Path, rows: int) -> Path:
    """Write a file of so many people, each with a dozen facts; one in a thousand stands there twice."""
    with path.open("w", encoding="utf-8") as file:
        file.write("email,first_name,last_name,organisation,city,country,language,timezone,tags,population,since,vip\n")
        for number in range(rows):
            key = number - 1 if number % 1000 == 999 else number
            tags = "member;climate" if key % 3 else "press"
            file.write(
                f"p{key}@town{key % 997}.example,{FIRST[key % 8]},{LAST[key % 6]},Town hall {key % 997},"
                f"{PLACES[key % 4]},{tags},{1000 + key % 5000},{2000 + key % 26}-05-{key % 28 + 1:02},"
                f"{'true' if key % 2 else 'false'}\n"
            )
    return path
