"""Who found which route to a gradient, and when, from the chain rule to a chip of light.

Only what a source says about itself or what its own title and pages show is told. "First" is a word that historians
have to defend, so it is left out where it is disputed (Schmidhuber, "Who invented backpropagation?", 2014 and later,
collects most sources of the years from 1960 to 1986).
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["EVENTS", "LANES", "Event"]

LANES = ("calculus", "differences", "forward", "reverse", "memory", "on average", "light")
"""The families of routes, in the order in which pictures show them."""


class Event(NamedTuple):
    """A step in the history of gradients.

    Attributes
    ----------
    year : int
        When it was written or printed.
    lane : str
        Which family it belongs to, one of :data:`LANES`.
    who, what : str
        People, and what they did, in a sentence.
    source : str
        Where to read it.
    chapter : str
        Where this course uses it.
    """

    year: int
    lane: str
    who: str
    what: str
    source: str
    chapter: str


EVENTS = (
    Event(1676, "calculus", "G. W. Leibniz", "notes the rule for a function of a function: rates multiply.",
          "manuscript of 1676; see Rodríguez and López Fernández, The Montana Mathematics Enthusiast 7, 2010", "01"),
    Event(1847, "calculus", "A. Cauchy", "walks downhill along the gradient to solve equations of astronomy.",
          "Comptes Rendus de l'Académie des Sciences 25, 1847", "03"),
    Event(1911, "differences", "L. F. Richardson", "combines differences at two step sizes, so that the leading error "
          "cancels.", "Philosophical Transactions of the Royal Society A 210, 1911", "01"),
    Event(1960, "reverse", "H. J. Kelley", "improves flight paths by running adjoint equations backward in time.",
          "ARS Journal 30, 1960", "07"),
    Event(1961, "reverse", "A. E. Bryson", "does the same for processes of many stages, one after the other.",
          "Proceedings of the Harvard Symposium on Digital Computers, 1961", "07"),
    Event(1962, "reverse", "S. Dreyfus", "derives it again with nothing but the chain rule.",
          "Journal of Mathematical Analysis and Applications 5, 1962", "04"),
    Event(1964, "forward", "R. E. Wengert", "lets a program carry each derivative beside its value.",
          "Communications of the ACM 7, 1964", "09"),
    Event(1967, "differences", "J. Lyness and C. Moler", "differentiate through complex numbers.",
          "SIAM Journal on Numerical Analysis 4, 1967", "01"),
    Event(1967, "reverse", "S. Amari", "adapts a classifier with hidden units by stochastic gradient descent.",
          "IEEE Transactions on Electronic Computers 16, 1967", "06"),
    Event(1970, "reverse", "S. Linnainmaa", "writes down the reverse mode for any program, to follow rounding errors.",
          "Master's thesis, University of Helsinki, 1970; BIT 16, 1976", "02"),
    Event(1980, "reverse", "B. Speelpenning", "builds a compiler that turns a program into one for its gradient.",
          "PhD thesis, University of Illinois, 1980", "05"),
    Event(1982, "reverse", "P. Werbos", "applies it to neural networks.",
          "System Modeling and Optimization (Proceedings of the 10th IFIP Conference), 1982", "02"),
    Event(1983, "reverse", "W. Baur and V. Strassen", "prove that all partial derivatives together cost a small "
          "multiple of the function.", "Theoretical Computer Science 22, 1983", "04"),
    Event(1986, "reverse", "D. Rumelhart, G. Hinton and R. Williams", "show that hidden units learn to represent "
          "things; the name backpropagation stays.", "Nature 323, 1986", "06"),
    Event(1989, "forward", "R. Williams and D. Zipser", "carry all derivatives of a recurrent network forward in time.",
          "Neural Computation 1, 1989", "07"),
    Event(1992, "on average", "J. Spall", "estimates a gradient from two values, all entries nudged at random at once.",
          "IEEE Transactions on Automatic Control 37, 1992", "09"),
    Event(1994, "light", "M. Reck and others", "build every unitary matrix from beam splitters.",
          "Physical Review Letters 73, 1994", "11"),
    Event(1998, "differences", "W. Squire and G. Trapp", "make the imaginary step so small that no error is left.",
          "SIAM Review 40, 1998", "01"),
    Event(2000, "memory", "A. Griewank and A. Walther", "place checkpoints so that the least is computed again.",
          "ACM Transactions on Mathematical Software 26, 2000", "08"),
    Event(2016, "memory", "T. Chen and others", "train deep networks in memory that grows like the root of their "
          "depth.", "arXiv 1604.06174, 2016", "08"),
    Event(2018, "light", "T. Hughes and others", "find that light from both ends measures the gradient of a chip.",
          "Optica 5, 2018", "11"),
    Event(2022, "memory", "D. Bershatsky and others", "keep a random summary of each layer's input.",
          "arXiv 2201.13195, 2022", "08"),
    Event(2022, "on average", "A. Baydin and others", "train with one random tangent, and no way back.",
          "arXiv 2202.08587, 2022", "09"),
    Event(2022, "reverse", "V. Ojha and G. Nicosia", "send it through trees, where nothing has to be added up.",
          "Neural Networks 149, 2022", "10"),
    Event(2023, "light", "S. Pai and others", "measure gradients in a photonic chip while it learns.",
          "Science 380, 2023", "11"),
)  # fmt: skip
