"""Chapter 04, vector backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those that tests with a cotangent of ones, square matrices or small logits let through: the incoming
gradient ignored, a Jacobian taken for its diagonal, a matrix not transposed, an exponential that overflows.
"""
