"""Training crops: geometry first, on gray values and labels together; then what microscopes, cameras and dyes do to gray values.

A crop depends on its random generator alone, so step n of a training is the same however often the training was stopped and resumed.
"""
import numpy as np
from PIL import Image
from scipy import ndimage as nd
from skimage.measure import label

from common import targets

# Fields of small, crowded nuclei: how many px half of the nuclei have, and how much of the field they are to cover.
SMALL_AREA, COVER = (40, 150), (0.2, 0.65)


def log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def geometry(rng, gray, labels, patch, scale=None):
    """A square of `patch` px out of gray [h, w] and labels [h, w] at a scale (else a random one: 0.45, or what leaves little to mirror, to 2.2), aspect, quarter turn and mirror."""
    if scale is None:
        scale = 1.0 if rng.random() < 0.25 else log_uniform(rng, max(0.45, patch / (1.3 * min(gray.shape))), 2.2)
    aspect = log_uniform(rng, 0.85, 1.18) if rng.random() < 0.5 else 1.0
    sides = [max(8, round(patch / (scale * a))) for a in (aspect, 1 / aspect)]
    pad = [(0, max(0, side - s)) for side, s in zip(sides, gray.shape)]
    if any(p[1] for p in pad):
        gray, labels = np.pad(gray, pad, mode="symmetric"), np.pad(labels, pad, mode="symmetric")
    y, x = (rng.integers(0, s - side + 1) for s, side in zip(gray.shape, sides))
    a, b = gray[y : y + sides[0], x : x + sides[1]], labels[y : y + sides[0], x : x + sides[1]]
    if sides != [patch, patch]:
        a = np.asarray(Image.fromarray(a).resize((patch, patch), Image.BICUBIC if scale > 1 else Image.BOX if scale < 0.6 else Image.BILINEAR))
        b = np.asarray(Image.fromarray(b).resize((patch, patch), Image.NEAREST))
    turns = int(rng.integers(4))
    a, b = np.rot90(a, turns), np.rot90(b, turns)
    return (a[:, ::-1], b[:, ::-1]) if rng.random() < 0.5 else (a, b)


def crowd(rng, a, b, c, d, hidden=1.0):
    """Objects of a second crop (c, d) laid whole over the first (a, b), where they are brighter than what they hide, and no more than `hidden` of them lies on others: nuclei that touch and overlap."""
    c = c * rng.uniform(0.6, 1.2)
    ids = np.arange(1, d.max() + 1)
    lit = np.append(0, (nd.mean(c, d, ids) > nd.mean(a, d, ids)) & (nd.mean(b > 0, d, ids) <= hidden)) if len(ids) else np.zeros(1)
    over = lit[d] > 0
    return np.where(over, np.maximum(a, c), a), np.where(over, d + b.max() + 1, b)


def small_field(rng, gray, labels, patch):
    """A field full of small nuclei: the image so much smaller that half of its nuclei have SMALL_AREA px, nuclei of its other crops among them, and the haze of more that are out of focus."""
    area = np.bincount(labels.ravel())[1:]
    scale = np.clip((log_uniform(rng, *SMALL_AREA) / np.median(area[area > 0])) ** 0.5, 0.15, 2.2) if area.any() else 1.0

    def crop():
        a, b = geometry(rng, gray, labels, patch, scale)
        return a, label(b, connectivity=1)  # mirrored at the image's edge, an object comes in several pieces

    (a, b), cover = crop(), rng.uniform(*COVER)
    for _ in range(6):
        if (b > 0).mean() >= cover:
            break
        a, b = crowd(rng, a, b, *crop(), hidden=0.25)
        b = renumbered(b)
    if rng.random() < 0.5:
        a = a + rng.uniform(0.1, 0.6) * nd.gaussian_filter(crop()[0], rng.uniform(3, 10))
    return a, b


