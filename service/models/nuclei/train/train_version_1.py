"""What made version 1: python train_version_1.py DATA OUT.onnx [--seconds 3300]   (CPU: about an hour on 2 cores; GPU: minutes)"""
import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scipy import ndimage as nd

from common import load, normalise, rows, targets
from net import ResUNet, SHAPES

args = argparse.ArgumentParser()
args.add_argument("data", type=Path)
args.add_argument("out")
args.add_argument("--seconds", type=float, default=3300)
args.add_argument("--seed", type=int, default=0)
args = args.parse_args()
torch.manual_seed(args.seed)
np.random.seed(args.seed)
random.seed(args.seed)
device = "cuda" if torch.cuda.is_available() else "cpu"
PATCH, BATCH, RATE = 192, 12, 3e-3

train = rows(args.data, "train")
pairs = [(normalise(g), targets(l)) for g, l in (load(args.data, r) for r in train)]
clusters = [r["cluster"] for r in train]
weight = np.array([clusters.count(c) ** -0.5 for c in clusters])  # rare kinds of image count for more
weight /= weight.sum()


def crop(gray, target):
    scale = random.choice([1, 1, 0.7, 1.4])
    side = int(PATCH / scale)
    pad = [(0, max(0, side - s)) for s in gray.shape]
    gray, target = np.pad(gray, pad, mode="reflect"), np.pad(target, pad, mode="reflect")
    y, x = random.randint(0, gray.shape[0] - side), random.randint(0, gray.shape[1] - side)
    a, b = gray[y : y + side, x : x + side], target[y : y + side, x : x + side]
    if side != PATCH:
        a = np.asarray(Image.fromarray(a).resize((PATCH, PATCH), Image.BILINEAR))
        b = np.asarray(Image.fromarray(b.astype(np.uint8)).resize((PATCH, PATCH), Image.NEAREST)).astype(np.int64)
    turns = random.randint(0, 3)
    a, b = np.rot90(a, turns), np.rot90(b, turns)
    if random.random() < 0.5:
        a, b = a[:, ::-1], b[:, ::-1]
    a = np.clip(a, 0, None) ** random.uniform(0.7, 1.4) * random.uniform(0.75, 1.25) + random.uniform(-0.05, 0.05)
    if random.random() < 0.3:
        a = nd.gaussian_filter(a, random.uniform(0.3, 1.2))
    return (a + np.random.randn(PATCH, PATCH) * random.uniform(0, 0.05)).astype(np.float32), np.ascontiguousarray(b)


net = ResUNet(*SHAPES["1"]).to(device, memory_format=torch.channels_last)
average = {k: v.clone() for k, v in net.state_dict().items()}
optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=1e-4)
class_weight = torch.tensor([1.0, 1.0, 2.5], device=device)
start, step = time.time(), 0
while (done := (time.time() - start) / args.seconds) < 1:
    for group in optimiser.param_groups:
        group["lr"] = RATE * max(0.01, 0.5 * (1 + np.cos(np.pi * done))) * min(1, (step + 1) / 50)
    batch = [crop(*pairs[i]) for i in np.random.choice(len(pairs), BATCH, p=weight)]
    x = torch.from_numpy(np.stack([a for a, _ in batch]))[:, None].to(device, memory_format=torch.channels_last)
    y = torch.from_numpy(np.stack([b for _, b in batch])).to(device)
    logits = net(x)
    loss = F.cross_entropy(logits, y, weight=class_weight)
    p = torch.softmax(logits, 1)
    for c in (1, 2):  # soft Dice, on interior and boundary
        hit = (y == c).float()
        loss = loss + 0.3 * (1 - 2 * (p[:, c] * hit).sum() / (p[:, c].sum() + hit.sum() + 1))
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
    optimiser.step()
    step += 1
    with torch.no_grad():  # the exported weights are a moving average
        decay = min(0.995, step / (step + 20))
        for k, v in net.state_dict().items():
            average[k].mul_(decay).add_(v, alpha=1 - decay) if v.dtype.is_floating_point else average[k].copy_(v)
    if step % 100 == 0:
        print(f"{step} steps, {time.time() - start:.0f} s, loss {loss.item():.3f}", flush=True)
net.load_state_dict(average)
net = net.eval().cpu().to(memory_format=torch.contiguous_format)
free = {0: "n", 2: "h", 3: "w"}
torch.onnx.export(net, torch.zeros(1, 1, 256, 256), args.out, dynamo=False, opset_version=17,
                  input_names=["image"], output_names=["logits"], dynamic_axes={"image": free, "logits": free})
