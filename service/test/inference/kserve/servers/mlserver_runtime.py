"""Runtime for MLServer, named by model-settings.json; `parameters.uri` is the folder of the model's version."""
import numpy
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceResponse
from nuclei import Nuclei, end_with_parent


class Segmenter(MLModel):
    async def load(self):
        end_with_parent()
        self.nuclei = Nuclei(self.settings.parameters.uri)
        return True

    async def predict(self, payload):
        name = self.nuclei.card["input"]["name"]
        tensor = next((each for each in payload.inputs if each.name == name), None)
        if tensor is None:
            raise InferenceError(f"no input named {name}, found {[each.name for each in payload.inputs]}")
        images = numpy.asarray(tensor.data.root, numpy.float32).reshape(tensor.shape)
        output = NumpyCodec.encode_output(self.nuclei.card["output"]["name"], self.nuclei.run(images))
        return InferenceResponse(id=payload.id, model_name=self.name, model_version=self.version, outputs=[output])
