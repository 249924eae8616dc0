"""05.8 Swap the letters."""

from __future__ import annotations

import string
from itertools import product

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Anything, Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import FIXED, array, scales, settled


def swapped(own, arriving, other, arriving_letters, other_letters):
    return np.einsum(arriving_letters + "," + other_letters + "->" + own, arriving, other)


def einsum_gradients(spec, a, b, g):
    left, right, out = spec.replace("->", ",").split(",")
    return swapped(left, g, b, out, right), swapped(right, g, a, out, left)


def einsum_by_split(spec, a, b, g):
    inputs, out = spec.split("->")
    first, second = inputs.split(",")
    return [np.einsum(f"{second},{out}->{first}", b, g), np.einsum(f"{first},{out}->{second}", a, g)]


def einsum_by_loops(spec, a, b, g):
    left, right, out = spec.replace("->", ",").split(",")
    lengths = dict(zip(left + right, a.shape + b.shape, strict=True))
    letters = list(lengths)
    a_bar, b_bar = np.zeros(a.shape), np.zeros(b.shape)
    for place in np.ndindex(*lengths.values()):
        at = dict(zip(letters, place, strict=True))
        i, j, k = (tuple(at[letter] for letter in word) for word in (left, right, out))
        a_bar[i] += b[j] * g[k]
        b_bar[j] += a[i] * g[k]
    return a_bar, b_bar


def einsum_by_columns(spec, a, b, g):
    def gradient(operand, of):
        shares = np.zeros(operand.size)
        for entry in range(operand.size):
            nudge = np.zeros(operand.size)
            nudge[entry] = 1.0
            shares[entry] = np.sum(g * of(nudge.reshape(operand.shape)))
        return shares.reshape(operand.shape)

    return gradient(a, lambda d: np.einsum(spec, d, b)), gradient(b, lambda d: np.einsum(spec, a, d))


def einsum_in_float32(spec, a, b, g):
    return einsum_by_split(spec, np.float32(a), np.float32(b), np.float32(g))


def einsum_by_broadcasting(spec, a, b, g):
    """All letters as axes, in one order; what an operand lacks is summed away."""
    words = letters_of(spec)
    letters = sorted({*"".join(words)})

    def spread(word, entries):
        ordered = np.transpose(entries, np.argsort([*word]))
        return ordered.reshape([np.shape(entries)[word.index(c)] if c in word else 1 for c in letters])

    def gathered(product, word):
        kept = [c for c in letters if c in word]
        summed = product.sum(axis=tuple(k for k, c in enumerate(letters) if c not in word))
        return np.transpose(summed, [kept.index(c) for c in word])

    large = [spread(word, np.asarray(entries)) for word, entries in zip(words, (a, b, g), strict=True)]
    return gathered(large[1] * large[2], words[0]), gathered(large[0] * large[2], words[1])


def einsum_by_package(spec, a, b, g):
    return gradients.vjp(lambda p: np.einsum(spec, p[0], p[1]), (a, b))[1](g)


def einsum_cases(rng):
    lengths = {"i": 3, "j": 2, "k": 4, "n": 2, "d": 4, "m": 3, "x": 2, "y": 3, "z": 4, "b": 2, "t": 3}
    lengths |= {"o": 1, "p": 3, "q": 3, "r": 3, "h": 1, "I": 2, "L": 130}
    out = []
    for spec in SPECS:
        shapes = [tuple(lengths[letter] for letter in word) for word in letters_of(spec)]
        arrays = [np.asarray(array(rng, *shape)) for shape in shapes]
        if spec == "bij,bjk->bik":
            for entries in arrays:
                entries.flat[1::5] = 0.0
        out.append(case(spec, *arrays))
    a, b, g = (array(rng, *shape) for shape in ((3, 3), (3, 2), (3, 2)))
    scaled = a * scales(3), b / scales(3)[:, None], g * scales(3)[:, None]
    return [*out, case("pq,qj->pj", *scaled)]


SPECS = (
    "ij,jk->ik",
    "nd,md->nm",
    "i,j->ij",
    "bij,bjk->bik",
    "td,d->t",
    "zy,yx->xz",
    "ij,ij->ij",
    "k,k->",
    "ij,ji->",
    "pq,qr->pr",
    "j,ijk->ki",
    "oi,ij->oj",
    "io,jo->ij",
    "rp,pq->rq",
    "pq,qp->",
    "p,q->qp",
    "o,op->p",
    "ijb,bjk->bik",
    "bhqd,bhjd->bhqj",
    "iI,Ij->ij",
    "Lo,L->o",
)


