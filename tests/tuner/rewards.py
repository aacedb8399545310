"""Rewards for tests that really train."""


def length(completions, **kwargs):
    """The characters of an answer: no two are alike for long."""
    return [float(len(one[0]["content"])) for one in completions]


def right(completions, answer, **kwargs):
    """Whether the answer is the row's own."""
    return [float(one[0]["content"].strip() == wanted) for one, wanted in zip(completions, answer, strict=True)]
