"""Statistics of the images that a model was trained on: the `knows` of its card.

usage: statistics_of_images.py DATA [SPLIT] [KIND] [NOISE]
DATA: a folder with images/<id>.png and manifest.json ({id, split, kind}), as the training scripts take it; SPLIT: train;
KIND: fluorescence, or "" for all; NOISE: the most noise that the training added, as a standard deviation of v; 0.
Prints the `knows` object as JSON. Needs numpy and pillow.

The service measures each image in the same way (service/src/inference/statistics.ts) and warns where a value is outside.
"""

import json
import math
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


def roughness(steps, noise=0.0):
    """Mean of |step| once each pixel has normal noise: that of a folded normal distribution, whose deviation is of two pixels' noise."""
    if noise == 0 or not steps.size:
        return steps.mean() if steps.size else 0.0
    s = noise * math.sqrt(2)
    inside = np.vectorize(math.erf, otypes=[float])(steps / (s * math.sqrt(2)))
    return (s * math.sqrt(2 / math.pi) * np.exp(-((steps / s) ** 2) / 2) + steps * inside).mean()


def statistics(gray, noise=0.0):
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
        "roughness": roughness(steps, noise),
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


def main(data, split="train", kind="fluorescence", noise="0"):
    rows = json.loads((data / "manifest.json").read_text(encoding="utf-8"))
    wanted = [row for row in rows if row["split"] == split and kind in ("", row["kind"])]
    images = [gray(data / "images" / f"{row['id']}.png") for row in wanted]
    # The training saw each image with noise from none to the most.
    measured = [statistics(image, sigma) for image in images for sigma in {0.0, float(noise)}]
    print(json.dumps({"images": len(images), **ranges(measured)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
