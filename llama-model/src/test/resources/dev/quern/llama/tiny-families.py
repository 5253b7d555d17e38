"""Tiny random models of the families, and llama.cpp's logits of them.

    python3 tiny-families.py FOLDER

Writes FOLDER/tiny-FAMILY-FORMAT.gguf with the gguf package (MIT), the matrices in F32, Q8_0 and
Q4_0 of the same weights (Mistral, which is a Llama to GGUF, in F32 alone), and FOLDER/tiny-FAMILY.reference.json with the logits that libllama
computes after some of 24 tokens, with a KV cache of F32. FOLDER/tiny-ropes.reference.json has those of some F32 models with other keys
about RoPE. Made with gguf 0.19 and libllama 0.7.0, whose llama_context_params the offsets below are of.
"""
import ctypes
import json
import sys
import tempfile

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
    "phi3": ("phi3", 8, False, False, True, tuple(FORMATS)),
    "smollm3": ("smollm3", 8, False, False, True, tuple(FORMATS)),
}
FUSED = {"phi3"}  # Q, K and V in one matrix, gate and up in another
LAYERS_OF = {"smollm3": 4}  # every fourth has no RoPE
ROPE_BASE = 1e6
LONG_ROPE = "phi3"
ROTATED, SHORT_CONTEXT, CONTEXT, ATTENTION_FACTOR = 6, 256, 1024, 1.19  # RoPE of LONG_ROPE
CONTEXTS = {"phi3": (("", SHORT_CONTEXT), (" long", 2 * SHORT_CONTEXT))}  # suffix of the logits' name, n_ctx

# What replaces keys of a family's F32 model: name, family, keys without the architecture. Some of YaRN's are written by llama.cpp's
# converter, and read for few architectures: they are given to the context too.
YARN = {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 1024, "rope.freq_base": 100.0}
ROPES = (
    ("yarn", "qwen2", YARN),
    ("yarn, all keys", "qwen2", YARN | {"rope.scaling.attn_factor": 0.9, "rope.scaling.yarn_beta_fast": 6.0, "rope.scaling.yarn_beta_slow": 4.0,
                                        "rope.scaling.yarn_ext_factor": 0.75}),
    ("yarn, no ramp", "qwen2", YARN | {"rope.scaling.attn_factor": 0.9, "rope.scaling.yarn_ext_factor": 0.0}),
    ("linear", "mistral", {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}),
    ("linear, old", "mistral", {"rope.scale_linear": 4.0}),
    ("linear, 0.5", "smollm3", {"rope.scaling.factor": 0.5}),
)


