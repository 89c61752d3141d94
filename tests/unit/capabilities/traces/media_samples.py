"""Small real media for the tests of blobs, made here."""

import base64
import io
import random
import struct
import wave

from PIL import Image


def picture(width: int = 64, height: int = 48, *, kind: str = "PNG", seed: int = 7) -> bytes:
    """A picture of noise, which no format makes small."""
    pixels = random.Random(seed).randbytes(width * height * 3)
    packed = io.BytesIO()
    Image.frombytes("RGB", (width, height), pixels).save(packed, kind)
    return packed.getvalue()


def sound(samples: int = 800) -> bytes:
    """A WAV file of 8 kHz."""
    packed = io.BytesIO()
    with wave.open(packed, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", (n % 80) * 300 - 12_000) for n in range(samples)))
    return packed.getvalue()


PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
)


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def data_url(content: bytes, mime_type: str) -> str:
    return f"data:{mime_type};base64,{b64(content)}"
