"""Chapter 06, training networks: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of published training code: updates before the error has gone through, slopes taken at the
pre-activation, a sign applied twice, biases left out, sums where means are meant, and the five patients of the clinic.
"""
