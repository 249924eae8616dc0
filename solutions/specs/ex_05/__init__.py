"""Chapter 05, tensor backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those that shapes do not catch, or catch only sometimes: formulas that fit square matrices, a
gradient that is not summed over its copies, an axis that comes back in the wrong place, an index that repeats.
"""
