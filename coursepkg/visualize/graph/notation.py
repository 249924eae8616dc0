"""Operations as they are written: the sign in a node, the formula of a step, the derivative in letters."""

from coursepkg.autodiff.graph_reader import Node, sign_of, split_constant
from coursepkg.derivatives import OPERATIONS
from coursepkg.visualize.paper import MINUS, bracketed, format_number

_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_INFIX = {each.sign for (_, operands), each in OPERATIONS.items() if operands == 2 and each.sign} | {"@"}


def symbol(op: str) -> str:
    """The sign that stands for an operation in a drawing: "*" is drawn ×, "**3" (·)³, "1-" as 1 −, "*0.5" as × 0.5."""
    sign, constant, first = split_constant(op)
    if constant is None:
        return sign_of(op) or "?"
    if sign == "^" and not first and constant == int(constant) and abs(constant) < 100:
        return "(·)" + str(int(constant)).translate(_SUPERSCRIPT)
    number = format_number(constant)
    return f"{number} {sign}" if first else f"{sign} {number}"


def formula(node: Node, names: list[str]) -> str:
    """The operation in the usual notation: "x + y", "tanh(z)", "x²", "1 − x".

    `names` are the operands as they should appear: names, or numbers.
    """
    sign, constant, first = split_constant(node.op)
    if constant is not None and len(names) == 1:
        if symbol(node.op).startswith("(·)"):
            return bracketed(names[0]) + symbol(node.op)[3:]
        number = format_number(constant)
        names = [number, names[0]] if first else [names[0], number]
    else:
        sign = symbol(node.op)
    if len(names) == 2 and sign in _INFIX:
        base = bracketed(names[0]) if sign == "^" else names[0]
        return f"{base} {sign} {bracketed(names[1])}"
    if len(names) == 1 and sign == MINUS:
        return MINUS + bracketed(names[0])
    return f"{sign}({', '.join(names)})"


def local_formula(node: Node, position: int, names: list[str], result: str) -> str:
    """The local derivative of an operation by its operand at `position`, in letters; empty for an unknown operation."""
    sign, constant, first = split_constant(node.op)
    if constant is not None and len(names) == 1:
        number = format_number(constant)
        names, position = ([number, names[0]], 1) if first else ([names[0], number], 0)
    else:
        sign = symbol(node.op)
    known = OPERATIONS.get((sign.lower(), len(names)))
    return known.words[position].format(**dict(zip("xy", names, strict=False)), out=result) if known else ""
