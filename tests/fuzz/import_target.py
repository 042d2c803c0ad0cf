"""
What the fuzzer of imported files runs: `import_target.py SECONDS [libFuzzer's options]`.

Whatever a file holds, it is read into rows and problems or refused in words; anything else is a crash, and a file that
takes longer than ten seconds a hang. Starts from files as programs write them.
"""

import io
import sys
import tempfile
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["subscribers"]):
    from subscribers.errors import SubscribersError
    from subscribers.importing.loading import Manner, understood
    from subscribers.importing.repeats import find_repeats
    from subscribers.importing.rows import Problem, Row, row_reader
    from subscribers.importing.source import opened

LARGEST = 65_536

SEEDS = (
    b"email,city\nada@town.example,Lyon\n",
    b"\xef\xbb\xbfE-mail;Pr\xc3\xa9nom;Langue\r\nada@town.example;Ada;fr-be\r\n",
    "email\tcity\nada@town.example\tKöln\n".encode("utf-16"),
    "email\tcity\nada@town.example\tΑθήνα\n".encode("utf-16-le"),
    b"email|city\nada@town.example|Li\xe8ge\n",
    b'sep=;\nemail;tags\n"ada@town.example";"a;""b"";=1+1"\n',
    b"email,a,b\nada@town.example,b\0c,'=1\nshort\n,,\nx@x.example,1,2,3\n",
    b'Email Address,First Name,MEMBER_RATING,LEID,CC,TIMEZONE,TAGS,UNSUB_TIME\na@x.example,A,1,2,BE,UTC,"""a"",""b""",2020\n',
    b'uuid,email,name,attributes,status,created_at,updated_at\nu,a@x.example,A B,"{""a"": {""b"": [1, 2.5, null]}}",enabled,x,y\n',
    b"id,firstname,lastname,email,points,stage,country,preferred_locale,DNC Reason\n1,A,B,a@x.example,5,x,Belgium,fr_BE,2\n",
    b"Contact Email,First Name,Last Name,Contact Status\na@x.example,A,B,Unsubscribed\n",
    b"email,first_name,last_name,organisation,city,country,language,timezone,tags,lists,created,a__b\na@x.example,,,,,,,,,,,1\n",
)
"""Files as spreadsheets and other programs write them."""


def read(octets: bytes) -> None:
    """Read a file as an import does, up to the database."""
    with tempfile.NamedTemporaryFile(suffix=".csv", dir=FOLDER) as file:
        file.write(octets)
        file.flush()
        try:
            with opened(Path(file.name), largest=LARGEST) as table:
                understanding = understood(table, Manner())
                find_repeats(table, understanding.address)
                check = row_reader(table, understanding.columns, understanding.origin)
                for line, cells in table.rows():
                    checked = check(line, cells)
                    assert isinstance(checked, Row | Problem), "every row is one or the other"
        except SubscribersError:
            return


def seeded(folder: Path) -> None:
    """Write the first files into a folder, and a spreadsheet that is none."""
    for number, seed in enumerate(SEEDS):
        (folder / f"seed-{number}.csv").write_bytes(seed)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("xl/workbook.xml", "<workbook/>")
    (folder / "seed.xlsx").write_bytes(archive.getvalue())


if __name__ == "__main__":
    FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None
    corpus = Path(tempfile.mkdtemp(prefix="corpus-"))
    seeded(corpus)
    options = [f"-max_total_time={sys.argv[1]}", "-timeout=10", "-rss_limit_mb=2048", f"-max_len={LARGEST}"]
    atheris.Setup([sys.argv[0], *options, *sys.argv[2:], str(corpus)], read)
    atheris.Fuzz()
