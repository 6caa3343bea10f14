"""A limn model's weights for the peers, whatever its type: f32 arrays by name."""
import json

import numpy as np
from safetensors import safe_open

INT8_RULE = "2"


class Weights:
    """Weights in int8 are q * scale of their output (models/FORMAT.md)."""

    def __init__(self, path):
        self.file = safe_open(path, "np")
        self.names = set(self.file.keys())
        rule = self.file.metadata().get("limn.int8", INT8_RULE)
        if rule != INT8_RULE:
            raise SystemExit(f"{path}: int8 of version {rule}, and only {INT8_RULE} is known here")

    def metadata(self, key):
        """What limn.KEY says."""
        return json.loads(self.file.metadata()["limn." + key])

    def shape(self, name):
        return self.file.get_slice(name).get_shape()

    def get(self, name):
        values = self.file.get_tensor(name).astype(np.float32)
        if name + "_scale" in self.names:
            values *= self.file.get_tensor(name + "_scale").reshape((-1,) + (1,) * (values.ndim - 1))
        return values

    def all_of(self, prefix):
        """{name without the prefix: array}, of tensors whose names begin with it."""
        return {name[len(prefix):]: self.get(name) for name in sorted(self.names)
                if name.startswith(prefix) and not name.endswith(".weight_scale")}
