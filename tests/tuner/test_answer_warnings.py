from types import SimpleNamespace

import pytest

from diagnostics.messages import text
from tuner.config.answer_warnings import answer_warnings, greedy, out_of_balance


@pytest.mark.parametrize(
    ("wanted", "unwanted", "weights", "knob"),
    [
        (400, 300, (1.0, 1.0), None),
        (401, 300, (1.0, 1.0), "undesirable_weight"),
        (300, 400, (1.0, 1.0), None),
        (300, 401, (1.0, 1.0), "desirable_weight"),
        (900, 100, (1.0, 8.0), None),
        (900, 100, (1.0, 1.0), "undesirable_weight"),
        (900, 0, (1.0, 1.0), None),
    ],
)
def test_one_weight_mends_answers_out_of_balance(wanted, unwanted, weights, knob):
    labels = [True] * wanted + [False] * unwanted
    found = out_of_balance(labels, *weights)
    assert (found.values["knob"] if found else None) == knob
    if found:
        for weight in (found.values["low"], found.values["high"]):
            mended = (weights[0], weight) if knob == "undesirable_weight" else (weight, weights[1])
            assert out_of_balance(labels, *(round(one, 6) for one in mended)) is None
        assert "\n" not in text(found)


def test_answers_sampled_all_alike_are_named():
    assert greedy(1.0, 0) is greedy(0.1, 50) is greedy(None, None) is None
    assert greedy(1.0, 1).values["knob"] == "top_k"
    assert greedy(0.09, 0).values == {"knob": "temperature", "value": 0.09}


class Rows(dict):
    @property
    def column_names(self):
        return list(self)


def test_each_method_is_asked_what_it_has():
    sampled = SimpleNamespace(temperature=0.01, top_k=0)
    weighed = SimpleNamespace(loss_type="kto", desirable_weight=1.0, undesirable_weight=1.0)
    rows = Rows(label=[True] * 9 + [False])
    assert [one.code for one in answer_warnings("grpo", sampled, Rows())] == ["answers-sampled-greedily"]
    assert [one.code for one in answer_warnings("kto", weighed, rows)] == ["answers-out-of-balance"]
    alike = answer_warnings("kto", weighed, Rows(label=[False] * 9))
    assert [(one.code, dict(one.values)) for one in alike] == [("answers-of-one-kind", {"count": 9, "label": "false"})]
    weighed.loss_type = "apo_zero_unpaired"
    assert list(answer_warnings("kto", weighed, rows)) == []
    assert list(answer_warnings("sft", SimpleNamespace(), Rows())) == []
