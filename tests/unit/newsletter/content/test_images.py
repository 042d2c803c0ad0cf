import io
import random

import pytest
from PIL import Image, ImageCms

from newsletter.content.images import (
    HEAVY,
    MAX_BYTES,
    MAX_UPLOAD,
    MAX_WIDTH,
    PictureRefused,
    Refusal,
    read_picture,
    read_upload,
)
from newsletter.errors import InvalidInput


def drawn(kind, mode="RGB", size=(300, 200), **options):
    target = io.BytesIO()
    dots = Image.frombytes("L", (50, 50), random.Random(7).randbytes(2500))
    colours = Image.merge("RGB", [dots, dots.rotate(90), dots.rotate(180)])
    colours.resize(size, Image.Resampling.NEAREST).convert(mode).save(target, kind, **options)
    return target.getvalue()


def exif(orientation=1):
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010E] = "taken at a secret place"
    return data


def opened(picture):
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    return image


def refusal(data):
    with pytest.raises(InvalidInput) as caught:
        read_picture(data, "quay.jpg")
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "extension", "media_type"),
    [("JPEG", "jpg", "image/jpeg"), ("PNG", "png", "image/png"), ("GIF", "gif", "image/gif")],
)
def test_a_picture_that_needs_no_change_keeps_its_pixels(kind, extension, media_type):
    data = drawn(kind)
    picture = read_picture(data, "quay")
    assert picture.data == data
    assert (picture.media_type, picture.width, picture.height) == (media_type, 300, 200)
    assert picture.name.endswith(f".{extension}")
    assert len(picture.name.partition(".")[0]) == 16


def test_a_file_is_read_from_its_path(tmp_path):
    file = tmp_path / "quay.png"
    file.write_bytes(drawn("PNG"))
    assert read_picture(file, "quay.png") == read_picture(file.read_bytes(), "other name")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_tells_on_people_is_left_out(kind):
    data = drawn(kind, exif=exif())
    picture = read_picture(data, "quay")
    assert b"secret" in data
    assert b"secret" not in picture.data
    assert opened(picture).tobytes() == Image.open(io.BytesIO(data)).tobytes()


def test_remarks_and_what_hangs_behind_a_jpeg_are_left_out():
    data = drawn("JPEG", progressive=True, comment=b"secret", exif=exif()) + b"secret film"
    picture = read_picture(data, "quay")
    assert b"secret" not in picture.data
    assert picture.data.endswith(b"\xff\xd9")
    assert opened(picture).size == (300, 200)


def test_what_hangs_behind_a_png_is_left_out():
    assert read_picture(drawn("PNG") + b"secret", "quay").data == drawn("PNG")


def test_the_colour_profile_stays():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for data in (drawn("JPEG", icc_profile=profile), drawn("JPEG", size=(1300, 10), icc_profile=profile)):
        assert opened(read_picture(data, "quay")).info["icc_profile"] == profile


def test_a_picture_stands_upright():
    picture = read_picture(drawn("JPEG", exif=exif(orientation=6)), "quay")
    assert (picture.width, picture.height) == (200, 300)
    assert not opened(picture).getexif()


@pytest.mark.parametrize(
    ("kind", "mode", "extension", "result"),
    [
        ("JPEG", "RGB", "jpg", "RGB"),
        ("JPEG", "L", "jpg", "L"),
        ("PNG", "RGBA", "png", "RGBA"),
        ("PNG", "P", "png", "RGB"),
        ("PNG", "1", "png", "L"),
        ("GIF", "P", "png", "RGB"),
    ],
)
def test_a_wide_picture_is_scaled_down(kind, mode, extension, result):
    picture = read_picture(drawn(kind, mode, size=(2400, 100)), "quay")
    assert (picture.width, picture.height) == (MAX_WIDTH, 50)
    assert picture.name.endswith(extension)
    assert opened(picture).mode == result


def test_a_picture_in_printing_colours_is_turned_into_those_of_screens():
    assert opened(read_picture(drawn("JPEG", "CMYK"), "quay")).mode == "RGB"


def test_the_same_file_gives_the_same_bytes():
    data = drawn("JPEG", size=(2400, 1000), exif=exif(8))
    assert read_picture(data, "a") == read_picture(data, "b")


def animated(width):
    frames = [Image.new("RGB", (width, 10), colour) for colour in ("red", "green", "blue")]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    return target.getvalue()


