"""TM Forum's door: TMF680 (recommendations) and, for outcomes, TMF683 (interactions). Requests are taken liberally, answers are strict.

`taking` reads a request into ours, `recommending` words our answer as theirs; `answering` gives errors their form.
"""
