"""What the benchmark of several workers says of times and winners."""

from benchmarks.workers import Took, is_as_good, share_of_time


def study(workers: int, seconds: float, *values: float) -> Took:
    return Took(workers, seconds, 12, values)


def test_the_median_round_is_compared():
    one = [study(1, 150.0), study(1, 160.0), study(1, 600.0)]
    assert share_of_time(one, [study(2, 80.0), study(2, 96.0), study(2, 90.0)]) == 90 / 160


def test_a_winner_is_worse_only_beyond_the_noise_of_its_seeds():
    one = [study(1, 1.0, 0.020, 0.024, 0.028)]
    assert is_as_good(one, [study(2, 1.0, 0.024, 0.028, 0.030)])
    assert is_as_good(one, [study(2, 1.0, 0.010, 0.011, 0.012)])
    assert not is_as_good(one, [study(2, 1.0, 0.050, 0.051, 0.052)])
