#!/usr/bin/env python3
"""Makes the bad inputs of the failure tests from the results folder of a good run.

    make_faults.py RESULTS_FOLDER MEDIA_FOLDER OUT

OUT/<fault>/ are model folders, OUT/media-<fault>/ folders of captioned pictures, OUT/*.png and
OUT/*.jpg pictures, OUT/old-record and OUT/overwritten results of an earlier run. Everything is made
anew.
"""
import json
import math
import os
import shutil
import struct
import sys
import zlib

TENSOR = "model.layers.1.mlp.down_proj.weight"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def safetensors(data):
    """Header and payload."""
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size]), bytearray(data[8 + size:])


def joined(header, payload):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(payload)


def with_nan(data):
    header, payload = safetensors(data)
    begin = header[TENSOR]["data_offsets"][0]
    assert header[TENSOR]["dtype"] == "F32"
    struct.pack_into("<f", payload, begin + 4 * 77, math.nan)
    return joined(header, payload)


def wrongly_shaped(data):
    header, payload = safetensors(data)
    header[TENSOR]["shape"].reverse()
    return joined(header, payload)


def renamed(data):
    header, payload = safetensors(data)
    header["model.layers.9.mlp.down_proj.weight"] = header.pop(TENSOR)
    return joined(header, payload)


def model_faults(model, out):
    def folder(name):
        path = os.path.join(out, name)
        shutil.copytree(model, path)
        return path

    weights = read(os.path.join(model, "model.safetensors"))
    os.remove(os.path.join(folder("no-weights"), "model.safetensors"))
    os.remove(os.path.join(folder("no-config"), "config.json"))
    os.remove(os.path.join(folder("no-tokenizer"), "tokenizer.json"))
    for name, data in {
            "truncated": weights[:-1000],
            "header-cut": weights[:100],
            "empty": b"",
            "nan": with_nan(weights),
            "wrong-shape": wrongly_shaped(weights),
            "renamed": renamed(weights),
    }.items():
        write(os.path.join(folder(name), "model.safetensors"), data)
    write(os.path.join(folder("config-cut"), "config.json"),
          read(os.path.join(model, "config.json"))[:-20])
    # Two tokens exchange their ids: every text would still encode and decode.
    tokenizer = read(os.path.join(model, "tokenizer.json")).decode()
    assert '"id":524' in tokenizer and '"id":525' in tokenizer
    exchanged = (tokenizer.replace('"id":524', '"id":x').replace('"id":525', '"id":524')
                 .replace('"id":x', '"id":525'))
    write(os.path.join(folder("other-tokenizer"), "tokenizer.json"), exchanged)


def chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data +
            struct.pack(">I", zlib.crc32(kind + data)))


def png(width, height):
    rows = b"".join(b"\0" + bytes((x * 7 + y * 3 + c) % 256 for x in range(width) for c in range(3))
                    for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def picture_faults(media, out):
    good = png(64, 48)
    cat = read(os.path.join(media, "chelsea.jpg"))
    pictures = {
        "good.png": good,
        "wide.png": png(1010, 5),
        "flipped.png": good[:60] + bytes([good[60] ^ 0xFF]) + good[61:],
        "cut.png": good[:len(good) // 2],
        "cut.jpg": cat[:len(cat) // 2],
        "text.png": b"this is no picture\n",
        "empty.jpg": b"",
    }
    for name, data in pictures.items():
        write(os.path.join(out, name), data)
    for name in ("wide.png", "flipped.png", "cut.jpg"):
        folder = os.path.join(out, "media-" + name.replace(".", "-"))
        os.mkdir(folder)
        write(os.path.join(folder, "chelsea.jpg"), cat)
        write(os.path.join(folder, name), pictures[name])
        write(os.path.join(folder, "captions.json"),
              json.dumps([{"file": "chelsea.jpg", "caption": "A cat."},
                          {"file": name, "caption": "A broken picture."}]))


def main(results, media, out):
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    model_faults(os.path.join(results, "model"), out)
    picture_faults(media, out)
    write(os.path.join(out, "regular-file"), "not a folder\n")
    for name in ("old-record", "overwritten"):
        os.mkdir(os.path.join(out, name))
        shutil.copy(os.path.join(results, "samples.h5"), os.path.join(out, name))


if __name__ == "__main__":
    main(*sys.argv[1:])
