"""The characters that a byte-level BPE vocabulary writes the 256 bytes with (GPT-2's bytes_to_unicode):
printable ones stand for themselves, the others are shifted behind U+0100."""


def byte_characters():
    shifted = 256
    for byte in range(256):
        if 0x21 <= byte <= 0x7e or 0xa1 <= byte <= 0xac or 0xae <= byte:
            yield chr(byte)
        else:
            yield chr(shifted)
            shifted += 1
