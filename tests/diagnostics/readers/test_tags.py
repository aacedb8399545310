from __future__ import annotations

import pytest

from diagnostics.model.curves import Run
from diagnostics.model.settings import Settings
from diagnostics.readers.assemble.settings import recovered
from diagnostics.readers.assemble.tags import curve_names, match


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        (
            "train_loss",
            "loss train/loss train_loss Loss/train Train/Loss trainLoss training_loss epoch_loss batch_loss",
        ),
        ("train_loss", "train_loss_step train_loss_epoch train/epoch_loss avg_loss train.loss Training|Loss"),
        (
            "eval_loss",
            "eval/loss eval_loss val_loss Loss/val Loss/valid Loss/test validation/epoch_loss valLoss valid.loss",
        ),
        ("eval_loss", "val_loss_epoch test_loss dev/loss eval/wiki_loss Validation|Loss"),
        ("train_loss", "train/mse_loss train_ce_loss lm|loss CrossEntropyLoss/train train_epoch_mse_loss"),
        ("eval_loss", "val/mse_loss val_ce_loss CrossEntropyLoss/val eval/lm|loss"),
        (
            "train_loss",
            "ema_loss loss_ema train_loss_ema train/running_loss loss_running_mean moving_avg_loss smoothed_loss",
        ),
        ("train_loss", "ppl perplexity train_ppl train/perplexity_epoch Training|Perplexity batch_ppl"),
        ("eval_loss", "val_ppl eval/perplexity valid.ppl test_perplexity"),
        ("learning_rate", "lr train/lr learning_rate lr-AdamW lr-AdamW/pg1 lr_group_0 train/learning_rate"),
        ("grad_norm", "grad_norm train/grad_norm gradient_norm grad_2.0_norm_total"),
        ("rewards_margins", "rewards/margins train/rewards/margins rewards_margins"),
        ("eval_rewards_accuracies", "eval/rewards/accuracies eval_rewards/accuracies"),
        ("logps_chosen", "logps/chosen log_probs/chosen train/logps/chosen"),
        ("mean_token_accuracy", "mean_token_accuracy train/mean_token_accuracy token_acc"),
        ("num_tokens", "num_input_tokens_seen train/num_input_tokens_seen"),
        ("eval_exact_match", "eval/exact_match eval_exact_match"),
        ("epoch", "epoch train/epoch"),
        ("reward", "reward train/reward critic/rewards/mean critic/score/mean"),
        ("completion_length", "completion_length completions/mean_length train/completions/mean_length"),
        ("completion_length", "response_length/mean train/mean_gen_tokens_per_sample"),
        ("clipped_ratio", "completions/clipped_ratio train/completions/clipped_ratio response_length/clip_ratio"),
        ("eval_clipped_ratio", "eval/completions/clipped_ratio eval_completions/clipped_ratio"),
        ("terminated_length", "completions/mean_terminated_length"),
        ("clip_ratio", "clip_ratio clip_ratio/region_mean actor/pg_clipfrac"),
        ("sampler_gap", "sampling/sampling_logp_difference/mean"),
        ("importance_ratio", "sampling/importance_sampling_ratio/mean"),
        ("entropy", "entropy actor/entropy train/approx_entropy"),
        ("frac_reward_zero_std", "frac_reward_zero_std train/frac_reward_zero_std"),
    ],
)
def test_tags_of_common_loggers_are_known(name: str, tags: str):
    found = {tag: match(tag.replace("|", " ")) for tag in tags.split()}
    assert {tag: one and one.name for tag, one in found.items()} == dict.fromkeys(found, name)


OTHERS = (
    "accuracy train/total_flos train_runtime eval/runtime lr-AdamW-momentum loss_scale nll_loss eval/nll_loss "
    "eval/samples_per_second train/train_runtime kl loss/aux train/l2_loss kl_loss ce system/gpu.0.temp"
)


def test_an_average_of_the_loss_is_taken_beside_a_held_out_loss_only_where_the_loss_itself_is_not_logged():
    assert curve_names({"ema_loss": 9, "val_loss": 3}) == {"ema_loss": "train_loss", "val_loss": "eval_loss"}
    assert curve_names({"loss": 9, "loss_ema": 9})["loss_ema"] == "loss_ema"
    assert curve_names({"raw_loss": 9, "running_loss": 9})["raw_loss"] == "train_loss"


