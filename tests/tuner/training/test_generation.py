import pytest

from tuner.assets import TINY
from tuner.config.library_logging import quiet
from tuner.errors import SpecError
from tuner.training.generation import Question, Sample, exact_match, generate, questions


@pytest.fixture(scope="module")
def tiny():
    with quiet():
        from transformers import AutoModelForCausalLM, AutoTokenizer

        return AutoModelForCausalLM.from_pretrained(TINY, dtype="float32"), AutoTokenizer.from_pretrained(TINY)


ASKED = [
    Question([{"role": "user", "content": text}], "any answer that is not too short")
    for text in ("Hello!", "Repeat: red, green, blue, white, black", "Order: Anna wants two boxes of tea in Oslo.")
]


def test_answers_are_the_same_in_a_padded_batch_as_alone(tiny):
    together = generate(*tiny, ASKED)
    alone = [generate(*tiny, [question])[0] for question in ASKED]
    assert [sample.answer for sample in together] == [sample.answer for sample in alone]
    assert any(sample.answer for sample in together)


def test_answers_come_in_the_order_of_the_questions_over_several_batches(tiny):
    samples = generate(*tiny, ASKED * 2, batch_size=2)
    assert [sample.prompt for sample in samples[:3]] == [sample.prompt for sample in samples[3:]]
    assert "Hello!" in samples[0].prompt
    assert "tea" in samples[2].prompt


def test_a_model_that_answers_its_own_words_matches_them(tiny):
    answer = generate(*tiny, ASKED[:1])[0].answer
    again = generate(*tiny, [Question(ASKED[0].prompt, f" {answer}\n")])
    assert exact_match(again) == 1.0
    assert exact_match([*again, Sample("q", "a", "b")]) == 0.5


def test_generation_leaves_no_trace_in_the_model(tiny):
    model, tokenizer = tiny
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    generate(model, tokenizer, ASKED)
    assert all((weight == before[name]).all() for name, weight in model.named_parameters())


@pytest.mark.parametrize(
    ("row", "reference"),
    [
        ({"prompt": "q", "completion": "a"}, "a"),
        ({"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}]}, "a"),
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, "a"),
        ({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}, "a"),
    ],
)
def test_every_row_with_an_answer_is_a_question(row, reference):
    assert questions([row] * 3, 2) == [Question(row.get("prompt", row.get("messages", [None])[:1]), reference)] * 2


def test_plain_text_is_not_a_question():
    with pytest.raises(SpecError, match=r"study\.exact_match_rows: "):
        questions([{"text": "t"}], 1)
    assert questions([{"text": "t"}], 0) == []


def test_no_questions_match_nothing():
    assert exact_match([]) == 0.0


class Cramped:
    """The model on a device with room for so many answers at once; ``sizes`` are the batches it was asked."""

    def __init__(self, model, room):
        self.model, self.room, self.device, self.sizes = model, room, model.device, []

    def eval(self):
        self.model.eval()

    def generate(self, input_ids, **options):
        self.sizes.append(len(input_ids))
        if len(input_ids) > self.room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.model.generate(input_ids=input_ids, **options)


def test_where_memory_runs_out_fewer_are_answered_at_once(tiny):
    model, tokenizer = tiny
    cramped = Cramped(model, room=1)
    answers = [sample.answer for sample in generate(cramped, tokenizer, ASKED)]
    assert answers == [sample.answer for sample in generate(*tiny, ASKED)]
    assert cramped.sizes == [3, 1, 1, 1]
    with pytest.raises(RuntimeError, match="out of memory"):
        generate(Cramped(model, room=0), tokenizer, ASKED)
