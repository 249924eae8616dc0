"""Chapter 10, the backpropagation neural tree: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of real learners and of published code: the slope of the parent taken for one's own, a zero
edge that "gets no gradient", an input that is heard at one of its leaves only, copies that are averaged, an Adam whose
clock stands still, a score that is the best of many looks.
"""