def tensors(family):
    """Names and weights in GGUF's order: rows are outputs."""
    _, head_dim, biases, norms, tied, _ = FAMILIES[family]
    random = np.random.default_rng(2026)

    def matrix(outputs, inputs, deviation=1.0):
        return (random.standard_normal((outputs, inputs)) * deviation / np.sqrt(inputs)).astype(np.float32)

    def norm(size):
        return (1 + 0.3 * random.standard_normal(size)).astype(np.float32)

    yield "token_embd.weight", matrix(VOCABULARY, WIDTH, 3)
    yield "output_norm.weight", norm(WIDTH)
    if not tied:
        yield "output.weight", matrix(VOCABULARY, WIDTH)
    if family == LONG_ROPE:
        yield "rope_factors_long.weight", np.linspace(1.5, 8, ROTATED // 2).astype(np.float32)
        yield "rope_factors_short.weight", np.linspace(1, 2, ROTATED // 2).astype(np.float32)
    for layer in range(LAYERS_OF.get(family, LAYERS)):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", norm(WIDTH)
        if family in FUSED:
            yield block + "attn_qkv.weight", matrix((HEADS + 2 * KV_HEADS) * head_dim, WIDTH, 1.5)
        for name, heads in () if family in FUSED else (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)):
            yield f"{block}attn_{name}.weight", matrix(heads * head_dim, WIDTH, 1.5)
            if biases:
                yield f"{block}attn_{name}.bias", (random.standard_normal(heads * head_dim) * 0.5).astype(np.float32)
            if norms and name != "v":
                yield f"{block}attn_{name}_norm.weight", norm(head_dim)
        yield block + "attn_output.weight", matrix(WIDTH, HEADS * head_dim)
        yield block + "ffn_norm.weight", norm(WIDTH)
        if family in FUSED:
            yield block + "ffn_up.weight", matrix(2 * HIDDEN, WIDTH)
        else:
            yield block + "ffn_gate.weight", matrix(HIDDEN, WIDTH)
            yield block + "ffn_up.weight", matrix(HIDDEN, WIDTH)
        yield block + "ffn_down.weight", matrix(WIDTH, HIDDEN)


def write(path, family, quantization, changed={}):
    architecture, head_dim, _, _, _, _ = FAMILIES[family]
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(f"tiny {family}")
    writer.add_block_count(LAYERS_OF.get(family, LAYERS))
    writer.add_context_length(CONTEXT if family == LONG_ROPE else 256)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    if "rope.freq_base" not in changed:
        writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(1e-6)
    if head_dim != WIDTH // HEADS:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if architecture in ("llama", "smollm3"):
        writer.add_rope_dimension_count(head_dim)
    if family == LONG_ROPE:
        writer.add_rope_dimension_count(ROTATED)
        writer.add_rope_scaling_orig_ctx_len(SHORT_CONTEXT)
        writer.add_rope_scaling_attn_factors(ATTENTION_FACTOR)
    for key, value in changed.items():
        add = {str: writer.add_string, int: writer.add_uint32, float: writer.add_float32}[type(value)]
        add(f"{architecture}.{key}", value)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("no_vocab")
    for name, values in tensors(family):
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


OF_THE_CONTEXT = {"rope.scaling.yarn_ext_factor": 64, "rope.scaling.yarn_beta_fast": 72, "rope.scaling.yarn_beta_slow": 76}
CONTEXT_LENGTH, FLASH_ATTENTION, TYPE_K, TYPE_V = 0, 52, 104, 108  # bytes into llama_context_params


def logits(library, path, context_length=512, changed={}):
    """By position, as libllama computes them token by token."""
    model = library.llama_model_load_from_file(path.encode(), library.llama_model_default_params())
    if not model:
        raise SystemExit(f"{path}: libllama can't load it")
    parameters = library.llama_context_default_params()
    for offset, default, value in ((CONTEXT_LENGTH, 512, context_length), (FLASH_ATTENTION, -1, 0), (TYPE_K, 1, 0), (TYPE_V, 1, 0)):
        field = ctypes.c_int32.from_buffer(parameters, offset)
        if field.value != default:
            raise SystemExit("another llama_context_params than that of libllama 0.7.0")
        field.value = value
    for key, offset in OF_THE_CONTEXT.items():
        field = ctypes.c_float.from_buffer(parameters, offset)
        if field.value != -1:
            raise SystemExit("another llama_context_params than that of libllama 0.7.0")
        field.value = changed.get(key, -1)
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
            for suffix, context_length in CONTEXTS.get(family, (("", 512),)):
                reference["logits"][name + suffix] = logits(library, path, context_length)
        with open(f"{folder}/tiny-{family}.reference.json", "w", encoding="ascii") as out:
            json.dump(reference, out)
    ropes = {"tokens": TOKENS, "logits": {}}
    with tempfile.TemporaryDirectory() as made:
        for name, family, changed in ROPES:
            path = f"{made}/{len(ropes['logits'])}.gguf"
            write(path, family, FORMATS["F32"], changed)
            ropes["logits"][name] = logits(library, path, changed=changed)
    with open(f"{folder}/tiny-ropes.reference.json", "w", encoding="ascii") as out:
        json.dump(ropes, out)


main(sys.argv[1])
