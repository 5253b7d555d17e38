"""Tiny random models of the families, and llama.cpp's logits of them.

    python3 tiny-families.py FOLDER

Writes FOLDER/tiny-FAMILY-FORMAT.gguf with the gguf package (MIT), the matrices in F32, Q8_0 and
Q4_0 of the same weights (Mistral, which is a Llama to GGUF, in F32 alone), and FOLDER/tiny-FAMILY.reference.json with the logits that libllama
computes after some of 24 tokens, with a KV cache of F32. FOLDER/tiny-ropes.reference.json has those
of some F32 models with other keys about RoPE. Made with gguf 0.19 and libllama 0.7.0, whose
llama_context_params the offsets below are of.

Libllama passes over the sliding window of a Llama, and of a Phi-3. So the reference of one, "F32
window 8", is what it computes when all positions before a token's window are removed from its cache
before the token.
"""
import ctypes
import json
import sys
import tempfile
from dataclasses import dataclass, field

import gguf
import numpy as np

WIDTH, VOCABULARY = 32, 64
FORMATS = {
    "F32": gguf.GGMLQuantizationType.F32,
    "Q8_0": gguf.GGMLQuantizationType.Q8_0,
    "Q4_0": gguf.GGMLQuantizationType.Q4_0,
}
TOKENS = [int(t) for t in np.random.default_rng(7).integers(0, VOCABULARY, 24)]
POSITIONS = (0, 7, 23)
ROTATED, SHORT_CONTEXT = 6, 256  # RoPE of Phi-3: elements of a head, positions of its short divisors


@dataclass
class Family:
    architecture: str  # GGUF's
    head_dim: int
    biases: bool = False  # of Q, K and V
    head_norms: bool = False
    fused: bool = False  # Q, K and V in one matrix, gate and up in another
    post_norms: bool = False  # Gemma's, behind each block
    tied: bool = False
    formats: tuple = tuple(FORMATS)
    layers: int = 2
    hidden: int = 64
    heads: int = 4
    kv_heads: int = 2
    embedding: float = 3.0  # deviation
    rope_base: float = 1e6
    window: int = 0
    context: int = 256
    keys: dict = field(default_factory=dict)  # further ones
    contexts: tuple = (("", 512),)  # suffix of the logits' name, positions of the session
    windows_by_removal: tuple = ()  # for references beside the model's own


GEMMA = {"post_norms": True, "tied": True, "hidden": 32, "heads": 2, "kv_heads": 1, "embedding": 0.5, "window": 8}
FAMILIES = {
    "mistral": Family("llama", 16, formats=("F32",), windows_by_removal=(8,)),  # as Nemo's, heads are wider than width / heads
    "qwen2": Family("qwen2", 8, biases=True, tied=True),
    "qwen3": Family("qwen3", 16, head_norms=True),
    "phi3": Family(
        "phi3",
        8,
        fused=True,
        tied=True,
        context=1024,
        keys={"rope.dimension_count": ROTATED, "rope.scaling.original_context_length": SHORT_CONTEXT, "rope.scaling.attn_factor": 1.19},
        contexts=(("", SHORT_CONTEXT), (" long", 2 * SHORT_CONTEXT)),
        windows_by_removal=(8,),
    ),
    "smollm3": Family("smollm3", 8, tied=True, layers=4),  # every fourth has no RoPE
    "gemma2": Family(
        "gemma2", 16, rope_base=1e4, keys={"attn_logit_softcapping": 2.5, "final_logit_softcapping": 3.0}, **GEMMA
    ),
    "gemma3": Family("gemma3", 16, head_norms=True, layers=6, keys={"rope.scaling.type": "linear", "rope.scaling.factor": 8.0}, **GEMMA),
    "granite": Family(
        "granite",
        8,
        tied=True,
        embedding=0.5,
        keys={"embedding_scale": 6.0, "residual_scale": 0.4, "attention.scale": 0.2, "logit_scale": 0.7},
    ),
}

# What is added to keys of a family's F32 model, or replaces them: name, family, keys without the architecture. Some of YaRN's are written
# by llama.cpp's converter, and read for few architectures: they are given to the context too.
YARN = {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 1024, "rope.freq_base": 100.0}
ROPES = (
    ("yarn", "qwen2", YARN),
    ("yarn, all keys", "qwen2", YARN | {"rope.scaling.attn_factor": 0.9, "rope.scaling.yarn_beta_fast": 6.0, "rope.scaling.yarn_beta_slow": 4.0,
                                        "rope.scaling.yarn_ext_factor": 0.75}),
    ("yarn, no ramp", "qwen2", YARN | {"rope.scaling.attn_factor": 0.9, "rope.scaling.yarn_ext_factor": 0.0}),
    ("yarn, granite", "granite", YARN),
    ("linear", "mistral", {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}),
    ("linear, old", "mistral", {"rope.scale_linear": 4.0}),
    ("linear, 0.5", "smollm3", {"rope.scaling.factor": 0.5}),
    ("linear, granite", "granite", {"rope.scaling.type": "linear", "rope.scaling.factor": 4.0}),
    ("part of a head", "gemma2", {"rope.dimension_count": 10}),
)


