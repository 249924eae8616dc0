"""Chapter 09, the forward gradient: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of real learners and of published code: a slope taken for a gradient, the loss in place of the
slope, a direction scaled to length one, a relu that looks at the tangent, "unbiased means exact", a cost that counts
passes in place of products, one slope for a whole batch.
"""