# Tried with all letters of one length, so that no shape says which axes belong together.
PATTERNS = """
    i,i-> i,i->i i,j->ij i,j->ji
    ij,j->i ij,i->j j,ij->i i,ij->j ij,i->ij ij,i->ji ij,j->ij ij,j->ji i,ij->ij i,ij->ji j,ij->ij j,ij->ji
    ij,ij-> ij,ji-> ij,ij->i ij,ij->j ij,ji->i ij,ji->j ij,ij->ij ij,ij->ji ij,ji->ij ij,ji->ji
    ij,jk->ik ij,jk->ki ij,kj->ik ij,kj->ki ji,jk->ik ji,jk->ki ji,kj->ik ji,kj->ki
    ij,ik->ijk ij,kj->kij ij,kl->ijkl ij,kl->kilj ij,kl->lkji i,jk->ijk j,ki->ikj
    ijk,k->ij ijk,j->ki k,ijk->ji i,jki->kj ijk,jk->i ijk,kj->i ij,kij->k ijk,lk->ijl il,jki->jkl jik,kl->jil
    ijk,ijk-> ijk,kij-> ijk,kji->ik ijk,jki->kij ijk,ijk->kji ijk,ijk->ijk
    bij,bjk->bik bij,bkj->bik bji,bjk->bik bij,bjk->ikb bij,jbk->kib ibj,jkb->bki
    bhqd,bhkd->bhqk bhqk,bkhd->bqhd abcd,dcbe->aeb abcde,cdefg->abfg
"""


def renamed(spec, rng):
    """The same pattern in other letters, small and capital ones, in no order."""
    return spec.translate(str.maketrans(string.ascii_lowercase, "".join(rng.permutation([*string.ascii_letters])[:26])))


def of_one_length(rng):
    """Squares and cubes of all kinds, matrices with one row or column, and operands that are alike."""
    specs = [renamed(spec, rng) for spec in PATTERNS.split()] + [
        "i,I->iI",
        "ij,Ij->iI",
        "aB,bA->AaBb",
        "Zz,zZ->z",
        "xX,Xx->Xx",
    ]
    out = []
    for k, spec in enumerate(specs):
        words = letters_of(spec)
        length = 3 if max(map(len, words)) < 3 and k % 2 else 2
        out.append(case(spec, *(np.asarray(array(rng, *[length] * len(word))) for word in words)))
    same = array(rng, 3, 3)
    return [
        *out,
        *(
            case("ij,jk->ik", array(rng, n, d), array(rng, d, m), array(rng, n, m))
            for n, d, m in product((1, 3), repeat=3)
        ),
        *(case(spec, same, same.copy(), same.copy()) for spec in ("ij,ij->ij", "ij,jk->ik", "ij,ji->ij")),
        case("i,i->", same[0], same[0].copy(), np.asarray(array(rng))),
    ]


def letters_of(spec):
    return spec.replace("->", ",").split(",")


def _summed(spec):
    left, right, out = letters_of(spec)
    return {*left, *right} - {*out}


def _two(spec):
    return letters_of(spec)[:2]


def einsum_elementwise(spec, a, b, g):
    left, right, out = letters_of(spec)
    return np.einsum(f"{out},{left}->{left}", g, a), np.einsum(f"{out},{right}->{right}", g, b)


def einsum_without_arrow(spec, a, b, g):
    left, right, out = letters_of(spec)
    return np.einsum(f"{out},{right}", g, b), np.einsum(f"{left},{out}", a, g)


def einsum_reversed(spec, a, b, g):
    return tuple(share.T for share in einsum_gradients(spec, a, b, g))


def einsum_as_matrices(spec, a, b, g):
    return g @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ g


def einsum_same_letters(spec, a, b, g):
    return np.einsum(spec, g, b), np.einsum(spec, a, g)


def einsum_swaps_second_only(spec, a, b, g):
    left, right, out = letters_of(spec)
    return np.einsum(f"{out},{right}->{left}", g, b), np.einsum(f"{out},{right}->{right}", g, b)


