"""The ten questions of the concept inventory: text, options, and the thought behind each wrong option."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """One option: its text and, for a wrong one, the thought that leads to it."""

    text: str
    thought: str = ""


@dataclass(frozen=True)
class Question:
    """A question with one right option; ``because`` is said when it was chosen, ``reading`` when not."""

    number: int
    concept: str
    text: str
    options: dict[str, Option]
    answer: str
    because: str
    reading: str


QUESTIONS: tuple[Question, ...] = (
    Question(
        number=1,
        concept="a derivative is a rate",
        text="f(3) = 10 and f′(3) = 2. Which number is the best estimate of f(3.1)?",
        options={
            "a": Option("10.02", "that moves by 0.01 times the rate; the step here is 0.1."),
            "b": Option("10.2"),
            "c": Option("12", "that adds the derivative itself; 2 is the change per unit of x, and x moved by 0.1."),
            "d": Option("10.1", "that moves f by as much as x moved; f moves 2 for every 1 of x."),
        },
        answer="b",
        because="rate times step, 2 × 0.1, on top of 10.",
        reading="Chapter 02 opens with this: derivative as sensitivity.",
    ),
    Question(
        number=2,
        concept="the power rule",
        text="f(x) = x³. What is the derivative f′(5)?",
        options={
            "a": Option("125", "that is the value f(5), not how fast f changes there."),
            "b": Option("15", "the exponent came down, but the power was lost: x³ gives 3x², not 3x."),
            "c": Option("75"),
            "d": Option("25", "the exponent came off but did not come down as a factor: 3x², not x²."),
        },
        answer="c",
        because="3x² at 5.",
        reading="Chapter 02, local derivatives, has the table of rules you need.",
    ),
    Question(
        number=3,
        concept="the chain rule",
        text="y = sin(x²). What is dy/dx?",
        options={
            "a": Option(
                "cos(x²)", "the outer derivative is right, but the inner function x² moves too: its rate is missing."
            ),
            "b": Option("cos(2x)", "the derivative went inside the cosine; rates multiply outside."),
            "c": Option("2x · cos(x²)"),
            "d": Option("2 · sin(x) · cos(x)", "that differentiates (sin x)²; here the square is inside."),
        },
        answer="c",
        because="outer rate cos(x²), times inner rate 2x.",
        reading="Chapter 01 shows why rates multiply, with euros and portions.",
    ),
    Question(
        number=4,
        concept="rates multiply along a chain",
        text=(
            "One euro buys 0.5 kg of flour. One kg of flour makes 4 portions. "
            "How many more portions does one more euro make?"
        ),
        options={
            "a": Option(
                "4.5", "the two rates were added; their units (kg per euro, portions per kg) do not allow that."
            ),
            "b": Option("8", "that divides 4 by 0.5; the kilograms cancel only in the product."),
            "c": Option("0.125", "that is upside down: euros and portions swapped places."),
            "d": Option("2"),
        },
        answer="d",
        because="0.5 kg per euro × 4 portions per kg: the kilograms cancel.",
        reading="Chapter 01 is built on exactly this.",
    ),
    Question(
        number=5,
        concept="the product rule",
        text="y(x) = x · g(x), where g(2) = 3 and g′(2) = 5. What is y′(2)?",
        options={
            "a": Option("13"),
            "b": Option("5", "that multiplies the two derivatives, 1 × 5; a product has two paths, and they add."),
            "c": Option("10", "that is one of two paths: x also enters through the factor in front."),
            "d": Option("3", "that is one of two paths: x also moves g."),
        },
        answer="a",
        because="x enters twice: 3 through the factor, 2 × 5 through g.",
        reading="Chapter 02, fan-out: a variable that is used twice.",
    ),
    Question(
        number=6,
        concept="paths add",
        text="u = 2x, v = 5x, z = u + v. What is dz/dx?",
        options={
            "a": Option("10", "2 and 5 lie side by side, not one behind the other: parallel paths add."),
            "b": Option("7"),
            "c": Option("5", "that keeps only the last path; the first one did not stop mattering."),
            "d": Option("3.5", "that averages the paths; each contributes in full."),
        },
        answer="b",
        because="two paths, 2 and 5, and both carry the change.",
        reading="Chapter 01, several ingredients; chapter 02, why gradients add.",
    ),
    Question(
        number=7,
        concept="partial derivatives",
        text="f(x, y) = x² · y. What is the partial derivative ∂f/∂y at x = 3, y = 2?",
        options={
            "a": Option("12", "that is ∂f/∂x: y was held fixed, and x moved."),
            "b": Option("21", "that adds both partial derivatives; ∂f/∂y moves y alone."),
            "c": Option("9"),
            "d": Option("18", "that is the value f(3, 2)."),
        },
        answer="c",
        because="x stays at 3, so f is 9 · y.",
        reading="Chapter 02, backward pass by hand.",
    ),
    Question(
        number=8,
        concept="what a zero derivative says",
        text="f′(5) = 0. Which of these must be true?",
        options={
            "a": Option("f is 0 at x = 5", "the rate is zero, which says nothing about the value."),
            "b": Option("f is lowest at x = 5", "it may as well be highest there, or neither: x³ at 0."),
            "c": Option("f is the same at every x", "one point says nothing about the others."),
            "d": Option("f changes much less than x very near x = 5"),
        },
        answer="d",
        because="to first order nothing changes; higher orders remain.",
        reading="Chapter 03 meets plateaus and saddles, where this matters.",
    ),
    Question(
        number=9,
        concept="minimum and maximum",
        text="y = min(a, b), the smaller of a and b. What are ∂y/∂a and ∂y/∂b at a = 2, b = 7?",
        options={
            "a": Option("1 and 0"),
            "b": Option("0 and 1", "the smaller one decides, and here that is a: a little more b changes nothing."),
            "c": Option("0.5 and 0.5", "the credit is not shared: a little more b changes nothing."),
            "d": Option("0 and 0", "y is 2 there and yet not constant: a little more a makes y larger."),
        },
        answer="a",
        because="a is the bottleneck; a little more of b changes nothing.",
        reading="Chapter 01, the limiting ingredient.",
    ),
    Question(
        number=10,
        concept="which way is downhill",
        text="L depends on w, and at the current w it has L′(w) = −4. Which small change of w makes L smaller?",
        options={
            "a": Option("an increase"),
            "b": Option("a decrease", "the minus sign is the slope's: L falls as w grows. Walk against the sign."),
            "c": Option(
                "none: the derivative is already negative", "negative means downhill to the right, not arrived."
            ),
            "d": Option("it depends on the value of L", "the slope alone says which way is down."),
        },
        answer="a",
        because="the slope is negative, so L falls as w grows.",
        reading="Chapter 03, two methods, one team.",
    ),
)
