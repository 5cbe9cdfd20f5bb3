"""Makes tests/data/pictures: small files of every kind and what Pillow reads from them.

    make_pictures.py FOLDER

Run by hand, with Pillow < 13 and NumPy. FOLDER gets the files, `pictures.csv` (file, width, height,
levels by which a value may differ) and `expected.rgb`: for each row of the table its pixels, made by
`ImageOps.exif_transpose(Image.open(file)).convert("RGB")` as transformers' load_image does.
"""

import pathlib
import sys
import warnings

import numpy
import PIL
from PIL import Image, ImageOps

import picture_files as files

SIZE = 21, 13


def image(mode, seed):
    random = numpy.random.default_rng(seed)
    channels = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, SIZE, files.smooth(random, *SIZE, channels).tobytes())


def jpegs():
    colour, ink = image("RGB", 1), image("CMYK", 2)
    odd = lambda *factors: files.jpeg_of_coefficients(numpy.random.default_rng(3), *SIZE, factors)
    yield "baseline_420.jpg", files.saved(colour, "JPEG", subsampling=2)
    yield "progressive_422.jpg", files.saved(colour, "JPEG", subsampling=1, progressive=True)
    yield "restarts_444.jpg", files.saved(colour, "JPEG", subsampling=0, restart_marker_blocks=2)
    yield "sampling_440.jpg", odd((1, 2), (1, 1), (1, 1))
    yield "sampling_411.jpg", odd((4, 1), (1, 1), (1, 1))
    yield "sampling_uneven.jpg", odd((2, 2), (2, 1), (1, 2))
    yield "stored_as_rgb.jpg", files.saved(colour, "JPEG", keep_rgb=True)
    yield "grey.jpg", files.saved(image("L", 4), "JPEG")
    yield "grey_progressive.jpg", files.saved(image("L", 4), "JPEG", progressive=True, quality=30)
    yield "cmyk.jpg", files.saved(ink, "JPEG")
    yield "cmyk_progressive.jpg", files.saved(ink, "JPEG", progressive=True)
    yield "cmyk_no_marker.jpg", files.with_adobe_transform(files.saved(ink, "JPEG"), None)
    yield "ycck.jpg", files.with_adobe_transform(files.saved(ink, "JPEG", subsampling=2), 2)
    yield "two_pictures.jpg", files.saved(colour, "MPO", save_all=True,
                                          append_images=[image("RGB", 5)])
    plain = files.saved(image("RGB", 6), "JPEG")
    with_exif = lambda *form: files.with_segment(plain, 0xe1, b"Exif\0\0" + files.exif(*form))
    yield "exif_6.jpg", with_exif(6)
    yield "exif_8_big_endian.jpg", with_exif(8, True)
    yield "exif_5_as_long.jpg", with_exif(5, True, 4)
    yield "exif_9_is_none.jpg", with_exif(9)
    yield "exif_7_cmyk.jpg", files.with_segment(files.saved(ink, "JPEG"), 0xe1,
                                                b"Exif\0\0" + files.exif(7))
    yield "xmp_3.jpg", files.with_segment(plain, 0xe1,
                                          b"http://ns.adobe.com/xap/1.0/\0" + files.xmp(3))


def pngs():
    for number, (kind, depth) in enumerate(files.PNG_KINDS):
        random = numpy.random.default_rng([7, number])
        woven = kind == 3 or depth == 16 or number % 3 == 0
        yield (f"type{kind}_{depth}bit{'_interlaced' if woven else ''}.png",
               files.random_png(random, *SIZE, kind, depth, interlaced=woven))
    random = numpy.random.default_rng(8)
    chunk = files.png_chunk
    pack = files.zlib.compress
    ordinary = lambda **around: files.random_png(random, *SIZE, 2, 8, **around)
    yield "grey_16bit.png", files.png(numpy.arange(0, 273 * 240, 240).reshape(13, 21, 1) % 1024, 0, 16)
    yield "palette_alpha.png", files.png(
        random.integers(0, 4, (13, 21, 1)), 3, 8,
        before=[chunk(b"PLTE", random.bytes(12)), chunk(b"tRNS", b"\0\x80\xff")])
    yield "palette_too_short.png", files.png(random.integers(0, 9, (13, 21, 1)), 3, 8,
                                             before=[chunk(b"PLTE", random.bytes(15))])
    yield "gamma_and_profile.png", ordinary(before=[chunk(b"gAMA", (10000).to_bytes(4, "big")),
                                                    chunk(b"iCCP", b"x\0\0" + pack(bytes(200)))])
    yield "exif_6.png", ordinary(before=[chunk(b"eXIf", files.exif(6))])
    yield "exif_4_behind.png", ordinary(after=[chunk(b"eXIf", files.exif(4, True))])
    yield "raw_profile_8.png", ordinary(before=[chunk(b"zTXt", b"Raw profile type exif\0\0" + pack(
        files.raw_profile(files.exif(8)).encode()))])
    yield "xmp_2.png", ordinary(before=[chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" +
                                              files.xmp(2, False))])
    yield "animated.png", files.saved(image("RGB", 9), "PNG", save_all=True,
                                      append_images=[image("RGB", 10)])
    yield "really_jpeg.png", files.saved(image("RGB", 11), "JPEG")


def webps():
    colour, alpha = image("RGB", 12), image("RGBA", 13)
    yield "lossy.webp", files.saved(colour, "WEBP", quality=60)
    yield "lossy_alpha.webp", files.saved(alpha, "WEBP", quality=60, alpha_quality=40)
    yield "lossless.webp", files.saved(colour, "WEBP", lossless=True)
    yield "lossless_alpha.webp", files.saved(alpha, "WEBP", lossless=True, exact=True)
    yield "animated.webp", files.saved(alpha, "WEBP", save_all=True,
                                       append_images=[image("RGBA", 14)], lossless=True)
    yield "part_of_canvas.webp", files.webp_canvas(files.saved(alpha, "WEBP", exact=True), (30, 20),
                                                   (4, 6))
    yield "exif_6.webp", files.saved(colour, "WEBP", exif=files.exif(6))
    yield "xmp_5.webp", files.saved(alpha, "WEBP", lossless=True, xmp=files.xmp(5))
    yield "really_webp.png", files.saved(image("RGB", 15), "WEBP")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    table, pixels = ["file,width,height,levels"], b""
    for name, data in [*jpegs(), *pngs(), *webps()]:
        file = folder / name
        file.write_bytes(data)
        picture = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
        levels = 1 if data.startswith(b"\xff\xd8") else 0
        table.append(f"{name},{picture.width},{picture.height},{levels}")
        pixels += picture.tobytes()
    (folder / "pictures.csv").write_text("\n".join(table) + "\n")
    (folder / "expected.rgb").write_bytes(pixels)
    print(f"Pillow {PIL.__version__}: {len(table) - 1} files")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
