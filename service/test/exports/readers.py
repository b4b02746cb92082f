"""Opens an export with a reader that knows nothing of segbench and compares it with the results as HTTP gave them.

usage: readers.py FORMAT FILE EXPECTED.json
EXPECTED: {pixelSizeUm, images: {id: {path, width, height, status}}, results: {id: Result | null}}
Prints what it compared as JSON; any difference is an AssertionError.
"""

import collections
import io
import json
import sys
import zipfile

import numpy as np

form, path, expected_path = sys.argv[1:]
with open(expected_path, encoding="utf-8") as file:
    expected = json.load(file)
images, results, pixel_size = expected["images"], expected["results"], expected["pixelSizeUm"]
compared = collections.Counter()


def cells_of(image_id):
    result = results[image_id]
    return [p for p in result["polygons"] if p["type"] == "external"] if result else []


def holes_of(image_id, cell):
    return [p for p in results[image_id]["polygons"] if p["type"] == "internal" and p["parentId"] == cell["id"]]


def rings_of(image_id, cell):
    return [np.reshape(p["points"], (-1, 2)).astype(float) for p in [cell, *holes_of(image_id, cell)]]


def area_of(rings):
    """Enclosed by the first ring and by no other (shoelace)."""
    signed = [np.sum(r[:, 0] * np.roll(r[:, 1], -1) - np.roll(r[:, 0], -1) * r[:, 1]) / 2 for r in rings]
    return abs(signed[0]) - sum(abs(one) for one in signed[1:])


def mask_of(rings, width, height):
    """Pixels whose centre is inside by the even-odd rule; crossings are counted, nothing is shared with the service."""
    xs = np.arange(width) + 0.5
    mask = np.zeros((height, width), bool)
    for y in range(height):
        crossings = []
        for ring in rings:
            for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0)):
                if (y0 <= y + 0.5) != (y1 <= y + 0.5):
                    crossings.append(x0 + (y + 0.5 - y0) * (x1 - x0) / (y1 - y0))
        if crossings:
            mask[y] = np.sum(np.array(crossings)[:, None] <= xs, axis=0) % 2 == 1
    return mask


def labels_of(image_id):
    image = images[image_id]
    labels = np.zeros((image["height"], image["width"]), int)
    for number, cell in enumerate(cells_of(image_id), 1):
        labels[mask_of(rings_of(image_id, cell), image["width"], image["height"])] = number
    return labels


def id_of(path_in_export):
    found = [key for key, image in images.items() if image["path"] == path_in_export]
    assert len(found) == 1, (path_in_export, found)
    return found[0]


def check_ndjson():
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert {line["imageId"] for line in lines} == set(images) and len(lines) == len(images)
    for line in lines:
        assert line["result"] == results[line["imageId"]]
        compared["images"] += 1
        compared["cells"] += len(cells_of(line["imageId"]))


def check_geojson():
    import geojson
    from shapely.geometry import shape

    with open(path, encoding="utf-8") as file:
        collection = geojson.load(file)
    assert collection.is_valid, collection.errors()
    by_image = collections.defaultdict(list)
    for feature in collection["features"]:
        by_image[feature["properties"]["imageId"]].append(feature)
    for image_id in images:
        cells = cells_of(image_id)
        assert len(by_image[image_id]) == len(cells)
        for feature, cell in zip(by_image[image_id], cells):
            assert feature["properties"]["areaPx"] == cell["area"]
            outline = shape(feature["geometry"])
            assert outline.exterior.is_ccw and not any(hole.is_ccw for hole in outline.interiors), "right-hand rule"
            assert outline.area == area_of(rings_of(image_id, cell))
            compared["holes"] += len(outline.interiors)
            compared["cells"] += 1