def tensors(f):
    """Names and weights in GGUF's order: rows are outputs."""
    random = np.random.default_rng(2026)

    def matrix(outputs, inputs, deviation=1.0):
        return (random.standard_normal((outputs, inputs)) * deviation / np.sqrt(inputs)).astype(np.float32)

    def norm(size, about=1.0):
        weight = about - 1 + 0.3 * about * random.standard_normal(size)
        if f.post_norms:  # a folder has w, and this is 1 + w in F32
            return np.float32(1) + weight.astype(np.float32)
        return (1 + weight).astype(np.float32)

    yield "token_embd.weight", matrix(VOCABULARY, WIDTH, f.embedding)
    yield "output_norm.weight", norm(WIDTH)
    if not f.tied:
        yield "output.weight", matrix(VOCABULARY, WIDTH)
    if f.contexts[1:]:  # LongRoPE
        yield "rope_factors_long.weight", np.linspace(1.5, 8, ROTATED // 2).astype(np.float32)
        yield "rope_factors_short.weight", np.linspace(1, 2, ROTATED // 2).astype(np.float32)
    for layer in range(f.layers):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", norm(WIDTH)
        if f.fused:
            yield block + "attn_qkv.weight", matrix((f.heads + 2 * f.kv_heads) * f.head_dim, WIDTH, 1.5)
        for name, heads in () if f.fused else (("q", f.heads), ("k", f.kv_heads), ("v", f.kv_heads)):
            yield f"{block}attn_{name}.weight", matrix(heads * f.head_dim, WIDTH, 1.5)
            if f.biases:
                yield f"{block}attn_{name}.bias", (random.standard_normal(heads * f.head_dim) * 0.5).astype(np.float32)
            if f.head_norms and name != "v":
                yield f"{block}attn_{name}_norm.weight", norm(f.head_dim)
        yield block + "attn_output.weight", matrix(WIDTH, f.heads * f.head_dim)
        if f.post_norms:
            yield block + "post_attention_norm.weight", norm(WIDTH)
        yield block + "ffn_norm.weight", norm(WIDTH)
        if f.fused:
            yield block + "ffn_up.weight", matrix(2 * f.hidden, WIDTH)
        else:
            yield block + "ffn_gate.weight", matrix(f.hidden, WIDTH)
            yield block + "ffn_up.weight", matrix(f.hidden, WIDTH)
        yield block + "ffn_down.weight", matrix(WIDTH, f.hidden)
        if f.post_norms:
            # Libllama rounds GELU's argument and value to F16, NMSE 1e-7 to 2e-7 of the logits with norms about 1.
            yield block + "post_ffw_norm.weight", norm(WIDTH, 0.5)


def write(path, family, quantization, changed={}):
    f = FAMILIES[family]
    writer = gguf.GGUFWriter(path, f.architecture)
    writer.add_name(f"tiny {family}")
    writer.add_block_count(f.layers)
    writer.add_context_length(f.context)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(f.hidden)
    writer.add_head_count(f.heads)
    writer.add_head_count_kv(f.kv_heads)
    if "rope.freq_base" not in changed:
        writer.add_rope_freq_base(f.rope_base)
    writer.add_layer_norm_rms_eps(1e-6)
    if f.head_dim != WIDTH // f.heads or f.post_norms:
        writer.add_key_length(f.head_dim)
        writer.add_value_length(f.head_dim)
    if f.architecture in ("llama", "smollm3", "granite"):
        writer.add_rope_dimension_count(f.head_dim)
    if f.window:
        writer.add_sliding_window(f.window)
    for key, value in (f.keys | changed).items():
        add = {str: writer.add_string, int: writer.add_uint32, float: writer.add_float32}[type(value)]
        add(f"{f.architecture}.{key}", value)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("no_vocab")
    for name, values in tensors(f):
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


def logits(library, path, context_length=512, changed={}, window=0):
    """By position, as libllama computes them token by token.

    window: positions that a token sees, its own included, or 0 for all
    """
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
        if window and position >= window:
            library.llama_memory_seq_rm(library.llama_get_memory(context), 0, 0, position - window + 1)
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
        ("llama_get_memory", pointer, [pointer]),
        ("llama_memory_seq_rm", ctypes.c_bool, [pointer, ctypes.c_int32, ctypes.c_int32, ctypes.c_int32]),
        ("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float), [pointer, ctypes.c_int32]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def main(folder):
    library = load_library()
    for family in FAMILIES:
        reference = {"tokens": TOKENS, "logits": {}}
        for name in FAMILIES[family].formats:
            path = f"{folder}/tiny-{family}-{name}.gguf"
            write(path, family, FORMATS[name])
            for suffix, context_length in FAMILIES[family].contexts:
                reference["logits"][name + suffix] = logits(library, path, context_length)
        for window in FAMILIES[family].windows_by_removal:
            path = f"{folder}/tiny-{family}-F32.gguf"
            context_length = FAMILIES[family].contexts[0][1]
            reference["logits"][f"F32 window {window}"] = logits(library, path, context_length, window=window)
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


if __name__ == "__main__":
    main(sys.argv[1])
