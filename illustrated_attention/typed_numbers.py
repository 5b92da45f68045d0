"""Numbers as people type them: 2,362,368 and "0,33", "about 8 %", "1/3"."""

import math
import numbers
import re

_DIGITS = r"\d(?:[\d.,_ ]*\d)?|\.\d+"
_ONE_NUMBER = re.compile(rf"[+-]?(?:{_DIGITS})(?:[eE][+-]?\d+)?(?:\s*/\s*(?:{_DIGITS}))?")
_THOUSANDS = re.compile(
    r"[1-9]\d{0,2}(?:(?:,\d{3})+|(?: \d{3})+)(?:\.\d+)?|[1-9]\d{0,2}(?:\.\d{3}){2,}"
)


def typed_number(reply: tuple) -> float | None:
    """Return the number that was typed, None if there is none or more than one.

    Parameters
    ----------
    reply : tuple
        The arguments as they came. To Python 2,362,368 without quotes is three numbers. "8 %" is
        0.08.
    """
    if len(reply) == 1 and isinstance(reply[0], numbers.Real):
        return float(reply[0])
    text = _joined(reply) if all(type(part) is int for part in reply) else ",".join(map(str, reply))
    text = text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2212", "-")
    found = _ONE_NUMBER.findall(text)
    if len(found) != 1:
        return None
    above, stroke, below = found[0].partition("/")
    whole = 100.0 if "%" in text or "\uff05" in text else 1.0
    try:
        number = _decimal(above) / (_decimal(below) if stroke else 1.0) / whole
    except (ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _joined(parts: tuple) -> str:
    """Put together what Python took apart at commas: thousands, or the digits after a comma.

    A group of thousands has three digits, and Python knows none that begin with 0 but 000.
    """
    if len(parts) == 2 and (parts[0] == 0 or 0 < parts[1] < 100):
        return f"{parts[0]}.{parts[1]}"
    return ",".join(str(part) if part or not i else "000" for i, part in enumerate(parts))


def _decimal(text: str) -> float:
    text = text.strip().replace("_", "")
    sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if _THOUSANDS.fullmatch(digits):
        mark = "." if digits.count(".") > 1 else ","
        digits = digits.replace(mark, "").replace(" ", "")
    elif re.fullmatch(r"\d+,\d+", digits):
        digits = digits.replace(",", ".")
    return float(sign + digits)
