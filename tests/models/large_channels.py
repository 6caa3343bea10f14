"""Vision transformers of vit_weights.py with twenty channels a hundred times as large as the others. Standard library
only."""

import array
import random

import vit_weights

# What may be as large, by parts of the names of tensors: embeddings, what layers add to them, values in attention, inputs of
# feed-forward layers. (Not inputs of attention: scores that large make features unstable, even in f32;
# tests/bench/int8_cosines.py measures it.)
PARTS = (("_position", ".position_embedding"), ("attention.output", "feed_forward.down"), ("attention.value",),
         ("feed_forward_norm",))


def channels():
    """Which ones."""
    return random.Random("large").sample(range(vit_weights.DIM), 20)


def scaled(tensor, parts, factor):
    """A tensor with the values in some slices multiplied."""
    values = array.array("f", tensor.values)
    for part in parts:
        values[part] = array.array("f", [v * factor for v in values[part]])
    return vit_weights.Tensor(tensor.shape, values)


def scaled_columns(tensor, factor):
    """Embeddings, or the weights of a product that reads the channels."""
    return scaled(tensor, [slice(c, None, tensor.shape[-1]) for c in channels()], factor)


def enlarged_rows(tensor):
    """The weight or bias of a product or norm that makes them."""
    each = len(tensor.values) // tensor.shape[0]
    return scaled(tensor, [slice(c * each, (c + 1) * each) for c in channels()], 100)


def enlarged(name, tensor):
    """Embeddings, or what makes the channels."""
    return scaled_columns(tensor, 100) if "position" in name else enlarged_rows(tensor)


def with_parts(tensors, parts):
    """The tensors that differ if those with such names have large channels."""
    return {name: enlarged(name, t) for name, t in tensors.items() if any(p in name for p in parts)}


def reads_norm(name):
    """The weights of products whose inputs come from a norm in a layer."""
    return name.endswith(("query.weight", "key.weight", "value.weight", "up.weight"))


def reads_hidden(name):
    """The weights of products whose inputs come from the hidden layer of a feed-forward part."""
    return name.endswith("feed_forward.down.weight")


def with_small_readers(tensors, is_maker, is_reader):
    """The tensors that differ if those with some names have large channels, and the weights that read these are a
    hundredth."""
    changes = {name: enlarged_rows(t) for name, t in tensors.items() if is_maker(name)}
    changes.update((name, scaled_columns(t, 1 / 100)) for name, t in tensors.items() if is_reader(name))
    return changes


def with_large_norms(tensors):
    """After the norms of layers; the network computes the same."""
    return with_small_readers(tensors, lambda name: ".layers." in name and "_norm." in name, reads_norm)


def with_large_values(tensors):
    """In the values of attention; the network computes the same."""
    return with_small_readers(tensors, lambda name: "attention.value." in name,
                              lambda name: name.endswith("attention.output.weight"))


def with_large_hidden(tensors):
    """In hidden layers, before the activation."""
    return with_small_readers(tensors, lambda name: "feed_forward.up." in name, reads_hidden)
