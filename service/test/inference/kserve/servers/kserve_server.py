"""KServe's server with the model; it listens at all addresses. Arguments: folder of the model's version, port."""
import sys

import numpy
from kserve import InferOutput, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput
from nuclei import Nuclei, end_with_parent


class Segmenter(Model):
    def __init__(self, nuclei):
        super().__init__(nuclei.card["name"])
        self.nuclei = nuclei
        self.ready = True

    def get_input_types(self):
        return [{"name": self.nuclei.card["input"]["name"], "datatype": "FP32", "shape": [-1, 1, -1, -1]}]

    def get_output_types(self):
        return [{"name": self.nuclei.card["output"]["name"], "datatype": "FP32", "shape": [-1, 3, -1, -1]}]

    def predict(self, payload, headers=None, response_headers=None):
        name = self.nuclei.card["input"]["name"]
        tensor = payload.get_input_by_name(name)
        if tensor is None:
            raise InvalidInput(f"no input named {name}, found {[each.name for each in payload.inputs]}")
        logits = self.nuclei.run(numpy.ascontiguousarray(tensor.as_numpy(), numpy.float32))
        output = InferOutput(self.nuclei.card["output"]["name"], list(logits.shape), "FP32")
        output.set_data_from_numpy(logits, binary_data=payload.use_binary_outputs)
        return InferResponse(
            payload.id,
            self.name,
            [output],
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )


if __name__ == "__main__":
    end_with_parent()
    folder, port = sys.argv[1:]
    sys.argv = sys.argv[:1]
    server = ModelServer(http_port=int(port), enable_grpc=False, workers=1)
    server.start([Segmenter(Nuclei(folder))])
