#!/usr/bin/env python3
"""The judge of tests/corpus/table.txt: what Pillow, which shares no code with this project, sees in each picture.

    tests/corpus/judge.py CORPUS NAME...

Wants Pillow, pillow-heif and numpy. Prints a line of the table for each name: the size as a person sees it, and the mean
colour of its four quarters (left and right above, left and right below) in sRGB, on white. Of what Pillow refuses, why.
"""

import io
import pathlib
import sys
import warnings

import numpy
import pillow_heif
from PIL import Image, ImageCms, ImageOps

warnings.simplefilter("ignore")
pillow_heif.register_heif_opener(thumbnails=False)
pillow_heif.options.DISABLE_SECURITY_LIMITS = True
Image.MAX_IMAGE_PIXELS = 100_000_000
SRGB = ImageCms.createProfile("sRGB")


def in_srgb(image):
    """The picture in sRGB on white, sixteen bits brought to eight; and a remark."""
    remark = image.mode
    alpha = None
    if image.mode.startswith("I;16") or image.mode == "I":
        samples = numpy.asarray(image, dtype=numpy.float64)
        clear = samples == image.info.get("transparency", -1)
        image = Image.fromarray((samples / 257).round().astype("uint8"), "L")
        if clear.any():
            image.putalpha(Image.fromarray((~clear * 255).astype("uint8"), "L"))
    if image.has_transparency_data or image.mode in ("LA", "RGBA", "PA"):
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    elif image.mode in ("1", "P"):
        image = image.convert("RGB")
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space.strip() == "GRAY" and image.mode != "L":
                image = image.convert("L")
            image = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
            remark += " by its profile"
        except (ImageCms.PyCMSError, OSError, ValueError) as cause:
            remark += f" profile refused: {cause}"
    image = image.convert("RGB")
    if alpha is not None:
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=alpha)
        image = ground
    return image, remark


def quarters(image):
    """The mean colour of each; of what is too small for that, of all of it."""
    samples = numpy.asarray(image, dtype=numpy.float64)
    height, width, _ = samples.shape
    if width < 8 or height < 8:
        parts = [samples] * 4
    else:
        up, left = height // 2, width // 2
        parts = [samples[:up, :left], samples[:up, left:], samples[up:, :left], samples[up:, left:]]
    means = [part.mean(axis=(0, 1)).round().astype(int) for part in parts]
    return " ".join("".join(f"{channel:02x}" for channel in mean) for mean in means)


def judged(path):
    try:
        with Image.open(path) as image:
            image.seek(0)
            kind = image.format
            image.load()
            turned = ImageOps.exif_transpose(image)
            seen, remark = in_srgb(turned)
    except Exception as cause:  # whatever stops the judge is what it says
        return f"refused # {type(cause).__name__}: {str(cause)[:80]}"
    return f"sound {seen.width}x{seen.height} {quarters(seen)} # {kind} {remark}"


corpus = pathlib.Path(sys.argv[1])
for name in sys.argv[2:]:
    folder, rest = name.split("/", 1)
    (place,) = corpus.glob(f"{folder}-*")
    print(f"{name} {judged(place / rest)}")
