"""python export.py STATE.pt OUT.onnx [--background 0.6]: the averaged weights of a training as ONNX, opset 17.

`--background` is added to the logit of the background: where a pixel is doubtful, the mask is drawn tighter. Chosen on split `val`.
"""
import argparse

import torch

from net import SHAPES, ResUNet

args = argparse.ArgumentParser()
args.add_argument("state")
args.add_argument("out")
args.add_argument("--background", type=float, default=0)
args = args.parse_args()
kept = torch.load(args.state, map_location="cpu")
net = ResUNet(*SHAPES[kept["shape"]])
net.load_state_dict(kept["average"])
with torch.no_grad():  # channels of the head: class, then sub-pixel
    net.out.bias[: net.stem**2] += args.background
free = {0: "n", 2: "h", 3: "w"}
torch.onnx.export(net.eval(), torch.zeros(1, 1, 256, 256), args.out, dynamo=False, opset_version=17,
                  input_names=["image"], output_names=["logits"], dynamic_axes={"image": free, "logits": free})
print(f"{sum(p.numel() for p in net.parameters()):,} parameters after {kept['step']} steps")
