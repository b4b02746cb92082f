"""python cost.py MODEL.onnx OTHER.onnx...: CPU ms of a 256 x 256 image on one thread, the models in turn, and how far one pixel is felt."""
import sys
import time

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
sessions = [onnxruntime.InferenceSession(path, options) for path in sys.argv[1:]]
image = np.random.default_rng(0).random((1, 1, 256, 256), np.float32)
times = [[] for _ in sessions]
for _ in range(60):
    for session, taken in zip(sessions, times):
        begun = time.process_time()
        session.run(None, {"image": image})
        taken.append(1e3 * (time.process_time() - begun))
times = np.array(times)[:, 5:]


def reach(session, side=768):
    """Largest distance (px, in rows or columns) at which logits change by over 1e-6 when a pixel does; over the offsets in the coarsest grid."""
    far, base = 0, np.random.default_rng(1).random((1, 1, side, side), np.float32)
    before = session.run(None, {"image": base})[0]
    for offset in range(0, 64, 7):
        at = side // 2 + offset
        changed = base.copy()
        changed[0, 0, at, at] += 1.5
        moved = np.argwhere(np.abs(session.run(None, {"image": changed})[0] - before)[0].max(0) > 1e-6)
        far = max(far, np.abs(moved - at).max())
    return far


for path, session, taken in zip(sys.argv[1:], sessions, times):
    ratio = np.median(taken / times[0])
    print(f"{path}: median {np.median(taken):.1f} ms, least {taken.min():.1f} ms, {ratio:.2f} of the first; a pixel is felt {reach(session)} px away")
