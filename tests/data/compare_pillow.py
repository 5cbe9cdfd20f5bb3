"""Compares random pictures of every kind with Pillow (opt-in: needs Pillow < 13 and NumPy).

    compare_pillow.py PICTURE_DUMP [--count N] [--seed S] [--only KIND] [--keep FOLDER]

PICTURE_DUMP is the program of picture_dump.cpp (`cmake --build build/dev --target picture_dump`). Of
each kind N pictures are made; the reference is what transformers' load_image does with a file:
`ImageOps.exif_transpose(Image.open(file)).convert("RGB")`. Prints per kind how many pictures are
equal, how many differ by at most one level (allowed for JPEG) and the largest difference. Exit
status 1 where a picture differs by more; the file is then kept in FOLDER.
"""

import argparse
import collections
import io
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy
import PIL
from PIL import Image, ImageOps

import picture_files as files

KINDS = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


def size(random):
    if random.integers(20) == 0:
        return tuple(int(v) for v in random.integers(200, 900, 2))
    if random.integers(4) == 0:
        return tuple(int(v) for v in random.integers(1, 20, 2))
    return tuple(int(v) for v in random.integers(1, 200, 2))


def image(random, mode, noise=None):
    width, height = size(random)
    noise = random.choice([0, 4, 60]) if noise is None else noise
    channels = len(Image.new(mode, (1, 1)).getbands())
    samples = files.smooth(random, width, height, channels, noise)
    return Image.frombytes(mode, (width, height), samples.tobytes())


def jpeg_options(random):
    options = {"quality": int(random.integers(1, 101)), "progressive": bool(random.integers(2)),
               "optimize": bool(random.integers(2)), "subsampling": int(random.integers(3))}
    if random.integers(3) == 0:
        options["restart_marker_blocks"] = int(random.integers(1, 9))
    return options


@kind
def jpeg_colour(random):
    return files.saved(image(random, "RGB"), "JPEG", **jpeg_options(random))


@kind
def jpeg_stored_as_rgb(random):
    return files.saved(image(random, "RGB"), "JPEG", keep_rgb=True,
                       **{**jpeg_options(random), "subsampling": 0})


