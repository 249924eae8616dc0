"""A guess that is written down before the answer is seen.

What answers a question is folded away in the notebooks. JupyterLab shows the first line of a folded output, so this
line must not tell the answer: it holds the guess.
"""


def predict(*guess: object) -> None:
    """Write your guess down; what the cell gives stands below it.

    Nobody marks it. A guess that was made, right or wrong, is what one remembers.

    Parameters
    ----------
    *guess : object
        What you expect: a number, a word, several of them.

    Examples
    --------
    >>> predict(4, "rises")
    Your guess: 4, rises
    >>> predict()
    Your guess: none yet. Type it into predict().
    """
    if guess:
        print("Your guess:", ", ".join(map(str, guess)))
    else:
        print("Your guess: none yet. Type it into predict().")
