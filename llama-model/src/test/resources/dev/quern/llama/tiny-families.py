"""Tiny random models of the families, and llama.cpp's logits of them.

    python3 tiny-families.py FOLDER

Writes FOLDER/tiny-FAMILY-FORMAT.gguf with the gguf package (MIT), the matrices in F32, Q8_0 and
Q4_0 of the same weights (Mistral, which is a Llama to GGUF, in F32 alone), and FOLDER/tiny-FAMILY.reference.json with the logits that libllama
computes after some of 24 tokens, with a KV cache of F32. Made with gguf 0.19 and libllama 0.7.0,
whose llama_context_params the offsets below are of.
"""
import ctypes
import json
import sys

import gguf
import numpy as np

LAYERS, WIDTH, HIDDEN, HEADS, KV_HEADS, VOCABULARY = 2, 32, 64, 4, 2, 64
FORMATS = {
    "F32": gguf.GGMLQuantizationType.F32,
    "Q8_0": gguf.GGMLQuantizationType.Q8_0,
    "Q4_0": gguf.GGMLQuantizationType.Q4_0,
}
TOKENS = [int(t) for t in np.random.default_rng(7).integers(0, VOCABULARY, 24)]
POSITIONS = (0, 7, 23)

# name: GGUF's architecture, elements of a head, biases of Q, K and V, norms of heads, tied, formats
FAMILIES = {
    "mistral": ("llama", 16, False, False, False, ("F32",)),  # as Nemo's, heads are wider than width / heads
    "qwen2": ("qwen2", 8, True, False, True, tuple(FORMATS)),
    "qwen3": ("qwen3", 16, False, True, False, tuple(FORMATS)),
}
ROPE_BASE = 1e6


def tensors(head_dim, biases, norms, tied):
    """Names and weights in GGUF's order: rows are outputs."""
    random = np.random.default_rng(2026)

    def matrix(outputs, inputs, deviation=1.0):
        return (random.standard_normal((outputs, inputs)) * deviation / np.sqrt(inputs)).astype(np.float32)

    def norm(size):
        return (1 + 0.3 * random.standard_normal(size)).astype(np.float32)

    yield "token_embd.weight", matrix(VOCABULARY, WIDTH, 3)
    yield "output_norm.weight", norm(WIDTH)
    if not tied:
        yield "output.weight", matrix(VOCABULARY, WIDTH)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", norm(WIDTH)
        for name, heads in (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)):
            yield f"{block}attn_{name}.weight", matrix(heads * head_dim, WIDTH, 1.5)
            if biases:
                yield f"{block}attn_{name}.bias", (random.standard_normal(heads * head_dim) * 0.5).astype(np.float32)
            if norms and name != "v":
                yield f"{block}attn_{name}_norm.weight", norm(head_dim)
        yield block + "attn_output.weight", matrix(WIDTH, HEADS * head_dim)
        yield block + "ffn_norm.weight", norm(WIDTH)
        yield block + "ffn_gate.weight", matrix(HIDDEN, WIDTH)
        yield block + "ffn_up.weight", matrix(HIDDEN, WIDTH)
        yield block + "ffn_down.weight", matrix(WIDTH, HIDDEN)


def write(path, family, quantization):
    architecture, head_dim, biases, norms, tied, _ = FAMILIES[family]
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(f"tiny {family}")
    writer.add_block_count(LAYERS)
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(1e-6)
    if head_dim != WIDTH // HEADS:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if architecture == "llama":
        writer.add_rope_dimension_count(head_dim)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("no_vocab")
    for name, values in tensors(head_dim, biases, norms, tied):
        if values.ndim == 1:
            writer.add_tensor(name, values)
        else:
            data = gguf.quants.quantize(values, quantization)
            writer.add_tensor(name, data, raw_dtype=quantization)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Parameters(ctypes.Structure):
    """llama_model_params or llama_context_params, which are shorter: passed by value, in memory."""

    _fields_ = [("words", ctypes.c_uint64 * 64)]


class Batch(ctypes.Structure):
    """llama_batch."""

    _fields_ = [("n_tokens", ctypes.c_int32)] + [
        (name, ctypes.c_void_p) for name in ("token", "embd", "pos", "n_seq_id", "seq_id", "logits")
    ]


FLASH_ATTENTION, TYPE_K, TYPE_V = 52, 104, 108  # bytes into llama_context_params


def logits(library, path):
    """By position, as libllama computes them token by token."""
    model = library.llama_model_load_from_file(path.encode(), library.llama_model_default_params())
    if not model:
        raise SystemExit(f"{path}: libllama can't load it")
    parameters = library.llama_context_default_params()
    for offset, default, value in ((FLASH_ATTENTION, -1, 0), (TYPE_K, 1, 0), (TYPE_V, 1, 0)):
        field = ctypes.c_int32.from_buffer(parameters, offset)
        if field.value != default:
            raise SystemExit("another llama_context_params than that of libllama 0.7.0")
        field.value = value
    context = library.llama_init_from_model(model, parameters)
    found = {}
    for position, token in enumerate(TOKENS):
        one = (ctypes.c_int32 * 1)(token)
        if library.llama_decode(context, library.llama_batch_get_one(one, 1)):
            raise SystemExit(f"{path}: libllama can't decode token {position}")
        if position in POSITIONS:
            row = library.llama_get_logits_ith(context, -1)[:VOCABULARY]
            found[str(position)] = [float(f"{value:.9g}") for value in row]
    return found


def load_library():
    library = ctypes.CDLL("libllama.so.0")
    ctypes.CDLL("libggml.so.0").ggml_backend_load_all()
    pointer = ctypes.c_void_p
    for name, result, arguments in (
        ("llama_model_default_params", Parameters, []),
        ("llama_context_default_params", Parameters, []),
        ("llama_model_load_from_file", pointer, [ctypes.c_char_p, Parameters]),
        ("llama_init_from_model", pointer, [pointer, Parameters]),
        ("llama_batch_get_one", Batch, [pointer, ctypes.c_int32]),
        ("llama_decode", ctypes.c_int32, [pointer, Batch]),
        ("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float), [pointer, ctypes.c_int32]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def main(folder):
    library = load_library()
    for family in FAMILIES:
        reference = {"tokens": TOKENS, "logits": {}}
        for name in FAMILIES[family][-1]:
            path = f"{folder}/tiny-{family}-{name}.gguf"
            write(path, family, FORMATS[name])
            reference["logits"][name] = logits(library, path)
        with open(f"{folder}/tiny-{family}.reference.json", "w", encoding="ascii") as out:
            json.dump(reference, out)


main(sys.argv[1])
