"""Until when a credential is good: read from an X.509 certificate or a JSON Web Token.

Only the validity is read, and nothing is verified: the API server does that. Structure of the
certificate: RFC 5280, section 4.1; of the token: RFC 7519, section 4.1.4.
"""

from __future__ import annotations

import base64
import datetime as dt
import json

_VERSION = 0xA0
_UTC_TIME = 0x17
_LONG_FORM = 0x80


def not_after(der: bytes) -> dt.datetime | None:
    """The end of a certificate's validity; None for what is no certificate."""
    try:
        certificate = _elements(der)[0][1]
        to_be_signed = _elements(_elements(certificate)[0][1])
        fields = [content for tag, content in to_be_signed if tag != _VERSION]
        # serialNumber, signature, issuer, validity
        tag, text = _elements(fields[3])[1]
        return _time(tag, text.decode("ascii"))
    except (IndexError, ValueError):
        return None


def token_end(token: str) -> dt.datetime | None:
    """When a token expires; None for one that does not say."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return dt.datetime.fromtimestamp(float(claims["exp"]), dt.UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError):
        return None


def _elements(der: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each element, one after the other."""
    found = []
    while der:
        tag, content, der = _element(der)
        found.append((tag, content))
    return found


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows."""
    tag, length, begin = der[0], der[1], 2
    if length & _LONG_FORM:
        size = length & ~_LONG_FORM
        begin += size
        length = int.from_bytes(der[2:begin], "big")
    if len(der) < begin + length:
        raise ValueError(length)
    return tag, der[begin : begin + length], der[begin + length :]


def _time(tag: int, text: str) -> dt.datetime:
    form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