def wave(rng, side, cells):
    """A smooth field [side, side] in about -1..1 with `cells` bumps along a side."""
    coarse = rng.standard_normal((cells + 2, cells + 2)).astype(np.float32)
    field = np.asarray(Image.fromarray(coarse).resize((side, side), Image.BICUBIC))
    return field / (np.abs(field).max() + 1e-6)


def stains(rng, a, b):
    """Each nucleus brighter or dimmer than it was, by its own factor of 0.5 to 1.3."""
    gain = np.exp(rng.uniform(np.log(0.5), np.log(1.3), b.max() + 1)).astype(np.float32)
    gain[0] = 1
    ground = np.percentile(a[b == 0], 50) if (b == 0).any() else 0.0
    soft = nd.gaussian_filter(gain[b], 1.0)
    return ground + (a - ground) * soft


def gray_values(rng, a, b, blur=2.0):
    """What optics, cameras and dyes make of a crop; out of focus by a Gaussian of 0.3 to `blur` px."""
    side = a.shape[0]
    a = np.clip(a, 0, None).astype(np.float32)
    if rng.random() < 0.15:
        a = stains(rng, a, b)
    a = np.clip(a, 0, None) ** log_uniform(rng, 0.55, 1.8)
    if rng.random() < 0.2:  # texture inside nuclei
        a = a * (1 + rng.uniform(0.1, 0.4) * wave(rng, side, int(rng.integers(12, 40))))
    if rng.random() < 0.3:  # uneven light, haze
        a = a + rng.uniform(0.05, 0.3) * (0.5 + 0.5 * wave(rng, side, int(rng.integers(1, 4))))
    kind = rng.random()
    if kind < 0.35:
        a = nd.gaussian_filter(a, rng.uniform(0.3, blur))
    elif kind < 0.45:
        a = a + rng.uniform(0.5, 1.5) * (a - nd.gaussian_filter(a, 1.5))
    elif kind < 0.55:  # taken at a coarser resolution
        small = max(16, round(side / rng.uniform(1.5, 3)))
        a = np.asarray(Image.fromarray(a).resize((small, small), Image.BOX).resize((side, side), Image.BICUBIC))
    if rng.random() < 0.6:
        noise = rng.standard_normal(a.shape, np.float32) * rng.uniform(0, 0.1)
        if rng.random() < 0.3:
            noise = 2 * nd.gaussian_filter(noise, 0.8)
        if rng.random() < 0.5:
            noise = noise * np.sqrt(np.clip(a, 0.02, None))
        a = a + noise
    if rng.random() < 0.5:  # as the service would see this crop
        low, high = np.percentile(a, 1), np.percentile(a, 99.8)
        a = (a - low) / max(high - low, 0.15)
    a = a * rng.uniform(0.75, 1.25) + rng.uniform(-0.05, 0.05)
    return np.clip(a, 0, 1.5).astype(np.float32)


def renumbered(b):
    seen = np.bincount(b.ravel()) > 0
    seen[0] = True
    return (np.cumsum(seen) - 1)[b]


def filled(rng, gray, labels, patch, tries=3):
    """A crop with objects in it, where `tries` find one."""
    for _ in range(tries):
        a, b = geometry(rng, gray, labels, patch)
        if (b > 0).mean() > 0.01:
            break
    return a, renumbered(b)


def example(rng, gray, labels, patch, small=0.0):
    """x float32 [patch, patch], y int64 [patch, patch] (classes of `targets`); `small` is the share of fields of small, crowded nuclei."""
    if small and rng.random() < small:
        a, b = small_field(rng, gray, labels, patch)
        return gray_values(rng, a, b, blur=1.2), targets(b)
    a, b = filled(rng, gray, labels, patch)
    if rng.random() < 0.2:
        a, b = crowd(rng, a, b, *filled(rng, gray, labels, patch))
    b = renumbered(b)
    return gray_values(rng, a, b), targets(b)