@kind
def jpeg_odd_sampling(random):
    """Sampling factors that Pillow never writes."""
    luma = (1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (1, 4), (4, 2), (2, 4)
    factors = [luma[int(random.integers(len(luma)))], (1, 1), (1, 1)]
    if random.integers(4) == 0:  # one colour channel finer than the other
        factors[int(random.integers(1, 3))] = (int(random.choice([1, factors[0][0]])),
                                               int(random.choice([1, factors[0][1]])))
    if random.integers(6) == 0:
        factors = [factors[0]] * int(random.choice([1, 4]))
    width, height = size(random)
    return files.jpeg_of_coefficients(random, width, height, factors)


@kind
def jpeg_grey(random):
    return files.saved(image(random, "L"), "JPEG", **jpeg_options(random))


@kind
def jpeg_cmyk(random):
    data = files.saved(image(random, "CMYK"), "JPEG", **jpeg_options(random))
    return files.with_adobe_transform(data, None) if random.integers(3) == 0 else data


@kind
def jpeg_ycck(random):
    return files.with_adobe_transform(
        files.saved(image(random, "CMYK"), "JPEG", **jpeg_options(random)), 2)


@kind
def jpeg_oriented(random):
    turn = int(random.integers(0, 10))
    mode = str(random.choice(["RGB", "L", "CMYK"]))
    data = files.saved(image(random, mode), "JPEG", **jpeg_options(random))
    form = int(random.integers(4))
    if form == 0:
        return files.with_segment(data, 0xe1, b"http://ns.adobe.com/xap/1.0/\0" +
                                  files.xmp(turn, bool(random.integers(2))))
    wanted = files.exif(turn, bool(random.integers(2)), int(random.choice([1, 3, 4])),
                        int(random.integers(1, 4)), bool(random.integers(2)))
    if form == 1:  # spread over two markers, the later one stands first in the list
        cut = int(random.integers(1, len(wanted)))
        data = files.with_segment(data, 0xe1, b"Exif\0\0" + wanted[cut:])
        return files.with_segment(data, 0xe1, b"Exif\0\0" + wanted[:cut])
    if form == 2:  # a directory that ends too early
        wanted = wanted[:int(random.integers(8, len(wanted)))]
    return files.with_segment(data, 0xe1, b"Exif\0\0" + wanted)


@kind
def jpeg_many_pictures(random):
    """MPO: further pictures behind the first."""
    return files.saved(image(random, "RGB"), "MPO", save_all=True,
                       append_images=[image(random, "RGB")])


for png_kind, depth in files.PNG_KINDS:
    for woven in (False, True):
        def make(random, png_kind=png_kind, depth=depth, woven=woven):
            width, height = size(random)
            return files.random_png(random, width, height, png_kind, depth, interlaced=woven)
        KINDS[f"png_type{png_kind}_{depth}bit{'_interlaced' if woven else ''}"] = make


@kind
def png_palette_too_short(random):
    width, height = size(random)
    before = [files.png_chunk(b"PLTE", random.bytes(3 * 5))]
    return files.png(random.integers(0, 9, (height, width, 1)), 3, 8, before=before)


@kind
def png_profiles(random):
    """Gamma, white point, profile and rendering intent change nothing."""
    from PIL import ImageCms
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    chunks = [files.png_chunk(b"gAMA", (10000).to_bytes(4, "big")),
              files.png_chunk(b"cHRM", random.bytes(32)), files.png_chunk(b"sBIT", b"\3\3\3"),
              files.png_chunk(b"bKGD", b"\0\1\0\2\0\3")]
    if random.integers(2):
        chunks.append(files.png_chunk(b"iCCP", b"x\0\0" + files.zlib.compress(profile)))
    else:
        chunks.append(files.png_chunk(b"sRGB", b"\1"))
    width, height = size(random)
    return files.random_png(random, width, height, 2, int(random.choice([8, 16])), before=chunks)


@kind
def png_oriented(random):
    turn, form = int(random.integers(0, 10)), int(random.integers(5))
    exif = files.exif(turn, bool(random.integers(2)))
    xmp = files.xmp(turn, bool(random.integers(2)))
    chunk = [
        lambda: files.png_chunk(b"eXIf", exif),
        lambda: files.png_chunk(b"zTXt", b"Raw profile type exif\0\0" +
                                files.zlib.compress(files.raw_profile(exif).encode())),
        lambda: files.png_chunk(b"tEXt", b"Raw profile type exif\0" +
                                files.raw_profile(exif).encode()),
        lambda: files.png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
        lambda: files.png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0key\0" +
                                files.zlib.compress(xmp)),
    ][form]()
    place = "before" if random.integers(2) else "after"
    png_kind, depth = files.PNG_KINDS[int(random.integers(len(files.PNG_KINDS)))]
    width, height = size(random)
    return files.random_png(random, width, height, png_kind, depth, **{place: [chunk]})


@kind
def png_animated(random):
    first = image(random, "RGB")
    others = [image(random, "RGB").resize(first.size) for _ in range(2)]
    return files.saved(first, "PNG", save_all=True, append_images=others,
                       default_image=bool(random.integers(2)))


def webp_options(random):
    return {"quality": int(random.integers(0, 101)), "method": int(random.integers(0, 7)),
            "alpha_quality": int(random.integers(0, 101)), "exact": bool(random.integers(2))}


@kind
def webp_lossy(random):
    return files.saved(image(random, "RGB"), "WEBP", **webp_options(random))


@kind
def webp_lossy_alpha(random):
    return files.saved(image(random, "RGBA"), "WEBP", **webp_options(random))


@kind
def webp_lossless(random):
    return files.saved(image(random, str(random.choice(["RGB", "RGBA"]))), "WEBP", lossless=True,
                       **webp_options(random))


@kind
def webp_animated(random):
    mode = str(random.choice(["RGB", "RGBA"]))
    first = image(random, mode)
    others = [image(random, mode).resize(first.size) for _ in range(3)]
    return files.saved(first, "WEBP", save_all=True, append_images=others,
                       lossless=bool(random.integers(2)), minimize_size=bool(random.integers(2)),
                       background=(10, 20, 30, int(random.choice([0, 255]))))


