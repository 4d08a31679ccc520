"""What a provider could read in the bytes that reached it: in base64, compressed, in texts within texts."""

import base64
import binascii
import json
import re
import zlib

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_KINDS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_DEEPEST = 6


def layers(data: bytes, depth: int = 0) -> list[bytes]:
    """Return these bytes and all that is packed in them."""
    found = [data]
    if depth == _DEEPEST:
        return found
    for inner in {*_texts(data), *_packed(data)}:
        found += layers(inner, depth + 1)
    return found


def assert_unseen(data: bytes, names) -> None:
    """Make sure that none of these names stands in what was sent, in any encoding of text."""
    everything = b"\n".join(layers(data)).lower()
    for name in names:
        forms = {name, json.dumps(name)[1:-1], ascii(name)[1:-1], name[::-1]}
        encoded = {form.encode(kind) for form in forms for kind in _KINDS}
        encoded |= {binascii.hexlify(name.encode()), *_within_base64(name.encode())}
        for one in encoded:
            assert one.lower() not in everything, (name, one)


def _within_base64(name: bytes) -> set[bytes]:
    """Return what base64 has of a name at each of the three places it may begin."""
    return {
        cut
        for shift in range(3)
        if len(cut := base64.b64encode(b"\0" * shift + name)[[0, 2, 3][shift] : -4]) > 6
    }


def _texts(data: bytes) -> list[bytes]:
    """Return every text in JSON."""
    try:
        waiting, found = [json.loads(data)], []
    except (ValueError, RecursionError):
        return []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, (dict, list)):
            waiting += [*value, *value.values()] if isinstance(value, dict) else value
    return [text for text in found if text != data]


def _packed(data: bytes) -> list[bytes]:
    found = []
    for match in _BASE64.finditer(data):
        text = match[0].rstrip(b"=")
        for alphabet in (b"+/", b"-_"):
            try:
                one = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=alphabet, validate=True)
            except binascii.Error:
                continue
            if one != data:
                found += [one, *_unpacked(one)]
    return [*found, *_unpacked(data)]


def _unpacked(data: bytes) -> list[bytes]:
    try:
        return [zlib.decompressobj(wbits=47).decompress(data, 1 << 26)]  # zlib or gzip
    except zlib.error:
        return []