def einsum_mixed_up(spec, a, b, g):
    left, right, out = letters_of(spec)
    return np.einsum(f"{right},{out}->{left}", g, b), np.einsum(f"{left},{out}->{right}", g, a)


def einsum_of_transposes(spec, a, b, g):
    return np.einsum(spec, g, b.T), np.einsum(spec, a.T, g)


def einsum_transposing_where_it_must(spec, a, b, g):
    """Works by shapes where the output is a number: transposes only if it would not fit otherwise."""
    if np.ndim(g) or a.ndim != 2:
        return einsum_gradients(spec, a, b, g)
    return (g * b, g * a) if a.shape == b.shape else (g * b.T, g * a.T)


def einsum_with_small_letters(spec, a, b, g):
    return einsum_gradients(spec.lower(), a, b, g)


def einsum_up_to_three_letters(spec, a, b, g):
    return einsum_gradients(spec, a, b, g) if a.ndim < 4 else (np.zeros(a.shape), np.zeros(b.shape))


def einsum_outer_by_shape(spec, a, b, g):
    left, right, out = letters_of(spec)
    if len(left) == len(right) == 1 and len(out) == 2:
        return (g @ b, a @ g) if g.shape == (len(a), len(b)) else (b @ g, g @ a)
    return einsum_gradients(spec, a, b, g)


def einsum_all_to_all(spec, a, b, g):
    if np.ndim(g):
        return einsum_gradients(spec, a, b, g)
    return np.full(a.shape, g), np.full(b.shape, g)


BANK = [
    wrong("own-operand-again", einsum_elementwise, "notebook 05, section 7: replace the operand by g",
          "Each gradient is built from the operand itself instead of the other one.",
          "A product hands to each factor the other factor; that is as true for arrays as for numbers."),
    wrong("leaves-the-arrow-out", einsum_without_arrow,
          "notebook 05, section 7: the operand's own letters go to the right of the arrow",
          "It works for some letters and not for others.",
          "Without `->` einsum sorts the letters of the result by the alphabet and sums those that occur twice."),
    wrong("letters-backwards", einsum_reversed,
          "notebook 05, section 7: the operand's own letters go to the right of the arrow",
          "The axes of each gradient stand in the reverse order.",
          "A gradient has the shape of its variable, so its letters stand in the same order."),
    wrong("always-a-matrix-product", einsum_as_matrices,
          "notebook 05, section 7: one rule for everything with a product in it",
          "Right for plain matrix products, wrong or impossible for the rest.",
          "Other letters say other products, and the rule of section 1 belongs to one of them."),
    wrong("letters-not-swapped", einsum_same_letters, "notebook 05, section 7: its letters by the output's",
          "You put g in the place of each operand and left the letters as they were.",
          "g has the letters of the output. They have to come with it."),
    wrong("second-from-itself", einsum_swaps_second_only, "notebook 05, section 7: replace the operand by g",
          "The second gradient is built from b instead of a.",
          "A product hands to each factor the other factor: what b gets comes from a."),
    wrong("letters-beside-the-wrong-array", einsum_mixed_up, "notebook 05, section 7: its letters by the output's",
          "The letters are all there, in another order than the arrays that they describe.",
          "The first group of letters belongs to the first array. Where lengths happen to agree, nothing warns you."),
    wrong("transposes-the-operands", einsum_of_transposes,
          "notebook 05, section 7: one rule for everything with a product in it",
          "You kept the letters and transposed the operands, which fits a plain matrix product at best.",
          "Which axes have to meet is said by the letters, and they differ from one product to the next."),
    wrong("transposes-only-where-it-must", einsum_transposing_where_it_must,
          "notebook 05, section 7: its letters by the output's",
          "Where the output is a number and both operands are square, an operand was not transposed.",
          "Shapes cannot warn you there. The letters say which axes meet."),
    wrong("outer-product-by-shape", einsum_outer_by_shape, "notebook 05, section 7: its letters by the output's",
          "In an outer product of two vectors of one length, rows and columns were mixed up.",
          "Which vector runs along the rows is said by the letters of the output, not by lengths."),
    wrong("small-letters-only", einsum_with_small_letters, "the docstring of the exercise",
          "Where a spec holds a capital letter, it was taken for the small one.",
          "`I` and `i` are two letters for einsum, with a length each."),
    wrong("three-letters-at-most", einsum_up_to_three_letters,
          "notebook 05, section 7: one rule for everything with a product in it",
          "Right for operands of up to three letters.",
          "An operand may have any number of them. The rule does not count letters."),
    wrong("a-number-is-handed-out-as-it-is", einsum_all_to_all, "notebook 05, section 7: replace the operand by g",
          "Right where the output has letters; where it is a number, every entry gets that number's gradient.",
          "An output without letters is a product all the same: each entry moves it by what stands beside it."),
    wrong("results-exchanged", lambda spec, a, b, g: einsum_gradients(spec, a, b, g)[::-1],
          "the docstring of the exercise",
          "The two gradients stand in the wrong order.",
          "The first belongs to a, although it is computed from b."),
    wrong("ignores-what-arrives", lambda spec, a, b, g: einsum_gradients(spec, a, b, np.ones_like(g)),
          "notebook 05, section 1: upstream × local",
          "Your gradients do not depend on the values in g.",
          "Those are the gradients of the sum of all entries. What comes after may weigh them differently."),
]  # fmt: skip

