"""How large an answer may be: every bound on what comes from strangers, in one place, each with its reason.

No answer of the course comes near one of them. They keep the trusted side quick whatever it is sent: a reply is held
against them as text, before anything is built from it, and a value is held against them while it is read.
"""

from __future__ import annotations

MAX_REPLY = 4_000_000  # characters of one reply; an array of 375,000 numbers
MAX_REPLIES = (
    8_000_000  # characters of the replies to all cases of an exercise: what a notebook can make the judge read
)
MAX_ENTRIES = 1_000_000  # of one array, so that no shape asks for more memory than a reply could fill
MAX_DIMENSIONS = 32  # of one array; NumPy has at most 32 or 64, by its version
MAX_DEPTH = 12  # containers inside containers; reading them is recursive
MAX_KEYS = 1000  # of one dictionary
MAX_ALIKE = 50  # keys of one dictionary with the same hash: each is compared with all of those
MAX_VALUES = 10_000  # in one reply, each entry of a list being one and each array one: all are Python objects
MAX_NESTING = 3 * (MAX_DEPTH + 2) + 4  # brackets in brackets of a reply: a dictionary is stored as three of them
MAX_MEMBERS = 16  # of one JSON object: an outcome has ten, a stored value three
MAX_DIGITS = 40  # of one number: reading one takes as long as the square of its length
MAX_WORDS = 200  # characters of the words for what a value is
MAX_EXCESS = 100  # times the values that are asked for; what is longer is not compared with every wrong idea
MAX_NAME = 80  # characters of the name of a class, which stands in the middle of a sentence
