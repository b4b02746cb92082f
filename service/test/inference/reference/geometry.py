"""Judges polygons of label images with scikit-image and OpenCV, which know nothing of segbench.

usage: geometry.py FOLDER
FOLDER/scenes.json: [{name, width, height, polygons: [{id, type, parentId, points, area, bbox}]}]; FOLDER/<index>.labels: int32, row by row.
Prints figures as JSON; what must hold exactly (objects, holes, areas and boxes of the pixels) is an AssertionError.

Cells are 4-connected and background is 8-connected, in scikit-image connectivity=1 for objects. OpenCV's findContours joins
objects across corners instead, so that its hierarchy counts the same holes only where no two pixels meet at a corner alone.
"""

import collections
import json
import sys
from pathlib import Path

import cv2
import numpy as np
from skimage.draw import polygon as fill_polygon
from skimage.measure import label, regionprops


def meets_at_corners(mask):
    a, b, c, d = mask[:-1, :-1], mask[:-1, 1:], mask[1:, :-1], mask[1:, 1:]
    return bool(np.any((a == d) & (b == c) & (a != b)))


def filled(rings, height, width):
    """The pixels whose centre is inside by the even-odd rule; a centre on an edge belongs to the side on its right.
    Rings reach at most to the last column but one, so that no crossing is past the end of its row."""
    ends = [(ring, np.roll(ring, -1, axis=0)) for ring in rings]
    x0, y0, x1, y1 = np.concatenate([np.hstack(pair) for pair in ends]).T
    first = np.ceil(np.minimum(y0, y1) - 0.5).astype(int)
    crossed = np.ceil(np.maximum(y0, y1) - 0.5).astype(int) - first
    edge = np.repeat(np.arange(len(x0)), crossed)
    rows = np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed, crossed) + first[edge]
    slope = (x1 - x0)[edge] / (y1 - y0)[edge]
    columns = np.ceil(x0[edge] + (rows + 0.5 - y0[edge]) * slope - 0.5).astype(int)
    toggled = np.bincount(rows * width + columns, minlength=height * width)[: height * width]
    return np.cumsum(toggled.reshape(height, width), axis=1) % 2 == 1


def drawn_by_skimage(rings, height, width):
    """The same with scikit-image's own fill, which decides otherwise on centres that lie on an edge."""
    mask = np.zeros((height, width), bool)
    for ring in rings:
        one = np.zeros_like(mask)
        one[fill_polygon(ring[:, 1] - 0.5, ring[:, 0] - 0.5, mask.shape)] = True
        mask ^= one
    return mask


def iou(a, b):
    return np.sum(a & b) / np.sum(a | b)


folder = Path(sys.argv[1])
counts = collections.Counter()
worst = {"iou": 1.0, "area": 0.0, "shoelace": 0.0, "skimageIou": 1.0}
sums = collections.Counter()
where = {}

for index, scene in enumerate(json.loads((folder / "scenes.json").read_text(encoding="utf-8"))):
    height, width = scene["height"], scene["width"]
    labels = np.fromfile(folder / f"{index}.labels", np.int32).reshape(height, width)
    pieces, total = label(labels, connectivity=1, background=0, return_num=True)
    cells = [p for p in scene["polygons"] if p["type"] == "external"]
    holes = collections.defaultdict(list)
    for polygon in scene["polygons"]:
        if polygon["type"] == "internal":
            holes[polygon["parentId"]].append(polygon)
    assert len(cells) == total, (scene["name"], len(cells), total)
    assert sum(map(len, holes.values())) == len(scene["polygons"]) - total, scene["name"]
    # Both number objects in the order of their first pixel.
    for region, cell in zip(regionprops(pieces), cells):
        name = f"{scene['name']}, cell {cell['id']}"
        top, left, bottom, right = region.bbox
        assert cell["bbox"] == [left, top, right - left, bottom - top], name
        assert cell["area"] == region.area, (name, cell["area"], region.area)
        inner = holes[cell["id"]]
        mask = np.pad(pieces[top:bottom, left:right] == region.label, 1)
        background, found = label(~mask, connectivity=2, return_num=True)
        assert len(inner) == found - 1, (name, len(inner), found - 1)
        open_areas = sorted(np.bincount(background.ravel())[1:])
        open_areas.remove(np.bincount(background.ravel())[background[0, 0]])
        assert sorted(hole["area"] for hole in inner) == open_areas, name
        if not meets_at_corners(mask):
            _, hierarchy = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            parents = hierarchy[0][:, 3]
            assert (np.sum(parents < 0), np.sum(parents >= 0)) == (1, len(inner)), name
            assert 1 - len(inner) == region.euler_number, name
            counts["opencv"] += 1
        rings = [np.reshape(p["points"], (-1, 2)).astype(float) - (left - 1, top - 1) for p in [cell, *inner]]
        ours = filled(rings, *mask.shape)
        signed = [np.sum(r[:, 0] * np.roll(r[:, 1], -1) - np.roll(r[:, 0], -1) * r[:, 1]) / 2 for r in rings]
        measured = {
            "iou": iou(mask, ours),
            "area": abs(int(np.sum(ours)) - region.area) / region.area,
            "shoelace": abs(abs(signed[0]) - sum(map(abs, signed[1:])) - region.area) / region.area,
            "skimageIou": iou(mask, drawn_by_skimage(rings, *mask.shape)),
        }
        if region.area < 100:
            measured.pop("skimageIou")
        else:
            counts["large"] += 1
        for key, value in measured.items():
            sums[key] += value
            if (value < worst[key]) if key in ("iou", "skimageIou") else (value > worst[key]):
                worst[key], where[key] = float(value), f"{name}: {value:.4f} of {region.area} px"
        counts["corners"] += sum(map(len, rings))
        counts["holes"] += len(inner)
        counts["cells"] += 1
    counts["scenes"] += 1

means = {key: float(value / counts["large" if key == "skimageIou" else "cells"]) for key, value in sums.items()}
print(json.dumps({**counts, "worst": worst, "means": means, "where": where}))
