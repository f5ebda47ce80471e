#!/usr/bin/env python3
"""Writes one recipe a row of transfer_configs.csv, the hyper-parameters that were published for each task and
resolution, and those of the stages before a transfer. Without an argument beside itself, else into that folder. Rows
that are no transfer by this recipe are left out: an evaluation without training, and plain gradient descent."""
import csv
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LEFT_OUT = {"pope (eval-only)", "vertexai_l4"}
# Frames and the step from one to the next (big_vision/configs/proj/paligemma/transfers).
VIDEOS = {"msrvtt_cap": (16, 9), "msrvtt_qa": (16, 9), "activitynet_cap": (16, 30), "activitynet_qa": (16, 70),
          "vatex_cap": (16, 7), "msvd_qa": (8, 26)}
RESIZE = {"AA bilinear": "bv-bilinear-aa", "non-AA bilinear": "bv-bilinear",
          "video_decode (bilinear, no AA, float)": "bv-video-float"}


# Stages 1 and 2 (arXiv 2407.07726, 3.2.2 and 3.2.3): pictures' side, examples, longest text, and the steps of stages before.
STAGES = {"stage1_224": (224, 1_000_000_000, 128, 0), "stage2_448": (448, 50_000_000, 512, 122_070),
          "stage2_896": (896, 10_000_000, 512, 128_174)}
STAGE_BATCH = 8192


def stage(name):
    side, examples, text, shift = STAGES[name]
    first = name.startswith("stage1")
    lines = [f"# Stage {name[5]} of PaliGemma at {side} (arXiv 2407.07726, 3.2.{2 if first else 3}): a mixture of tasks, everything trained.",
             "# Begin with " + ("what `palisade model join` wrote" if first else f"the model of {'stage1_224' if side == 448 else 'stage2_448'}")
             + "; name the mixture with --mixture.",
             "# Published: resolution, examples, text_length, the rsqrt course through all stages, f32. learning_rate is that of",
             "# arXiv 2412.03555, section 3, which halves it for PaliGemma 2 3B and takes a quarter for 10B and 28B.",
             "# Not published, and chosen here: batch_size, warmup, image_warmup" + (", timescale." if first else ", timescale; schedule_shift is the steps before."),
             f"resolution: {side}",
             f"examples: {examples}",
             "learning_rate: 2e-05",
             "schedule: rsqrt",
             "timescale: 10000"]
    lines += [f"schedule_shift: {shift}"] if shift else []
    return "\n".join([*lines,
                      f"warmup: {0.02 if first else 0.01}",
                      f"image_warmup: {0.1 if first else 0.02}",
                      "freeze_vit: false",
                      "parts: all",
                      f"batch_size: {STAGE_BATCH}",
                      f"text_length: {text}",
                      "checkpoint_minutes: 30"]) + "\n"


def recipe(row):
    beams = re.search(r"beam (\d+)", row["evaluator_decode"])
    seen = row["epochs_or_examples"]
    lines = [f"# {row['config']} at {row['resolution']}, as published (transfer_configs.csv): {row['published']}",
             f"# prefix: {row['prefix']}",
             f"# suffix: {row['target']}",
             f"resolution: {row['resolution']}",
             f"examples: {seen.removesuffix(' ex').replace(',', '')}" if seen.endswith(" ex") else f"epochs: {seen}",
             f"learning_rate: {row['learning_rate']}",
             f"label_smoothing: {row['label_smoothing']}",
             f"llm_dropout: {row['llm_dropout']}",
             f"weight_decay: {row['weight_decay']}",
             f"freeze_vit: {'true' if row['freeze_vit'] == 'yes' else 'false'}",
             f"beams: {beams[1] if beams else 1}",
             f"batch_size: {row['batch_size']}",
             f"text_length: {row['text_len']}",
             f"resize: {RESIZE[row['resize']]}"]
    if row["config"] in VIDEOS:
        frames, step = VIDEOS[row["config"]]
        lines += [f"frames: {frames}", f"frame_step: {step}", "examples_at_once: 1"]
    return "\n".join(lines) + "\n"


def recipes():
    """File name to text."""
    with open(HERE / "transfer_configs.csv", newline="", encoding="utf-8") as table:
        transfers = {f"{row['config']}_{row['resolution']}.yaml": recipe(row) for row in csv.DictReader(table)
                     if row["config"] not in LEFT_OUT}
    return transfers | {f"{name}.yaml": stage(name) for name in STAGES}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, text in recipes().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