def check_coco():
    from pycocotools.coco import COCO

    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    coco = COCO()
    coco.dataset = document
    coco.createIndex()
    assert len(coco.getImgIds()) == len(images)
    for image in coco.loadImgs(coco.getImgIds()):
        image_id = id_of(image["file_name"])
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        cells = cells_of(image_id)
        assert len(annotations) == len(cells)
        for annotation, cell in zip(annotations, cells):
            assert annotation["area"] == cell["area"] and annotation["bbox"] == cell["bbox"]
            ours = mask_of(rings_of(image_id, cell), image["width"], image["height"])
            theirs = coco.annToMask(annotation).astype(bool)
            # pycocotools draws slanted edges a little differently from centre-in-polygon
            assert np.sum(ours ^ theirs) <= 0.1 * max(10, np.sum(ours)), (np.sum(ours), np.sum(theirs))
            for hole in holes_of(image_id, cell):
                x, y, width, height = hole["bbox"]
                if width >= 6 and height >= 6:
                    assert not theirs[y + height // 2, x + width // 2], "a hole is filled"
                    compared["holes"] += 1
            compared["cells"] += 1


def check_csv():
    import pandas

    # as docs/exports.md tells
    with open(path, newline="", encoding="utf-8") as file:
        tables = [pandas.read_csv(io.StringIO(table)) for table in file.read().split("\r\n\r\n")]
    per_image, per_cell = tables
    square = None if pixel_size is None else pixel_size**2
    assert ("areaUm2" in per_image) == ("areaUm2" in per_cell) == (square is not None)
    assert set(per_image["imageId"]) == set(images) and len(per_image) == len(images)
    for row in per_image.itertuples():
        cells, image = cells_of(row.imageId), images[row.imageId]
        assert (row.path, row.status, row.width, row.height) == tuple(
            image[key] for key in ("path", "status", "width", "height")
        )
        if results[row.imageId] is None:
            assert np.isnan(row.cellCount) and np.isnan(row.areaPx)
        else:
            total = sum(cell["area"] for cell in cells)
            assert (row.cellCount, row.areaPx) == (len(cells), total) == (results[row.imageId]["polygonCount"], total)
            assert square is None or np.isclose(row.areaUm2, total * square, rtol=1e-7)
        own = per_cell[per_cell["imageId"] == row.imageId]
        assert len(own) == len(cells)
        for line, cell in zip(own.itertuples(), cells):
            assert line.path == image["path"]
            assert (line.cellId, line.confidence, line.areaPx) == (cell["id"], cell["confidence"], cell["area"])
            assert [line.x, line.y, line.boxWidth, line.boxHeight] == cell["bbox"]
            assert line.holes == len(holes_of(row.imageId, cell))
            assert square is None or np.isclose(line.areaUm2, cell["area"] * square, rtol=1e-7)
            compared["cells"] += 1
        compared["images"] += 1


def stem_of(image_path):
    folder, slash, name = image_path.rpartition("/")
    return folder + slash + (name.rpartition(".")[0] or name)


def check_imagej():
    from roifile import ImagejRoi

    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        rois = {name: ImagejRoi.frombytes(archive.read(name)) for name in archive.namelist()}
    assert len(rois) == sum(len(cells_of(image_id)) for image_id in images)
    for image_id, image in images.items():
        for cell in cells_of(image_id):
            roi = rois[f"{stem_of(image['path'])}/{cell['id']:04d}.roi"]
            rings = rings_of(image_id, cell)
            paths = roi.coordinates(multi=True) if len(rings) > 1 else [roi.coordinates()]
            # a composite path is closed by repeating its start
            paths = [p[:-1] if len(p) > 1 and (p[0] == p[-1]).all() else p for p in map(np.asarray, paths)]
            assert len(paths) == len(rings)
            assert all((one == other).all() for one, other in zip(paths, rings)), (paths, rings)
            assert (roi.left, roi.top) == tuple(rings[0].min(axis=0)) and (roi.right, roi.bottom) == tuple(rings[0].max(axis=0))
            compared["holes"] += len(rings) - 1
            compared["cells"] += 1


def check_labels():
    import tifffile

    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        done = {image_id: image for image_id, image in images.items() if results[image_id]}
        assert names == {f"{stem_of(image['path'])}.tif" for image in done.values()}, names
        for image_id, image in done.items():
            with tifffile.TiffFile(io.BytesIO(archive.read(f"{stem_of(image['path'])}.tif"))) as tiff:
                labels = tiff.asarray()
                if pixel_size is not None:
                    above, below = tiff.pages[0].tags["XResolution"].value
                    assert np.isclose(10_000 * below / above, pixel_size)
                compared["strips"] += len(tiff.pages[0].dataoffsets)
            assert labels.dtype == np.uint16 and labels.shape == (image["height"], image["width"])
            assert (labels == labels_of(image_id)).all()
            present = set(np.unique(labels)) - {0}
            assert present == set(range(1, len(cells_of(image_id)) + 1))
            for number, cell in enumerate(cells_of(image_id), 1):
                # the stored outline keeps an IoU of 0.975 with the pixels that were counted
                assert abs(np.sum(labels == number) - cell["area"]) <= 0.03 * cell["area"] + 1
                compared["cells"] += 1
            compared["images"] += 1


def check_zip():
    """Any archive: names and sizes as the list says, every checksum."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {info.filename: info.file_size for info in archive.infolist()} == expected["files"]
        compared["files"] = len(archive.infolist())


{
    "ndjson": check_ndjson,
    "geojson": check_geojson,
    "coco": check_coco,
    "csv": check_csv,
    "imagej-rois": check_imagej,
    "labels-zip": check_labels,
    "zip": check_zip,
}[form]()
print(json.dumps(compared))
