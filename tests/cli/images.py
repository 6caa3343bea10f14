"""Small images, good and bad, for the command-line tests; nothing but the standard library."""

import struct
import zlib


def png_chunk(kind, data):
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, pixel):
    """An RGB PNG of pixel(x, y)."""
    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in pixel(x, y))
                    for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) +
            png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b""))


def ppm(width, height, pixel):
    """The same as a binary PPM."""
    return b"P6\n%d %d\n255\n" % (width, height) + bytes(
        v for y in range(height) for x in range(width) for v in pixel(x, y))


def noise(seed):
    """A pixel function that looks different for every seed, the same everywhere."""
    def pixel(x, y):
        value = zlib.crc32(struct.pack("<III", seed, x // 8, y // 8))
        return value & 255, value >> 8 & 255, value >> 16 & 255
    return pixel


# Images that are not read; in a folder they are told by their name or, without an ending, by their first bytes.
KINDS = {
    "1.jp2": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20),
    "2": b"qoif\0\0\0\1\0\0\0\1\4\0" + bytes(16),
    "3": b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n\1\2\3",
    "4": b"\x76\x2f\x31\1\2\0\0\0" + bytes(32),
    "9.nef": b"no RAW file\n",
    "A": b"\0\0\1\0\1\0\x10\x10\0\0" + bytes(32),
    "B": b"8BPS\0\1" + bytes(64),
    "C.tga": b"too short",
    "no_image_1": b"BM is a company, P6 a format, <svg> a tag\n",
    "no_image_2": b"\0\0\2\0\0\0\0\0\0\0\0\0\4\0\4\0\x18\0" + bytes(48),
    "no_image_3.mp4": b"\0\0\0\x18ftypisom\0\0\2\0isommp41",
    "D.xbm": b"#define d_width 8\n#define d_height 1\nstatic char d_bits[] = { 0x55 };\n",
    "E.im": b"Image type: RGB image\r\nName: e\r\n",
    "F": b"/* XPM */\nstatic char *f[] = {\n",
    "G": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "H": b"BLP2" + bytes(20),
    "I.pcd": bytes(2048) + b"PCD_IPI" + bytes(99),
}


def write_all(folder):
    """Writes the images and folders that the .cases files name."""
    red = png(40, 30, lambda x, y: (200, 30, 30))
    files = {
        **{f"kinds/{name}": data for name, data in KINDS.items()},
        "kinds/ok.png": red,
        "red.png": red,
        "noise.png": png(64, 48, noise(1)),
        "noise.ppm": ppm(64, 48, noise(1)),
        "dot.png": png(1, 1, lambda x, y: (0, 0, 255)),
        "text.jpg": b"This is no image.\n",
        "empty.png": b"",
        "truncated.png": red[:60],
        "huge.png": b"\x89PNG\r\n\x1a\n" + png_chunk(
            b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)),
        "none.png": b"\x89PNG\r\n\x1a\n" + png_chunk(
            b"IHDR", struct.pack(">IIBBBBB", 0, 0, 8, 2, 0, 0, 0)),
        "folder/10.png": png(20, 20, noise(10)),
        "folder/2.PNG": png(20, 20, noise(2)),
        "folder/1.png": png(20, 20, noise(3)),
        "folder/without-extension": png(20, 20, noise(4)),
        "folder/notes.txt": b"left out\n",
        "folder/.hidden.png": red,
        "folder/below/deep.png": png(20, 20, noise(5)),
        "names/tab\there.png": red,
        "names/new\nline.png": red,
        "names/back\\slash.png": red,
        "names/quote\"'s.png": red,
        "names/gr\u00fc\u00dfe \u732b.png": red,
    }
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for i in range(24):
        (folder / "many").mkdir(exist_ok=True)
        (folder / "many" / f"{i:02}.png").write_bytes(png(16 + i, 70 - i, noise(100 + i)))
    with open(bytes(folder / "names") + b"/latin-\xe9.png", "wb") as file:
        file.write(red)
    (folder / "nothing").mkdir()
