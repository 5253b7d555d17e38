"""llama.cpp's logits of tiny1 in weight formats, and blocks with what they stand for.

    llama-quantize tiny1-F32.gguf tiny1-Q2_K.gguf Q2_K 1
    llama-quantize tiny1-F32.gguf tiny1-Q3_K_M.gguf Q3_K_M 1
    llama-quantize --token-embedding-type mxfp4 --tensor-type attn=mxfp4 --tensor-type ffn=mxfp4 \\
        tiny1-F32.gguf tiny1-MXFP4.gguf MXFP4_MOE 1
    python3 tiny-formats.py FOLDER REFERENCE

Reads these files of FOLDER, and the tokens of REFERENCE (`tiny1.reference.json`). Writes
FOLDER/tiny1-FILE.reference.json: logits of the file, whose activations libllama rounds, and under
"F32" those of a file of the same weights in F32, which it does not. Writes FOLDER/golden.json: the
first two blocks of a matrix of each format and two of any bytes, and their values by gguf-py. Made
with gguf 0.19 and libllama 0.7.0.
"""
import importlib
import json
import sys

import gguf
import numpy as np

families = importlib.import_module("tiny-families")

FILES = ("Q2_K", "Q3_K_M", "MXFP4")
FORMATS = {"Q2_K": "Q2_K", "Q3_K": "Q3_K_M", "MXFP4": "MXFP4"}
BLOCKS_OF = "blk.0.ffn_up.weight"
SCALES = {"Q2_K": (80, 82), "Q3_K": (108,), "MXFP4": ()}  # bytes of F16 numbers


def values(tensor):
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type)


def in_f32(reader, path):
    """The same model, its weights decoded."""
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name not in ("general.architecture", "general.file_type"):
            kinds = field.types + [None]
            writer.add_key_value(field.name, field.contents(), kinds[0], kinds[1])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, np.ascontiguousarray(values(tensor), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def golden(reader, name):
    tensor = next(t for t in reader.tensors if t.name == BLOCKS_OF)
    kind = tensor.tensor_type
    size, count = gguf.GGML_QUANT_SIZES[kind][1], gguf.GGML_QUANT_SIZES[kind][0]
    blocks = tensor.data.reshape(-1, size)[:2]
    random = np.random.default_rng(9)
    more = random.integers(0, 256, (2, size), dtype=np.uint8)
    for at in SCALES[name]:
        more[:, at : at + 2] = random.normal(size=2).astype(np.float16).reshape(2, 1).view(np.uint8)
    if name == "MXFP4":  # the smallest scales, and the largest that no value overflows by
        more = random.integers(0, 256, (4, size), dtype=np.uint8)
        more[:, 0] = (0, 1, 2, 252)
    blocks = np.concatenate([blocks, more])
    decoded = gguf.quants.dequantize(blocks, kind).reshape(-1)
    return {
        "blockElements": count,
        "blockBytes": size,
        "bytes": blocks.tobytes().hex(),
        "values": [float(f"{value:.9g}") for value in decoded],
    }


def main(folder, reference):
    with open(reference, encoding="ascii") as file:
        tokens = json.load(file)["tokens"]
    families.TOKENS, families.VOCABULARY = tokens, 512
    library = families.load_library()
    for name in FILES:
        path = f"{folder}/tiny1-{name}.gguf"
        decoded = f"{folder}/{name}-decoded.gguf"
        in_f32(gguf.GGUFReader(path), decoded)
        found = {name: families.logits(library, path), "F32": families.logits(library, decoded)}
        with open(f"{folder}/tiny1-{name}.reference.json", "w", encoding="ascii") as out:
            json.dump({"tokens": tokens, "logits": found}, out)
    blocks = {name: golden(gguf.GGUFReader(f"{folder}/tiny1-{file}.gguf"), name) for name, file in FORMATS.items()}
    with open(f"{folder}/golden.json", "w", encoding="ascii") as out:
        json.dump(blocks, out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
