"""Tensors of a file of safetensors, without the library: its head is JSON."""

import json

import numpy as np


def tensors(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    head, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    head.pop("__metadata__", None)
    types = {"F32": np.float32, "F16": np.float16}
    return {
        name: np.frombuffer(body[slice(*of["data_offsets"])], types[of["dtype"]]).reshape(of["shape"])
        for name, of in head.items()
    }
