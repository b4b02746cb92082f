"""python outside.py OUT [--s-bsst265 DIR] [--dsb-stage1-test DIR] [--aitslab DIR] [--neubias DIR]: fluorescence images of other sources, for `train.py --outside OUT`.

| option            | source                                                                                                  | licence   | what DIR has                                      |
| ----------------- | ------------------------------------------------------------------------------------------------------- | --------- | ------------------------------------------------- |
| --s-bsst265       | BioStudies S-BSST265 (Kromp 2020, doi:10.1038/s41597-020-00608-w)                                       | CC0       | rawimages, groundtruth, image_description.csv     |
| --dsb-stage1-test | BBBC038, stage 1 test                                                                                   | CC0       | stage1_test, stage1_solution.csv                  |
| --aitslab         | Aitslab-bioimaging1 (Arvidsson 2022, doi:10.1016/j.dib.2022.108769), as in github.com/Aitslab/imageanalysis | CC-BY 4.0 | normalized_nuclei/*.png, annotation_nuclei/*.mat  |
| --neubias         | github.com/NEUBIAS/training-resources, image_data                                                       | CC-BY 4.0 | image_data                                        |

Images are made smaller where half of their nuclei have more than 700 px, to that. Labels of less than a twelfth of the median area (debris, fragments) become background.
Of the stage 1 test those fields are taken that resemble no field of splits `val` and `test` of the training set (nearest by features, and by eye): both stay of other kinds than the training.
"""
import argparse
import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import loadmat

MEDIAN_AREA, DEBRIS = 700, 12
STAGE_1_TEST = """0114f484a16c152b 0999dab07b11bc85 0a849e0eb15faa8a 0e132f71c8b4875c 1747f62148a919c8 1879f4f4f05e2bad 191b2b2205f2f5cc 1cdbfee1951356e7 295682d9eb5acb5c
31f1fbe85b889925 336d3e4105766f8a 38f5cfb55fc8b048 4be73d68f4338691 4f949bd8d914bbfa 505bc0a3928d8aef 519dc0d672d1c295 53df5150ee56253f 5cee644e5ffbef1b 697a05c6fe4a07c6
7bdb668e6127b7ea 7f4cbe0b36b5d094 8922a6ac8fd0258e 9ab2d381f90b485a ab298b962a63e4be d6eb7ce7723e2f6d dab46d798d29aff2 e17b7aedd251a016 eea70a7948d25a9a fe9adb627a6f4574""".split()
NEUBIAS = {"PLK1_control": ("xy_8bit__nuclei_PLK1_control.tif", "xy_8bit_labels__noisy_nuclei.tif", 0),
           "watershed": ("watershed/xyc_16bit__nuclei_tubulin.tif", "watershed/xy_8bit_labels__nuclei.tif", 1)}


def gray_of(path, page=0):
    """uint8 [h, w]: the brightest of several channels; of 16 bits what lies between the lowest value and the 99.9th percentile."""
    image = Image.open(path)
    image.seek(page)
    a = np.asarray(image)
    a = a[..., :3].max(-1) if a.ndim == 3 else a
    if a.dtype == np.uint8:
        return a
    low, high = a.min(), np.percentile(a, 99.9)
    return (np.clip((a.astype(np.float32) - low) / max(high - low, 1e-6), 0, 1) * 255 + 0.5).astype(np.uint8)


def runs(shape, codes):
    """Labels [h, w] of run-length codes: start and length in turn, from 1, down the columns."""
    flat = np.zeros(shape[0] * shape[1], np.int32)
    for number, code in enumerate(codes, 1):
        of = np.array(code.split(), int)
        for start, length in zip(of[::2] - 1, of[1::2]):
            part = flat[start : start + length]
            part[part == 0] = number
    return flat.reshape(shape, order="F")


def s_bsst265(folder):
    with (folder / "image_description.csv").open(encoding="latin1") as file:
        told = {row[0]: row for row in csv.reader(file, delimiter=";")}
    for path in sorted((folder / "rawimages").glob("*.tif")):
        of = told.get(path.stem, [path.stem, *"?" * 9])
        yield path.stem, ", ".join([of[1], of[2], of[5], f"{of[6]} {of[7]}"]), gray_of(path), np.asarray(Image.open(folder / "groundtruth" / path.name))


def dsb_stage1_test(folder):
    codes = {}
    with (folder / "stage1_solution.csv").open() as file:
        for row in csv.DictReader(file):
            codes.setdefault(row["ImageId"], []).append(row["EncodedPixels"])
    for name in sorted(codes):
        if name[:16] in STAGE_1_TEST:
            gray = gray_of(folder / "stage1_test" / name / "images" / f"{name}.png")
            yield name[:16], f"{gray.shape[1]} x {gray.shape[0]}", gray, runs(gray.shape, codes[name])


def aitslab(folder):
    for path in sorted((folder / "annotation_nuclei").glob("*.mat")):
        yield path.stem, "", gray_of(folder / "normalized_nuclei" / f"{path.stem}.png"), loadmat(path)["inst_map"]


def neubias(folder):
    for name, (image, labels, page) in NEUBIAS.items():
        labels = np.asarray(Image.open(folder / labels)).astype(np.int32)
        yield name, "", gray_of(folder / image, page), np.where(np.bincount(labels.ravel())[labels] < 12, 0, labels)


def fitted(gray, labels):
    """The pair without debris, and as large as its nuclei ask for."""
    area = np.bincount(labels.ravel())
    area[0] = 0
    median = np.median(area[area > 0])
    labels = np.where(area[labels] < median / DEBRIS, 0, labels)
    scale = min(1, (MEDIAN_AREA / median) ** 0.5)
    if scale > 0.95:
        return gray, labels
    size = tuple(max(64, round(s * scale)) for s in reversed(gray.shape))
    resized = lambda a, how: np.asarray(Image.fromarray(a).resize(size, how))
    return resized(gray, Image.BOX if scale < 0.6 else Image.BICUBIC), resized(labels.astype(np.int32), Image.NEAREST)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("out", type=Path)
    sources = [s_bsst265, dsb_stage1_test, aitslab, neubias]
    for source in sources:
        args.add_argument(f"--{source.__name__.replace('_', '-')}", type=Path)
    args = args.parse_args()
    rows = []
    for part in ("images", "labels"):
        (args.out / part).mkdir(parents=True, exist_ok=True)
    for source in sources:
        folder = getattr(args, source.__name__)
        for name, kind, gray, labels in source(folder) if folder else ():
            gray, labels = fitted(gray, labels.astype(np.int64))
            name = f"{source.__name__}_{name}".replace(" ", "_")
            Image.fromarray(gray).save(args.out / "images" / f"{name}.png")
            Image.fromarray(labels.astype(np.uint16)).save(args.out / "labels" / f"{name}.png")
            rows.append({"id": name, "source": source.__name__, "kind": f"{source.__name__} {kind}", "nuclei": len(np.unique(labels)) - 1})
    (args.out / "manifest.json").write_text(json.dumps(rows, indent=0))
    print(len(rows), "images,", sum(row["nuclei"] for row in rows), "nuclei")


if __name__ == "__main__":
    main()
