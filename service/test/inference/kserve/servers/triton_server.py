"""Triton with the model, at 127.0.0.1. Arguments: folder of the model's version, port for HTTP, two more for gRPC and metrics."""
import os
import signal
import sys
import sysconfig

import numpy
from nuclei import Nuclei, end_with_parent
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig


def main(folder, http, grpc, metrics):
    nuclei = Nuclei(folder)
    name, logits = nuclei.card["input"]["name"], nuclei.card["output"]["name"]

    @batch
    def segment(**inputs):
        return {logits: nuclei.run(numpy.ascontiguousarray(inputs[name]))}

    config = TritonConfig(
        http_address="127.0.0.1",
        http_port=int(http),
        grpc_address="127.0.0.1",
        grpc_port=int(grpc),
        metrics_port=int(metrics),
        allow_gpu_metrics=False,
    )
    with Triton(config=config) as triton:
        triton.bind(
            model_name=nuclei.card["name"],
            infer_func=segment,
            inputs=[Tensor(name=name, dtype=numpy.float32, shape=(1, -1, -1))],
            outputs=[Tensor(name=logits, dtype=numpy.float32, shape=(3, -1, -1))],
            config=ModelConfig(max_batch_size=8),
        )
        triton.serve()


if __name__ == "__main__":
    end_with_parent()
    # PyTriton cleans up after itself only when it is interrupted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Triton's Python backend loads the library of Python by its name: it has to be the one of this interpreter.
    paths = [sysconfig.get_config_var("LIBDIR"), os.environ.get("LD_LIBRARY_PATH")]
    os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(path for path in paths if path)
    main(*sys.argv[1:])
