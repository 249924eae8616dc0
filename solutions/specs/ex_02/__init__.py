"""Chapter 02, scalar backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those that real learners and published engines show: overwriting instead of adding, recursion
without an order, the incoming gradient ignored, tanh' taken at the input, a sum treated like a product.
"""
