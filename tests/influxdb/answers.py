"""Bodies of answers, as InfluxDB's encoder writes them."""

import json
from collections.abc import Iterator
from typing import Any, Final

POLICIES: Final = '"columns":["name","duration","shardGroupDuration","replicaN","default"]'
AUTOGEN: Final = ',"values":[["autogen","0s","168h0m0s",1,true]]'
_DIGITS: Final = '":0123456789'


def as_go(value: Any) -> str:
    """JSON as Go's encoder writes it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\ufffd\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = as_go({"code": code, "message": message})


UNKNOWN: Final = Refused(401, "unauthorized", "Unauthorized")
NO_MAPPING: Final = Refused(404, "not found", "no dbrp mapping found")


def results(answer: str) -> Iterator[str]:
    """Each result as it stands in the text of an answer."""
    decoder, place = json.JSONDecoder(), answer.index("[") + 1
    while answer[place] in "{,":
        place += answer[place] == ","
        _, end = decoder.raw_decode(answer, place)
        yield answer[place:end]
        place = end


def series(number: int, content: str) -> str:
    """A result of one series, of which ``told`` is the JSON inside the braces."""
    return f'{{"statement_id":{number},"series":[{{{content}}}]}}'


def error(number: int, message: str) -> str:
    """A result that is an error."""
    return f'{{"statement_id":{number},"error":{as_go(message)}}}'


def numbered(number: int, result: str) -> str:
    """A result under another number."""
    return f'{{"statement_id":{number}{result.partition("statement_id")[2].lstrip(_DIGITS)}'
