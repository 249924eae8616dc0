"""Numbers and words as the pictures write them, and how wide they come out.

The one idea: a drawing that places text must know its width before any font is loaded. The advance widths of
DejaVu Sans (the font that ships with Matplotlib) are stored here, in em, for the characters the course uses;
:mod:`coursepkg.visualize.paper.svg` then fixes each text to that width, so a page with another font keeps the layout.
"""

import math
import re
from typing import Any

MINUS = "\u2212"

_CHARACTERS_BY_ADVANCE = {
    0.0: "\u0304\u0307",
    0.278: "ijl'",
    0.295: "IJₜ",
    0.318: " ,.·’",
    0.337: "/:;\\|ι",
    0.352: "f",
    0.361: "-",
    0.391: "()[]t",
    0.401: "!²³⁰¹⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉",
    0.411: "r",
    0.46: '"',
    0.5: "*_`–°",
    0.52: "∂“”sz⁻",
    0.535: "?εζ",
    0.556: "cLΓξν",
    0.579: "Fkχυκ",
    0.592: "vxyγλ",
    0.613: "PTYoadeδθοöäéèπτ",
    0.635: "EΕΣhnuησüñSbdgpqρ0123456789{}μ$€£ß√β",
    0.66: "Kαφψ∇",
    0.686: "AVXZBRCΑΒΔΛ∑",
    0.75: "UNHΠ",
    0.787: "DGOQΩΘΦΨ&",
    0.838: "w#+<=>^~×÷−±≈≤≥→←↑↓⊙ω∞",
    0.863: "M",
    1.0: "%½mW@…—",
}
_ADVANCE = {character: width for width, characters in _CHARACTERS_BY_ADVANCE.items() for character in characters}
_UNKNOWN_ADVANCE = 0.7
_SMALL = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def text_width(text: str, size: float) -> float:
    """Width of a line of DejaVu Sans.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Font size in pixels.

    Returns
    -------
    float
        Width in pixels, within a few per cent for the characters the course uses.

    Examples
    --------
    >>> round(text_width("mm", 10), 1)
    20.0
    """
    return size * sum(_ADVANCE.get(character, _UNKNOWN_ADVANCE) for character in text)


def shorten(text: str, limit: int) -> str:
    """`text` cut to at most `limit` characters, the last one an ellipsis when something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def format_number(value: Any, digits: int = 3) -> str:
    """Write a number the way every picture of the course does.

    Whole numbers up to five digits stay whole; others get `digits` significant digits; very large and very small
    ones get an exponent. The minus is a real minus sign and zero has none. A vector of up to four numbers is written
    out, any other array is named by its shape.

    Parameters
    ----------
    value : number, array or None
        What to write. None, a gradient that no backward pass has reached, is written as "none".
    digits : int
        Significant digits.

    Examples
    --------
    >>> format_number(-12.0), format_number(0.123456), format_number(-0.0), format_number(2.5e-7)
    ('−12', '0.123', '0', '2.5e−7')
    """
    if value is None:
        return "none"
    shape: Any = getattr(value, "shape", ())
    if len(shape) == 1 and 1 <= shape[0] <= 4 and hasattr(value, "tolist"):
        return f"[{', '.join(format_number(entry, digits) for entry in value.tolist())}]"
    if shape:
        return "×".join(str(length) for length in shape) + " array"
    if isinstance(value, complex) or getattr(getattr(value, "dtype", None), "kind", "") == "c":
        return _format_complex(complex(value), digits)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return shorten(str(value), 16)
    if not math.isfinite(number):
        return "nan" if math.isnan(number) else ("∞" if number > 0 else MINUS + "∞")
    return _format_real(number, digits)


def _format_real(number: float, digits: int) -> str:
    size = abs(number)
    if size < 99_999.5 and number == round(number):
        text = f"{round(number)}"
    elif 10.0**digits - 0.5 <= size < 99_999.5:
        text = f"{number:.0f}"
    else:
        text = f"{number:.{digits}g}"
    mantissa, exponent_mark, exponent = text.partition("e")
    if exponent_mark:
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", MINUS)


def _format_complex(number: complex, digits: int) -> str:
    sign = MINUS if number.imag < 0 else "+"
    return f"{format_number(number.real, digits)} {sign} {format_number(abs(number.imag), digits)}i"


def parse_number(text: str) -> float:
    """The number that :func:`format_number` wrote, up to its rounding.

    Examples
    --------
    >>> parse_number("−2.5e−7")
    -2.5e-07
    """
    return float(text.replace(MINUS, "-").replace("∞", "inf"))


def bracketed(number: str) -> str:
    """A number as it stands behind a sign: "3", "(−2)"."""
    return f"({number})" if number.startswith(MINUS) else number


def subscripted(name: str) -> str:
    """A name with its digits small: "x12" becomes "x₁₂"."""
    return name.translate(_SMALL)


def capital(text: str) -> str:
    """A sentence's beginning: a word gets a large letter; a name of one letter, or of a function, keeps its own.

    Examples
    --------
    >>> capital("loss by step"), capital("f(x) for x from 0"), capital("η is large")
    ('Loss by step', 'f(x) for x from 0', 'η is large')
    """
    return text[:1].upper() + text[1:] if re.match(r"[a-z]{2}", text) else text


def join_words(words: list[str], last: str = "and") -> str:
    """Words as a list in a sentence: "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + f" {last} " + words[-1]


def plural(count: int, noun: str, many: str | None = None) -> str:
    """A count with its noun: "1 node", "3 nodes", "2 boxes"."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def wrap(text: str, size: float, width: float) -> list[str]:
    """`text` broken at blanks into lines no wider than `width` pixels (a longer word gets a line of its own)."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
