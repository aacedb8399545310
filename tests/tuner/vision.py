"""A two-layer Llava of random weights, made on the spot, and rows with images."""

import json
from pathlib import Path

from tuner.assets import TINY

TEMPLATE = (
    "{%- for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{%- for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{%- endfor %}{% endif %}<|im_end|>\n{%- endfor %}"
    "{%- if add_generation_prompt %}<|im_start|>assistant\n{%- endif %}"
)
SIDE, PATCH = 16, 8
COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}


def model_folder(folder: Path) -> Path:
    """The model and its processor."""
    from transformers import (
        AutoTokenizer,
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        set_seed,
    )

    words = AutoTokenizer.from_pretrained(TINY)
    words.add_tokens(["<image>"], special_tokens=True)
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ids = {"pad_token_id": words.pad_token_id, "eos_token_id": words.eos_token_id, "bos_token_id": None}
    text = LlamaConfig(vocab_size=len(words), max_position_embeddings=256, **layers, **ids)
    vision = CLIPVisionConfig(image_size=SIDE, patch_size=PATCH, projection_dim=32, **layers)
    image_id = words.convert_tokens_to_ids("<image>")
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=image_id, image_seq_length=4)
    set_seed(0)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    sizes = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}
    LlavaProcessor(
        image_processor=CLIPImageProcessorPil(**sizes),
        tokenizer=words,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        image_token="<image>",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    ).save_pretrained(folder)
    return folder


def rows_file(folder: Path, method: str) -> Path:
    """Questions about the color of an image, in the columns of a method; the images lie beside the file."""
    from PIL import Image

    folder.mkdir(parents=True)
    names = list(COLORS)
    rows = []
    for number in range(24):
        right, wrong = names[number % 4], names[(number + 1) % 4]
        Image.new("RGB", (SIDE, SIDE), COLORS[right]).save(folder / f"{number}.png")
        asked = {"role": "user", "content": f"What color is picture {number}?"}
        said, not_said = ({"role": "assistant", "content": color} for color in (right, wrong))
        answers = {
            "sft": {"prompt": [asked], "completion": [said]},
            "dpo": {"prompt": [asked], "chosen": [said], "rejected": [not_said]},
            "grpo": {"prompt": [asked], "answer": right},
        }
        rows.append({"images" if method == "dpo" else "image": f"{number}.png", **answers[method]})
        if method == "dpo":
            rows[-1]["images"] = [rows[-1]["images"]]
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
