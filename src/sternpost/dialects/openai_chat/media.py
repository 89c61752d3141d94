"""Sound and pictures that a model answers with: `message.audio`, and `message.images` of OpenRouter.

Those that a model is given are `parts`.
"""

from collections.abc import Iterator, Mapping

from sternpost.contracts.message import BlobPart, Json, Message, OtherPart, Part, TextPart, UriPart
from sternpost.dialects.json_text.fields import Fields

_DATA = "data:"


def read_audio(message: Fields) -> Iterator[Part]:
    """Read an answer in sound and the words of it; in a history only its id is left of it."""
    audio = message.child("audio")
    if audio is None:
        return
    sound = audio.text("data")
    if not sound:
        yield OtherPart({"type": "audio", **audio.values})
        return
    yield BlobPart("audio", sound)  # its format is what the request asked for; the reply does not say
    if words := audio.text("transcript"):
        yield TextPart(words)


def read_images(message: Fields) -> Iterator[Part]:
    if not isinstance(message.values.get("images"), list):
        return
    for image in message.items("images"):
        address = image.child("image_url")
        url = (address.text("url") if address else None) or ""
        if blob := image_blob(url):
            yield blob
        elif url:
            yield UriPart("image", url)


def image_blob(url: str) -> BlobPart | None:
    """Return the picture of a data URL; None for any other address."""
    header, comma, content = url.partition(",")
    if not (url.startswith(_DATA) and comma and header.endswith(";base64")):
        return None
    return BlobPart("image", content, header[len(_DATA) : -len(";base64")])


def write_media(message: Message, reply_id: str) -> dict[str, Json]:
    """Write what of an answer is neither text nor a call; the words of a sound are its transcript."""
    written: dict[str, Json] = {}
    sounds = [part for part in message.parts if isinstance(part, BlobPart) and part.modality == "audio"]
    if sounds:
        words = "".join(part.content for part in message.parts if isinstance(part, TextPart))
        written["content"] = None
        written["audio"] = {**audio_piece(sounds[0], reply_id), "expires_at": 0, "transcript": words}
    images = [write_image(part) for part in message.parts if is_image(part)]
    if images:
        written["images"] = images
    return written


def audio_piece(sound: BlobPart, reply_id: str) -> dict[str, Json]:
    return {"id": f"audio_{reply_id}", "data": sound.content}


def is_image(part: Part) -> bool:
    return isinstance(part, BlobPart | UriPart) and part.modality == "image"


def write_image(part: Part) -> Mapping[str, Json]:
    url = part.uri if isinstance(part, UriPart) else ""
    if isinstance(part, BlobPart):
        url = f"data:{part.mime_type or 'image/png'};base64,{part.content}"
    return {"type": "image_url", "image_url": {"url": url}}
