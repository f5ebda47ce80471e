#!/usr/bin/env python3
"""Writes one recipe a row of transfer_configs.csv, the hyper-parameters that were published for each task and
resolution. Without an argument beside itself, else into that folder. Rows that are no transfer by this recipe are
left out: an evaluation without training, and plain gradient descent."""
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
        return {f"{row['config']}_{row['resolution']}.yaml": recipe(row) for row in csv.DictReader(table)
                if row["config"] not in LEFT_OUT}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, text in recipes().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
