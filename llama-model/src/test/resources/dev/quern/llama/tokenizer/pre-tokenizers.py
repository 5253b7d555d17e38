"""Token ids of texts as llama.cpp gives them with Llama 3's vocabulary and other pre-tokenizers.

    python3 pre-tokenizers.py LLAMA3-VOCABULARY.gguf TEXTS OUT.json

TEXTS are separated by a line `__ggml_vocab_test__`, as llama.cpp's tests have them. Made with gguf
0.19 and libllama 0.7.0, whose llama_model_params `VOCAB_ONLY` is a place in.
"""
import ctypes
import json
import sys
import tempfile

import gguf

EDGES = [
    "it's IT'S we'LL",
    "a  12",
    " 3 4",
    "x \n\n 5!?\n\n y",
    "\u00bd\u2167\u0663 12ab",
    "tab\t\tb 1.5",
    "don\u2019t  stop \u3000 9",
]


class Parameters(ctypes.Structure):
    """llama_model_params, which is shorter: passed by value, in memory."""

    _fields_ = [("words", ctypes.c_uint64 * 64)]


VOCAB_ONLY = 72 // 8  # the word whose lowest byte is the flag


def copy(source, pre, path):
    """The same vocabulary with another tokenizer.ggml.pre."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "tokenizer.ggml.pre"):
            continue
        kind = field.types[0]
        writer.add_key_value(field.name, field.contents(), kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    writer.add_tokenizer_pre(pre)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def ids(library, path, texts):
    parameters = library.llama_model_default_params()
    parameters.words[VOCAB_ONLY] |= 1
    model = library.llama_model_load_from_file(path.encode(), parameters)
    vocabulary = library.llama_model_get_vocab(model)
    found = []
    for text in texts:
        utf8 = text.encode()
        out = (ctypes.c_int32 * 4096)()
        count = library.llama_tokenize(vocabulary, utf8, len(utf8), out, 4096, False, False)
        found.append(list(out[:count]))
    return found


def main(source, texts_file, out):
    library = ctypes.CDLL("libllama.so.0")
    pointer = ctypes.c_void_p
    library.llama_model_default_params.restype = Parameters
    library.llama_model_load_from_file.restype = pointer
    library.llama_model_load_from_file.argtypes = [ctypes.c_char_p, Parameters]
    library.llama_model_get_vocab.restype = pointer
    library.llama_model_get_vocab.argtypes = [pointer]
    library.llama_tokenize.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, ctypes.c_int32, ctypes.c_bool, ctypes.c_bool]
    with open(texts_file, encoding="utf-8", newline="") as file:
        texts = file.read().split("\n__ggml_vocab_test__\n") + EDGES
    reference = {"texts": texts}
    for pre in ("qwen2", "smollm"):
        path = tempfile.mkdtemp() + "/vocabulary.gguf"
        copy(source, pre, path)
        reference[pre] = ids(library, path, texts)
    with open(out, "w", encoding="ascii") as file:
        json.dump(reference, file)


main(*sys.argv[1:])
