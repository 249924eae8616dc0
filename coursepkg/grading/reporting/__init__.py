"""What goes out of grading: class report, feedback for each learner, marks for other systems, marking by hand.

All of it reads the files that ``grade batch`` left and never runs a submission. Names, messages and ids were written by
learners or by their code, so pages escape everything and spreadsheets never get a formula.
"""
