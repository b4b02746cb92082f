"""python ensemble.py OUT.onnx MODEL.onnx[@SCALE][/flip][/sqrt][*WEIGHT]... [--background B] [--boundary B]

Several networks, or one at several magnifications, as one network: each part sees the image at SCALE (0.5, 0.75, 1 or 1.25), mirrored (/flip) or the
square root of its gray values (/sqrt); the logits are the weighted mean of the parts' own, brought back to the image's size. Weights that parts share
are stored once, and as float16. `--background` and `--boundary` are added to the logits of these classes. The file says what both sides of an image have to be
multiples of (`multipleOf` of its metadata).
"""
import argparse
import re

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# By magnification: what both sides of the image have to be multiples of, for networks that want multiples of 16.
MULTIPLES = {0.5: 32, 0.75: 64, 1.0: 16, 1.25: 64}


class Graph:
    """Nodes and weights of a network in the making."""

    def __init__(self):
        self.nodes, self.weights = [], {}

    def constant(self, name, value):
        if name not in self.weights:
            self.weights[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def half(self, name, value):
        """A weight that is kept as float16 and read as float32; values of few bytes stay as they are."""
        if value.dtype != np.float32 or value.size < 256:
            return self.constant(name, value)
        if name not in self.weights:
            self.constant(name, value.astype(np.float16))
            self.add("Cast", [name], f"{name}/float", to=TensorProto.FLOAT)
        return f"{name}/float"

    def add(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def resized(self, x, scale, output):
        scales = self.constant(f"scale {scale:.4f}", np.array([1, 1, scale, scale], np.float32))
        return self.add("Resize", [x, "", scales], output, mode="linear", coordinate_transformation_mode="half_pixel")

    def flipped(self, x, output):
        last = self.constant("last", np.array([-1])), self.constant("before first", np.array([np.iinfo(np.int64).min]))
        return self.add("Slice", [x, *last, self.constant("columns", np.array([3])), "last"], output)

    def network(self, path, net, part, image):
        """The nodes of a model on `image`; names of its weights begin with `net`, all others with `part`. @returns its output."""
        graph = onnx.load(path).graph
        names = {"": "", graph.input[0].name: image}
        for weight in graph.initializer:
            names[weight.name] = self.half(f"{net}/{weight.name}", numpy_helper.to_array(weight))
        for node in graph.node:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            for name in node.output:
                names[name] = f"{part}/{name}"
            copy.name = f"{part}/{node.name}"
            copy.input[:] = [names[name] for name in node.input]
            copy.output[:] = [names[name] for name in node.output]
            self.nodes.append(copy)
        return names[graph.output[0].name]


def part_of(text):
    """What MODEL.onnx@SCALE/flip/sqrt*WEIGHT says."""
    found = re.fullmatch(r"(?P<model>.+?\.onnx)(@(?P<scale>[\d.]+))?(?P<flip>/flip)?(?P<sqrt>/sqrt)?(\*(?P<weight>[\d.]+))?", text)
    if not found or float(found["scale"] or 1) not in MULTIPLES:
        raise SystemExit(f"{text}: expected MODEL.onnx[@SCALE][/flip][/sqrt][*WEIGHT], SCALE one of {', '.join(map(str, MULTIPLES))}")
    return found["model"], float(found["scale"] or 1), bool(found["flip"]), bool(found["sqrt"]), float(found["weight"] or 1)


def ensemble(parts, background=0.0, boundary=0.0, apart=False):
    """parts: what `part_of` gives. @returns an ONNX model from `image` to `logits`; with `apart` to one output a part, for choosing among them."""
    graph, logits, models = Graph(), [], []
    for i, (model, scale, flip, sqrt, _) in enumerate(parts):
        models.append(model) if model not in models else None
        x, part = "image", f"part{i}"
        if sqrt:
            x = graph.add("Sqrt", [x], f"{part}/sqrt")
        if flip:
            x = graph.flipped(x, f"{part}/flipped")
        if scale == 0.5:
            x = graph.add("AveragePool", [x], f"{part}/small", kernel_shape=[2, 2], strides=[2, 2])
        elif scale != 1:
            x = graph.resized(x, scale, f"{part}/resized")
        z = graph.network(model, f"net{models.index(model)}", part, x)
        if scale != 1:
            z = graph.resized(z, 1 / scale, f"{part}/back")
        if flip:
            z = graph.flipped(z, f"{part}/unflipped")
        logits.append(z)
    shape = ["n", 3, "h", "w"]
    outputs = logits
    if not apart:
        share = np.array([part[-1] for part in parts], np.float32)
        share /= share.sum()
        weighted = [graph.add("Mul", [z, graph.constant(f"share{i}", share[i])], f"share{i} of logits") for i, z in enumerate(logits)]
        total = graph.add("Sum", weighted, "sum") if len(weighted) > 1 else weighted[0]
        bias = np.array([background, 0, boundary], np.float32).reshape(1, 3, 1, 1)
        outputs = [graph.add("Add", [total, graph.constant("bias", bias)], "logits")]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "nuclei",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, "h", "w"])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs],
            list(graph.weights.values()),
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    helper.set_model_props(model, {"multipleOf": str(max(MULTIPLES[part[1]] for part in parts))})
    onnx.checker.check_model(model)
    return model


def main():
    args = argparse.ArgumentParser()
    args.add_argument("out")
    args.add_argument("parts", nargs="+", type=part_of)
    args.add_argument("--background", type=float, default=0)
    args.add_argument("--boundary", type=float, default=0)
    args = args.parse_args()
    onnx.save(ensemble(args.parts, args.background, args.boundary), args.out)
    print(f"sides of images: multiples of {max(MULTIPLES[scale] for _, scale, *_ in args.parts)}")


if __name__ == "__main__":
    main()