def test_an_animation_is_taken_as_it_is_or_not_at_all():
    assert read_picture(animated(100), "quay").data == animated(100)
    assert "the animated picture quay.jpg is wider than 1200 pixels" in refusal(animated(1300))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (drawn("WEBP"), "quay.jpg is WebP, which not every mail program shows: save it as JPEG, PNG or GIF"),
        (drawn("TIFF"), "quay.jpg is TIFF, which"),
        (b"\n<svg xmlns='x'/>", "quay.jpg is SVG, which"),
        (b"", "quay.jpg is no picture that mail programs show"),
        (b"x" * (MAX_BYTES + 1), "quay.jpg is larger than 5 MB: scale it down first"),
        (drawn("PNG")[:-3000], "quay.jpg is broken: save it again"),
        (drawn("JPEG")[:-3000], "quay.jpg is broken: save it again"),
    ],
)
def test_other_files_are_refused_with_what_to_do(data, said):
    assert said in refusal(data)


@pytest.mark.parametrize("side", [7_000, 10_000, 14_000])
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_unpacked(side):
    target = io.BytesIO()
    Image.new("1", (side, side)).save(target, "PNG")
    assert "quay.jpg has more than 40 megapixels: scale it down first" in refusal(target.getvalue())


def test_a_png_that_lacks_only_its_end_is_taken():
    data = drawn("PNG")[:-12]
    assert read_picture(data, "quay").data == data


def test_a_jpeg_with_restart_markers_is_freed_of_what_hangs_behind_it():
    data = drawn("JPEG", restart_marker_blocks=4)
    assert b"\xff\xd3" in data
    assert read_picture(data + b"film", "quay").data == data


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match=r"the picture quay\.jpg cannot be read: No such file"):
        read_picture(tmp_path / "quay.jpg", "quay.jpg")


def photograph(kind="PNG", size=(1280, 480)):
    """A picture without two equal neighbours, which PNG can do nothing for."""
    target = io.BytesIO()
    dots = Image.frombytes("RGB", (size[0] // 4, size[1] // 4), random.Random(3).randbytes(size[0] * size[1] * 3 // 16))
    dots.resize(size, Image.Resampling.BICUBIC).save(target, kind)
    return target.getvalue()


@pytest.mark.parametrize(("mode", "extension"), [("RGB", "jpg"), ("RGBA", "png")])
def test_webp_becomes_what_every_mail_program_shows(mode, extension):
    data = drawn("WEBP", mode, size=(300, 200), lossless=True)
    if mode == "RGBA":
        see_through = Image.new("RGBA", (300, 200), (0, 80, 120, 90))
        target = io.BytesIO()
        see_through.save(target, "WEBP", lossless=True)
        data = target.getvalue()
    picture = read_upload(data, "quay.webp")
    assert picture.name.endswith(extension)
    assert opened(picture).mode == mode


def test_a_heavy_photograph_that_is_a_png_becomes_a_jpeg():
    picture = read_upload(photograph(), "quay.png")
    assert (picture.media_type, picture.width) == ("image/jpeg", MAX_WIDTH)
    assert len(picture.data) < len(read_picture(photograph(), "quay.png").data) // 2


def test_a_drawing_stays_a_png():
    data = drawn("PNG", size=(1000, 800))
    assert len(data) < HEAVY
    assert read_upload(data, "plan.png").media_type == "image/png"


def test_an_upload_may_be_larger_than_a_picture_of_a_pack():
    data = photograph("JPEG", size=(1000, 700)) + bytes(MAX_BYTES)
    assert read_upload(data, "quay.jpg").width == 1000
    assert "larger than 5 MB" in refusal(data)


def moving_webp():
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "green")]
    target = io.BytesIO()
    frames[0].save(target, "WEBP", save_all=True, append_images=frames[1:])
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x" * (MAX_UPLOAD + 1), Refusal.TOO_LARGE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", Refusal.OTHER_FORMAT),
        (b"<html><script>alert(1)</script></html>", Refusal.OTHER_FORMAT),
        (drawn("PNG")[:-3000], Refusal.BROKEN),
        (moving_webp(), Refusal.ANIMATED),
        (drawn("PNG", "1", size=(8000, 5001)), Refusal.TOO_MANY_PIXELS),
    ],
    ids=lambda value: value.value if isinstance(value, Refusal) else "",
)
def test_a_refusal_says_why(data, why):
    with pytest.raises(PictureRefused) as caught:
        read_upload(data, "quay")
    assert caught.value.refusal is why