def test_a_perplexity_stands_for_a_loss_that_the_log_lacks():
    assert curve_names({"train/ppl": 9, "val/ppl": 3}) == {"train/ppl": "train_loss", "val/ppl": "eval_loss"}
    assert curve_names({"loss": 9, "ppl": 9, "val_ppl": 3}) == {
        "loss": "train_loss",
        "ppl": "ppl",
        "val_ppl": "eval_loss",
    }


@pytest.mark.parametrize("losses", [("recon_loss", "vq_loss"), ("eval_loss",), ("train/contrastive_loss",)])
def test_a_perplexity_of_a_codebook_or_of_unnamed_rows_beside_a_held_out_loss_is_none(losses: tuple[str, ...]):
    assert curve_names(dict.fromkeys((*losses, "perplexity"), 9))["perplexity"] == "perplexity"


@pytest.mark.parametrize("tag", OTHERS.split())
def test_other_tags_are_left_alone(tag: str):
    assert match(tag) is None
    assert curve_names({tag: 5}) == {tag: tag}


def test_the_plainest_of_several_tags_is_taken():
    found = curve_names({"train_loss_epoch": 3, "train_loss_step": 40, "val_loss_step": 90, "val_loss_epoch": 3})
    assert found["train_loss_step"] == "train_loss"
    assert found["val_loss_epoch"] == "eval_loss"
    assert found["train_loss_epoch"] == "train_loss_epoch"
    assert curve_names({"Loss/test": 9, "Loss/val": 3})["Loss/val"] == "eval_loss"
    assert curve_names({"loss": 9, "train/loss": 9})["train/loss"] == "train_loss"
    assert curve_names({"train/ce_loss": 9, "train/loss": 9})["train/loss"] == "train_loss"


def test_the_mean_over_the_run_is_a_curve_only_when_it_has_points():
    assert curve_names({"train/train_loss": 1, "train/loss": 50}) == {
        "train/train_loss": "train/train_loss",
        "train/loss": "train_loss",
    }
    assert curve_names({"train/train_loss": 1}) == {"train/train_loss": "train/train_loss"}
    assert curve_names({"train/train_loss": 50}) == {"train/train_loss": "train_loss"}


def test_no_two_tags_share_a_curve():
    points = dict.fromkeys(["train_loss", "loss", "train/loss", "Loss/train", "eval_loss", "val_loss", "Loss/val"], 5)
    names = curve_names(points, {"train_loss": "Loss/val"})
    assert names["Loss/val"] == "train_loss"
    assert names["train_loss"] == "log/train_loss"
    assert len(set(names.values())) == len(points)


OWN = {
    "grpo": {"kl": "kl_divergence", "actor/kl_loss": "kl_divergence"},
    "kto": {"kl": "kl_divergence"},
    "orpo": {"nll_loss": "chosen_nll", "sft_loss": "chosen_nll"},
    "reward": {"accuracy": "rewards_accuracies", "margin": "rewards_margins"},
}


@pytest.mark.parametrize("method", OWN)
def test_tags_that_mean_other_things_elsewhere_get_their_names_once_the_method_is_known(method: str):
    for tag, name in OWN[method].items():
        points = {tag: [(1, 0.1), (2, 0.2)], f"eval_{tag}": [(2, 0.3)]}
        known = Run.from_points("known", points, Settings(method=method))
        assert set(known.curves) == {name, f"eval_{name}"}
        assert set(Run.from_points("unknown", points).curves) == set(points)
        assert known.curve(f"eval_{name}").values[0] == 0.3


def test_the_settings_of_a_run_that_learns_from_rewards_are_known_by_other_names():
    options = {"method": "grpo", "data": {"max_response_length": 1024}, "num_generations_per_prompt": 16}
    options |= {"temperature": 0.7, "epsilon_high": 0.28, "scale_rewards": "batch", "num_iterations": 2}
    found, _ = recovered(options, {})
    known = {"num_generations": 16, "max_completion_length": 1024, "temperature": 0.7, "epsilon_high": 0.28}
    assert known.items() <= found.known().items()
    assert (found.scale_rewards, found.num_iterations) == ("batch", 2)
