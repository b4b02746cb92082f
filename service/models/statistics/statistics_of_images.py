"""Statistics of the images that a model was trained on: the `knows` of its card.

usage: statistics_of_images.py DATA [SPLIT] [KIND]
DATA: a folder with images/<id>.png and manifest.json ({id, split, kind}), as the training scripts take it; SPLIT: train;
KIND: fluorescence, or "" for all. Prints the `knows` object as JSON. Needs numpy and pillow.

The service measures each image in the same way (service/src/inference/statistics.ts) and warns where a value is outside.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

# Each range is widened by this part of itself on both sides: a few hundred images do not hold every image of their kind.
MARGIN = 0.2
ROWS = 4


def gray(path):
    """The image as one gray plane, as the training saw it."""
    return np.asarray(Image.open(path).convert("L"))


def statistics(gray):
    """gray [h, w], any number type → {name: value}; v is the image as the model sees it, every fourth row of it."""
    gray = np.asarray(gray, float)
    low, high = np.percentile(gray, 1), np.percentile(gray, 99.8)
    rows = gray[::ROWS]
    v = np.clip((rows - low) / (high - low + 1e-3), 0, 1.5)
    centred = v - v.mean()
    skewness = (centred**3).mean() / max(centred.std() ** 3, 1e-6)
    steps = np.abs(np.diff(v, axis=1))
    return {
        # Part of the used range between the percentiles: 0 for a blank image, small where few pixels are bright.
        "contrast": (high - low) / (rows.max() - rows.min() + 1e-3),
        "mean": v.mean(),
        # Share of pixels past the middle.
        "bright": (v > 0.5).mean(),
        # Below 0: dark things on a bright ground. Brought into -1..1, so that a field with a single cell is near others.
        "skewness": skewness / (1 + abs(skewness)),
        # Mean step between neighbours in a row: high for noise, low for what is out of focus.
        "roughness": steps.mean() if steps.size else 0.0,
    }


def ranges(measured):
    """[{name: value}] → {name: [least, most]}, widened."""
    out = {}
    for name in measured[0]:
        values = [one[name] for one in measured]
        least, most = min(values), max(values)
        margin = MARGIN * (most - least)
        out[name] = [round(float(least - margin), 4), round(float(most + margin), 4)]
    return out


def main(data, split="train", kind="fluorescence"):
    rows = json.loads((data / "manifest.json").read_text(encoding="utf-8"))
    wanted = [row for row in rows if row["split"] == split and kind in ("", row["kind"])]
    measured = [statistics(gray(data / "images" / f"{row['id']}.png")) for row in wanted]
    print(json.dumps({"images": len(measured), **ranges(measured)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
