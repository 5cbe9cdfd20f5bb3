"""Picture files of many kinds, for make_pictures.py and compare_pillow.py (Pillow and NumPy).

Pillow writes most of them. PNGs of kinds that it reads and never writes are packed here, and so are
WebP containers and EXIF data.
"""

import io
import struct
import zlib

import numpy
from PIL import Image, ImageFile

ImageFile.MAXBLOCK = 1 << 24  # a whole progressive JPEG must fit, or Pillow cannot write it
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PNG_KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8),
             (4, 8), (4, 16), (6, 8), (6, 16)]


def smooth(random, width, height, channels, noise=12):
    """Waves with some noise: what JPEG and WebP are made for, with every channel different."""
    y, x = numpy.mgrid[0:height, 0:width]
    planes = []
    for _ in range(channels):
        a, b, c = random.uniform(0.02, 0.5), random.uniform(0.02, 0.5), random.uniform(0, 6)
        planes.append(127.5 + 120 * numpy.sin(a * x + b * y + c))
    values = numpy.stack(planes, axis=-1) + random.normal(0, noise, (height, width, channels))
    return numpy.clip(values, 0, 255).astype(numpy.uint8)


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


# --- metadata -------------------------------------------------------------------------------------

def exif(orientation, big_endian=False, kind=3, count=1, extra=True):
    """A TIFF file of one directory; `extra` puts a text before the orientation."""
    order = ">" if big_endian else "<"
    size = {1: 1, 3: 2, 4: 4}[kind] * count
    value = b"".join(struct.pack(order + {1: "B", 3: "H", 4: "I"}[kind], orientation)
                     for _ in range(count))
    entries, data_at = [], 8 + 2 + 12 * (1 + extra) + 4
    tail = b""
    if extra:
        text = b"A camera\0"
        entries.append(struct.pack(order + "HHII", 0x010f, 2, len(text), data_at))
        tail += text + b"\0"
    field = value.ljust(4, b"\0") if size <= 4 else struct.pack(order + "I", data_at + len(tail))
    tail += value if size > 4 else b""
    entries.append(struct.pack(order + "HHI", 0x0112, kind, count) + field)
    head = (b"MM" if big_endian else b"II") + struct.pack(order + "HI", 42, 8)
    return head + struct.pack(order + "H", len(entries)) + b"".join(entries) + b"\0\0\0\0" + tail


def xmp(orientation, attribute=True):
    form = 'tiff:Orientation="%d"/>' if attribute else "><tiff:Orientation>%d</tiff:Orientation>"
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description ' + form % orientation +
            "</x:xmpmeta>").encode()


def raw_profile(data):
    """EXIF data as ImageMagick puts them into a PNG text."""
    digits = (b"Exif\0\0" + data).hex()
    lines = [digits[i:i + 72] for i in range(0, len(digits), 72)]
    return f"\nexif\n{len(digits) // 2:8}\n" + "\n".join(lines) + "\n"


# --- PNG ------------------------------------------------------------------------------------------

def png_chunk(kind, content):
    return (struct.pack(">I", len(content)) + kind + content +
            struct.pack(">I", zlib.crc32(kind + content)))


def _pack(samples, depth):
    """[rows, columns * channels] to bytes as PNG wants them."""
    if depth == 16:
        return samples.astype(">u2").view(numpy.uint8).reshape(samples.shape[0], -1)
    if depth == 8:
        return samples.astype(numpy.uint8)
    bits = (samples[:, :, None] >> numpy.arange(depth - 1, -1, -1)) & 1
    return numpy.packbits(bits.reshape(samples.shape[0], -1).astype(numpy.uint8), axis=1)


