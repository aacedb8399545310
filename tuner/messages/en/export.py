"""What ``tuner export`` says of each part, and the words of a model card."""

from __future__ import annotations

from collections.abc import Mapping

EXPORTS: Mapping[str, str] = {
    "export-checked": "{part}: {same} of {asked} held-out answers are the same, {alike} begin alike; exact match "
    "{before:percent} before, {after:percent} after",
    "export-tokens-differ": "{part}: its tokenizer splits {apart} of {asked} held-out questions differently when read "
    "here; {same:plural:answer is|answers are} the same, {alike} begin alike",
    "export-not-asked": "{part}: made and not checked, because the run left no held-out questions",
    "export-not-loaded": "{part}: made and not checked, because it cannot be loaded here: {why}",
    "export-no-converter": "{part}: not made, because {program} of llama.cpp is not installed; put it on the path, or "
    "clone https://github.com/ggml-org/llama.cpp and name the folder in the variable {variable}",
    "export-not-converted": "{part}: not made: {why}",
    "export-modelfile": "ollama: Modelfile for {weights}, with the chat template",
    "export-modelfile-plain": "ollama: Modelfile for {weights}; its chat template has no equivalent, so Ollama takes "
    "one that it knows",
    "export-no-ollama": "ollama: not installed here; where it is: ollama create {name} -f ollama/Modelfile",
    "export-ollama-failed": "ollama: the model was not created: {why}",
    "export-ollama-created": "ollama: created; ollama run {name}",
    "export-vllm-adapter": "vllm: {script} serves the adapter with a maximum rank of {rank}",
    "export-vllm-merged": "vllm: {script} serves the merged model, because vLLM takes no such adapter",
    "export-card": "card: README.md; add the license before you publish it",
}
"""What became of each part."""

CARD: Mapping[str, str] = {
    "about": "{kind} of {base}, trained with {method} on {data} by curvetuner.",
    "adapter": "LoRA fine-tuning",
    "full": "Full fine-tuning",
    "unknown": "unnamed data",
    "results": "Results",
    "settings": "Settings",
    "checks": "Checks of the exported files",
    "setting": "setting",
    "value": "value",
    "verdict": "The curves of this run: {label} (confidence {confidence:.2f}).",
    "no-base": "What the base model is called on the hub is not known: where it has a name, add a line `base_model:` "
    "at the top.",
    "license": "The license of this model is not stated here. Whoever publishes it chooses one that the base model and "
    "the data allow.",
}
"""The words of a model card."""
