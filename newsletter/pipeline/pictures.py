"""Pictures that officers upload: made ready for mail programs, stored once under the digest of their bytes."""

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.content import store as content
from newsletter.content.images import StoredPicture, read_upload
from newsletter.pipeline.parts import Parts


class Pictures:
    """The verbs of pictures."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def store(self, data: bytes, name: str) -> StoredPicture:
        """
        Store a picture as mail programs need it; `name` is what messages call it.

        Raises PictureRefused, saying why.
        """
        picture = read_upload(data, name)
        with self._parts.sessions() as session:
            if content.put_picture(session, picture):
                about = f"{picture.name}, {picture.width} × {picture.height} pixels, {len(picture.data):,} octets"
                note_deed(
                    session, Deed.PICTURE_STORED, operator=self._parts.operator, at=self._parts.now(), about=about
                )
                session.commit()
        return picture
