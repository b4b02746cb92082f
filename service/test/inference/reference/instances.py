"""Instances from probabilities with scipy and scikit-image, pixel by pixel against given labels.

usage: instances.py FOLDER
FOLDER/scenes.json: [{name, width, height, threshold, seedThreshold, detectHoles}]; FOLDER/<index>.{interior,foreground}: float32,
.labels: int32, row by row. Prints {images, cells, pixels, different} as JSON.
"""

import collections
import json
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

MIN_SEED, MIN_CELL, MIN_HOLE = 5, 20, 8


def without_small(labels, least):
    sizes = np.bincount(labels.ravel())
    return np.where(sizes[labels] < least, 0, labels)


def instances(interior, foreground, scene):
    mask = foreground > scene["threshold"]
    if scene["detectHoles"]:
        holes, _ = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
        mask |= (holes > 0) & (np.bincount(holes.ravel())[holes] < MIN_HOLE)
    else:
        mask = ndimage.binary_fill_holes(mask)
    seeds, _ = ndimage.label(interior > scene["seedThreshold"])
    return without_small(watershed(-interior, without_small(seeds, MIN_SEED), mask=mask), MIN_CELL)


folder = Path(sys.argv[1])
found = collections.Counter()
for index, scene in enumerate(json.loads((folder / "scenes.json").read_text(encoding="utf-8"))):
    shape = scene["height"], scene["width"]
    # As doubles: numpy would round a threshold of 0.3 to float32 before it compares.
    read = lambda name, dtype: np.fromfile(folder / f"{index}.{name}", dtype).reshape(shape).astype(float)  # noqa: E731
    theirs = read("labels", np.int32).astype(int)
    ours = instances(read("interior", np.float32), read("foreground", np.float32), scene)
    # Labels are names only: each of ours goes to the one of theirs that it shares most pixels with.
    names = {}
    for (mine, other), pixels in sorted(collections.Counter(zip(ours.ravel(), theirs.ravel())).items(), key=lambda e: e[1]):
        names[mine] = other
    names[0] = 0
    renamed = np.vectorize(names.get, otypes=[int])(ours)
    assert len(np.unique(ours)) == len(np.unique(theirs)), (scene["name"], len(np.unique(ours)), len(np.unique(theirs)))
    found["cells"] += len(np.unique(theirs)) - 1
    found["different"] += int(np.sum(renamed != theirs))
    found["pixels"] += ours.size
    found["images"] += 1
print(json.dumps(found))