def _filtered(rows, step, random):
    """Each row behind the number of a filter that `random` picks (0 without it)."""
    out, above = [], numpy.zeros(rows.shape[1], numpy.int64)
    for row in rows.astype(numpy.int64):
        left = numpy.concatenate([numpy.zeros(step, numpy.int64), row])[:len(row)]
        corner = numpy.concatenate([numpy.zeros(step, numpy.int64), above])[:len(row)]
        guess = left + above - corner
        paeth = numpy.select([(abs(guess - left) <= abs(guess - above)) &
                              (abs(guess - left) <= abs(guess - corner)),
                              abs(guess - above) <= abs(guess - corner)], [left, above], corner)
        number = int(random.integers(5)) if random is not None else 0
        base = [0 * row, left, above, (left + above) // 2, paeth][number]
        out.append(bytes([number]) + ((row - base) & 255).astype(numpy.uint8).tobytes())
        above = row
    return b"".join(out)


def png(samples, kind, depth, interlaced=False, before=(), after=(), random=None):
    """`samples`: [height, width, channels of the kind]; `before` and `after`: chunks around IDAT."""
    height, width = samples.shape[:2]
    assert samples.shape[2] == CHANNELS[kind]
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    packed = b""
    for x, y, dx, dy in passes:
        part = samples[y::dy, x::dx]
        if part.size:
            rows = _pack(part.reshape(part.shape[0], -1), depth)
            packed += _filtered(rows, max(1, CHANNELS[kind] * depth // 8), random)
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + b"".join(before) +
            png_chunk(b"IDAT", zlib.compress(packed)) + b"".join(after) + png_chunk(b"IEND", b""))


def random_png(random, width, height, kind, depth, **options):
    """Samples over the whole range of the depth, with a palette and transparency where they fit."""
    samples = random.integers(0, 2**depth, (height, width, CHANNELS[kind]))
    before = list(options.pop("before", []))
    if kind == 3:
        colours = int(random.integers(1, 2**depth + 1))
        samples %= colours
        before.append(png_chunk(b"PLTE", random.bytes(3 * colours)))
        if random.integers(2):
            before.append(png_chunk(b"tRNS", random.bytes(int(random.integers(1, colours + 1)))))
    elif kind in (0, 2) and random.integers(2):
        colour = samples[0, 0]
        before.append(png_chunk(b"tRNS", struct.pack(f">{len(colour)}H", *colour.tolist())))
    return png(samples, kind, depth, before=before, random=random, **options)


# --- JPEG -----------------------------------------------------------------------------------------

def jpeg_segments(data):
    """(start, end) of each segment between the first marker and the first scan."""
    at = 2
    while data[at + 1] != 0xda:
        end = at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
        yield at, end
        at = end


def with_adobe_transform(data, transform):
    """Changes what the Adobe marker says of the channels (2: YCCK); None takes the marker out."""
    for start, end in jpeg_segments(data):
        if data[start + 1] == 0xee and data[start + 4:start + 9] == b"Adobe":
            if transform is None:
                return data[:start] + data[end:]
            return data[:start + 15] + bytes([transform]) + data[start + 16:]
    raise ValueError("no Adobe marker")


def jpeg_of_coefficients(random, width, height, factors):
    """A baseline JPEG of random coefficients, whose components have these sampling factors (h, v).

    Pillow writes a few combinations, the format knows many. Codes of one length: 4 bits for a DC
    size, 8 bits for an AC run and size.
    """
    dc_sizes = list(range(12))
    ac_symbols = [0, 0xf0] + [run << 4 | size for run in range(16) for size in range(1, 11)]
    segment = lambda marker, content: (bytes([0xff, marker]) +
                                       struct.pack(">H", len(content) + 2) + content)
    count = len(factors)
    components = b"".join(bytes([i + 1, h << 4 | v, 0]) for i, (h, v) in enumerate(factors))
    lengths = lambda bits, n: bytes([0] * (bits - 1) + [n] + [0] * (16 - bits))
    head = (b"\xff\xd8" + segment(0xdb, bytes([0]) + bytes([8] * 64)) +
            segment(0xc0, struct.pack(">BHHB", 8, height, width, count) + components) +
            segment(0xc4, b"\x00" + lengths(4, 12) + bytes(dc_sizes)) +
            segment(0xc4, b"\x10" + lengths(8, len(ac_symbols)) + bytes(ac_symbols)) +
            segment(0xda, bytes([count]) + b"".join(bytes([i + 1, 0]) for i in range(count)) +
                    b"\x00\x3f\x00"))
    bits = []

    def put(value, length):
        bits.append(format(value, f"0{length}b") if length else "")

    def put_signed(value, size):
        put(value if value >= 0 else value + (1 << size) - 1, size)

    h_max, v_max = max(h for h, _ in factors), max(v for _, v in factors)
    # A component that stands alone is not interleaved: its blocks end with the picture.
    across, down = ((-(-width // 8), -(-height // 8)) if count == 1 else
                    (-(-width // (8 * h_max)), -(-height // (8 * v_max))))
    last = [0] * count
    for _ in range(across * down):
        for i, (h, v) in enumerate(factors if count > 1 else [(1, 1)]):
            for _ in range(h * v):
                value = int(random.integers(-100, 100))
                difference, last[i] = value - last[i], value
                size = abs(difference).bit_length()
                put(size, 4)
                put_signed(difference, size)
                for _ in range(int(random.integers(4))):
                    value = int(random.integers(1, 30)) * int(random.choice([-1, 1]))
                    size = abs(value).bit_length()
                    put(ac_symbols.index(int(random.integers(4)) << 4 | size), 8)
                    put_signed(value, size)
                put(0, 8)  # end of block
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    packed = int(text, 2).to_bytes(len(text) // 8, "big")
    return head + packed.replace(b"\xff", b"\xff\x00") + b"\xff\xd9"


def with_segment(data, marker, content):
    return data[:2] + bytes([0xff, marker]) + struct.pack(">H", len(content) + 2) + content + data[2:]


# --- WebP -----------------------------------------------------------------------------------------

def riff(chunks):
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(content)) + content +
                              b"\0" * (len(content) % 2) for kind, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunks(data):
    at = 12
    while at + 8 <= len(data):
        size = struct.unpack("<I", data[at + 4:at + 8])[0]
        yield data[at:at + 4], data[at + 8:at + 8 + size]
        at += 8 + size + size % 2


def webp_canvas(frame, canvas, place, background=0xff204060):
    """An animation of one frame, a WebP file, at an even place of a larger canvas."""
    parts = [(kind, content) for kind, content in riff_chunks(frame)
             if kind in (b"ALPH", b"VP8 ", b"VP8L")]
    width, height = Image.open(io.BytesIO(frame)).size
    alpha = any(kind != b"VP8 " for kind, _ in parts)
    three = lambda value: struct.pack("<I", value)[:3]
    head = (bytes([2 | (16 if alpha else 0), 0, 0, 0]) + three(canvas[0] - 1) + three(canvas[1] - 1))
    inner = b"".join(kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
                     for kind, content in parts)
    animated = (three(place[0] // 2) + three(place[1] // 2) + three(width - 1) + three(height - 1) +
                three(100) + b"\0" + inner)
    return riff([(b"VP8X", head), (b"ANIM", struct.pack("<IH", background, 0)), (b"ANMF", animated)])
