"""What all servers run: the ONNX model of a version folder, one thread, on the CPU."""
import ctypes
import json
import pathlib
import signal
import sys

import onnxruntime


def end_with_parent():
    """A server must not outlive the tests that started it, however they end. On Linux only."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Nuclei:
    """Its card, and `run` from float32 [b, 1, h, w] to logits [b, 3, h, w]."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.card = json.loads((folder / "card.json").read_text())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def run(self, images):
        return self.session.run([self.card["output"]["name"]], {self.card["input"]["name"]: images})[0]
