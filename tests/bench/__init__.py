"""Speed, measured beside the tools that people use today: ``python -m tests.bench``.

A row (A to J) is one question with a goal. Every row runs envctl and its opponents in turn on the
same cluster, and is told as ratios: an absolute time says little on a machine that others use too.
"""
