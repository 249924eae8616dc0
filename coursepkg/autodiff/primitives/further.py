"""What few models use: these rooms enter the table when one of their functions is called (see ``dispatch.call``)."""

from . import arranging, decompositions, fourier, remainders, signal, stacks, statistics

__all__ = ["arranging", "decompositions", "fourier", "remainders", "signal", "stacks", "statistics"]