@kind
def webp_part_of_canvas(random):
    picture = image(random, str(random.choice(["RGB", "RGBA"])))
    frame = files.saved(picture, "WEBP", lossless=bool(random.integers(2)), exact=True)
    place = tuple(2 * int(v) for v in random.integers(0, 20, 2))
    canvas = tuple(s + p + int(random.integers(9)) for s, p in zip(picture.size, place))
    return files.webp_canvas(frame, canvas, place)


@kind
def webp_oriented(random):
    turn = int(random.integers(0, 10))
    options = webp_options(random)
    if random.integers(2):
        prefix = b"Exif\0\0" if random.integers(2) else b""
        options["exif"] = prefix + files.exif(turn, bool(random.integers(2)))
    else:
        options["xmp"] = files.xmp(turn, bool(random.integers(2)))
    return files.saved(image(random, str(random.choice(["RGB", "RGBA"]))), "WEBP", **options)


SOUND = list(KINDS)


@kind
def cut(random):
    """Any file without its end: must be refused."""
    data = KINDS[SOUND[int(random.integers(len(SOUND)))]](random)
    return data[:int(random.integers(1, len(data)))]


@kind
def damaged(random):
    """Any file with some bytes changed: refused, or with the pixels that Pillow takes from it."""
    data = bytearray(KINDS[SOUND[int(random.integers(len(SOUND)))]](random))
    for _ in range(int(random.integers(1, 4))):
        data[int(random.integers(len(data)))] = int(random.integers(256))
    return bytes(data)


class Dump:
    """The program under test, asked for one file after the other."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def decode(self, file):
        self.process.stdin.write(f"{file}\n".encode())
        self.process.stdin.flush()
        head = self.process.stdout.readline().decode()
        if not head.startswith("picture "):
            return head.strip() or "the program ended"
        width, height = (int(v) for v in head.split()[1:])
        data = self.process.stdout.read(3 * width * height)
        return numpy.frombuffer(data, numpy.uint8).reshape(height, width, 3)


def expected(data):
    try:
        picture = Image.open(io.BytesIO(data))
        return numpy.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except Exception as error:  # whatever a broken file makes Pillow say
        return f"{type(error).__name__}: {error}"


def verdict(name, ours, theirs):
    """What came out, and whether it may."""
    if isinstance(theirs, str):
        return ("both refuse", True) if isinstance(ours, str) else ("only Pillow refuses", True)
    if isinstance(ours, str):
        return ("only we refuse", True) if name in ("cut", "damaged") else ("refused: " + ours, False)
    if name == "cut" and ours.shape == theirs.shape:
        return "decoded", numpy.array_equal(ours, theirs)
    if ours.shape != theirs.shape:
        return f"size {ours.shape} instead of {theirs.shape}", False
    difference = numpy.abs(ours.astype(int) - theirs.astype(int)).max()
    if difference == 0:
        return "equal", True
    return f"{difference} level{'s' * (difference > 1)} off", name.startswith("jpeg") and difference == 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--only", default="", help="kinds whose name starts so")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"Pillow {PIL.__version__}, seed {arguments.seed}")
    dump, failed, total = Dump(arguments.program), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for name, make in KINDS.items():
            if not name.startswith(arguments.only):
                continue
            counts = collections.Counter()
            for index in range(arguments.count):
                random = numpy.random.default_rng([arguments.seed, index, *name.encode()])
                data = make(random)
                file = pathlib.Path(folder) / f"{name}_{index}"
                file.write_bytes(data)
                text, allowed = verdict(name, dump.decode(file), expected(data))
                counts[text] += 1
                total += 1
                if not allowed:
                    failed += 1
                    if arguments.keep:
                        arguments.keep.mkdir(parents=True, exist_ok=True)
                        (arguments.keep / file.name).write_bytes(data)
                file.unlink()
            print(f"{name:28}", ", ".join(f"{count} {text}" for text, count in counts.items()))
    print(f"{total - failed} of {total} pictures as Pillow has them")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