EXERCISE = Exercise(
    id="05.8",
    title="Swap the letters",
    function="einsum_gradients",
    minutes=12,
    difficulty=3,
    points=4,
    see="notebook 05, section 7, 'Larger arrays: swap the letters'",
    reference=einsum_gradients,
    domain={
        "spec": Anything("letters, with an arrow"),
        "a": Array("... last_of_a"),
        "b": Array("... last_of_b"),
        "g": Array("..."),
    },
    meets={
        "the output has no letters, the operands have one": lambda spec: spec == "k,k->",
        "the output has no letters, the operands have two": lambda spec: spec.endswith("->") and len(spec) > 6,
        "square, and the output is a number": lambda spec: spec == "pq,qp->",
        "an outer product of vectors of one length, turned round": lambda spec: spec == "p,q->qp",
        "square, letters in another order than the alphabet's": lambda spec: spec == "rp,pq->rq",
        "an operand has one entry": lambda a: a.size == 1,
        "a letter of the batch stands last": lambda spec: spec == "ijb,bjk->bik",
        "four letters": lambda a: a.ndim == 4,
        "a capital letter beside the small one": lambda spec: "i" in spec and "I" in spec,
        "more than 128 terms": lambda a: max(a.shape) > 128,
        "numbers are very small and very large": lambda a, g: all(
            np.abs(x).min() < 1e-8 < 1e8 < np.abs(x).max() for x in (a, g)
        ),
        "nothing is summed": lambda spec: not _summed(spec),
        "two letters are summed": lambda spec: len(_summed(spec)) == 2,
        "a letter is in all three": lambda spec: set.intersection(*map(set, letters_of(spec))),
        "the operands have the same letters in another order": lambda spec: (
            len({*map("".join, map(sorted, _two(spec)))}) < len({*_two(spec)})
        ),
        "the letters of the output do not come in the order of the alphabet": lambda spec: (
            [*letters_of(spec)[2]] != sorted(letters_of(spec)[2])
        ),
        "all matrices are square": lambda a, b, g: {a.shape, b.shape, g.shape} == {(3, 3)},
        "b has more letters than a": lambda a, b: b.ndim > a.ndim,
        "a has more letters than b": lambda a, b: a.ndim > b.ndim,
    },
    always={
        "each letter of an operand is in the other one or in the output": lambda spec: all(
            {*letters_of(spec)[k]} <= {*letters_of(spec)[1 - k], *letters_of(spec)[2]} for k in (0, 1)
        ),
        "no letter occurs twice in the same one": lambda spec: all(
            len({*word}) == len(word) for word in letters_of(spec)
        ),
    },
    visible=einsum_cases(FIXED),
    hidden=lambda rng: [*einsum_cases(rng), *settled(einsum_gradients, of_one_length(rng))],
    accepted=[
        einsum_by_split,
        einsum_by_loops,
        einsum_by_columns,
        einsum_in_float32,
        einsum_by_package,
        einsum_by_broadcasting,
    ],
    rtol=1e-8,
    atol=1e-13,
    bank=BANK,
    hints=(
        "Cut the text apart first: the letters of a, of b and of the output. `split` does it.",
        "For the gradient of a: g takes the place of a and brings the output's letters along. Which letters must "
        "come out?",
        "a: output's letters, b's letters -> a's letters, with g and b. Then the same with the roles of a and b "
        "exchanged.",
    ),
)
