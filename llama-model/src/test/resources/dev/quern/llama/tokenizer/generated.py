"""Token ids of 2,000 generated texts, as llama.cpp and Hugging Face's tokenizers give them.

    python3 generated.py texts REFERENCE.json.gz
    python3 generated.py llama.cpp REFERENCE.json.gz [VOCABULARY.gguf ...]
    python3 generated.py tokenizers REFERENCE.json.gz

`texts` draws the texts from a seed and makes a byte-level vocabulary: the 256 bytes, merges that are learned from half of the texts as
a whole, so that they lie across words, and a few tokens that no merge makes; and a SentencePiece vocabulary as Gemma's is made: characters,
pieces with spaces in them, pairs of equal scores, runs of spaces and newlines that are user-defined. `llama.cpp` adds the ids of that vocabulary under each
`tokenizer.ggml.pre`, and of whole vocabularies, without and with special tokens; `tokenizers` adds those of the published expressions. Of
the ids of a text 24 bits of their CRC-32 are kept, as 32-bit little-endian numbers. Made with gguf 0.19, libllama 0.7.0 (whose
llama_model_params `VOCAB_ONLY` is a place in) and tokenizers 0.23.2.
"""
import base64
import collections
import ctypes
import gzip
import json
import os
import random
import struct
import sys
import tempfile
import unicodedata
import zlib

COUNT = 2000
MERGES = 700
EXTRA = ["Ġthe", "hello", "Ġtown", "123", "20", "'ll", "ĠĠĠ", "!!", "ĊĊ", "é", "Ġdé", "World", "Ġ1"]
MARKERS = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]

# All were assigned by Unicode 12, so that every table since then has the same of them.
POOLS = [
    (10, ["the", "The", "hello", "World", "town", "HTTPServer", "iPhone", "McDonald", "camelCase", "SHOUT", "x", "Q", "code", "token"]),
    (7, [" "]),
    (2, ["  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n", "\n ", "\t\t ", " \r\n \n", "\u00a0", "\u2003", "\u3000", "\u2028", "\u0085", "\u1680", "\v", "\f"]),
    (4, ["'s", "'S", "'t", "'re", "'RE", "'Ve", "'m", "'ll", "'LL", "'d", "'x", "\u2019s", "'", "''", "s'"]),
    (4, ["0", "7", "12", "2026", "123456", "1,000", "3.14", "1e9", "0x1F", "\u00bd", "\u2167", "\u0663\u0664", "\u00b2", "\u3007", "\u0967", "\uff15", "\U0001d7d8"]),
    (5, [".", ",", "!", "?", "!!", "...", "(", ")", "-", "_", "/", "//", "/\n", "!\n\n", "*", "#", "$", "+", "=>", "^", "~", "|", "`", "<", ">", "&", "@", "\u2014", "\u00ab", "\u00bf", "\u3002", "\uff0c", "\u20ac", "\u00a9", "\u2192", "\u2211"]),
    (3, ["\u00e9", "\u00df", "na\u00efve", "\u00c9COLE", "\u017d", "\u0101", "\u00f8", "\u0130", "\u01c5", "\u02b0", "\u00aa", "\u1d2c", "\u00b5"]),
    (3, ["\u041f\u0440\u0438\u0432\u0435\u0442", "\u041c\u0438\u0440", "\u043c\u0418\u0440", "\u0388\u03bb\u03bb\u03b7\u03bd", "\u03b1\u0392\u03b3", "\u0531\u0580", "\U00010400\U00010428", "\u10d0\u10d1"]),
    (3, ["\u65e5\u672c", "\u6f22", "\u3042", "\u30ab\u30bf\u30fc", "\u3005", "\ud55c\uad6d", "\u4f60\u597d\u3002", "\uff21\uff42"]),
    (3, ["\u0939\u093f\u0928\u094d\u0926\u0940", "\u0915\u094d\u0937", "\u0e44\u0e17\u0e22", "\u0e01\u0e33", "\u1780\u17b6\u1793\u17cb", "\u05e9\u05b8\u05c1", "\u0645\u064f\u062d", "\u0ba4\u0bae\u0bbf", "\u0985\u09be"]),
    (2, ["\u0301", "\u0323", "e\u0301", "E\u0301", "\u20dd", "\u0903", "\u0327\u0301", "\u30ab\u3099", "A\u030a"]),
    (2, ["\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f", "\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd", "\u2705", "\U0001d54f", "1\ufe0f\u20e3"]),
    (1, ["\x00", "\x01", "\x1b[0m", "\x1c", "\x7f", "\x9f", "\u200b", "\ufeff", "\u00ad", "\u2060", "\ue000", "\ufffd", "\ud83d", "\udc00", "\u2581", "\u2581\u2581"]),
    (1, ["<s>", "</s>", "<unk>", "<0x41>", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|begin_of_text|>", "<|user|>", "<|end|>\n", "<|assistant|>\n ", "[INST]", "<start_of_turn>", "<|user|", "<bos>"]),
]


def drawn():
    chance = random.Random(20261130)
    pools = [pool for _, pool in POOLS]
    weights = [weight for weight, _ in POOLS]
    texts = ["", " ", "a"]
    while len(texts) < COUNT:
        parts = [chance.choice(pool) for pool in chance.choices(pools, weights, k=chance.choice([2, 4, 8, 16, 24]))]
        if chance.random() < 0.1:
            parts.append(chance.choice(parts) * chance.randrange(2, 40))
        texts.append("".join(parts))
    return json.loads(json.dumps(texts))  # as a reader of the file has them: surrogates that meet are a pair


def well_formed(text):
    return "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)


def alphabet():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}


def learned(texts):
    """Merges of byte-pair encoding, without words; none makes a special token."""
    letters = alphabet()
    symbols = [[letters[b] for b in well_formed(text).encode()] for text in texts]
    merges, made = [], set()
    while len(merges) < MERGES:
        pairs = collections.Counter(pair for line in symbols for pair in zip(line, line[1:]))
        best = min((p for p in pairs if p[0] + p[1] not in made and len(p[0] + p[1]) <= 6), key=lambda p: (-pairs[p], p))
        merges.append(f"{best[0]} {best[1]}")
        made.add(best[0] + best[1])
        for n, line in enumerate(symbols):
            out, at = [], 0
            while at < len(line):
                two = at + 1 < len(line) and (line[at], line[at + 1]) == best
                out.append(line[at] + line[at + 1] if two else line[at])
                at += 2 if two else 1
            symbols[n] = out
    return merges


def tokens_of(merges):
    """As the test has them: bytes, what merges make, tokens without merges, markers."""
    tokens = [alphabet()[b] for b in range(256)]
    for merge in merges:
        if merge.replace(" ", "") not in tokens:
            tokens.append(merge.replace(" ", ""))
    return tokens + [token for token in EXTRA if token not in tokens] + MARKERS


USER_DEFINED = ["\n\n", "\n\n\n", "\u2581\u2581", "\u2581\u2581\u2581", "\t\t", "<h1>", "<|user|", "<0x41"]


def sentence_pieces(texts):
    """[text, type, score] of each token. No piece begins a special token, which llama.cpp would make of text."""
    symbols = [list(well_formed(text).replace(" ", "\u2581")) for text in texts]
    counts = collections.Counter(c for line in symbols for c in line)
    pieces = [[text, 3, 0.0] for text in ("<pad>", "<eos>", "<bos>")] + [["<unk>", 2, 0.0]]
    pieces += [[text, 4, -1000.0] for text in USER_DEFINED]
    pieces += [[f"<0x{b:02X}>", 6, 0.0] for b in range(256)]
    known = {text for text, _, _ in pieces}
    for n in range(400):
        pairs = collections.Counter(a + b for line in symbols for a, b in zip(line, line[1:]))
        best = min((p for p in pairs if p not in known and len(p) <= 6 and not set("<>\0") & set(p)), key=lambda p: (-pairs[p], p))
        pieces.append([best, 1, -1.0 - n // 2])  # pairs of equal scores
        known.add(best)
        for row, line in enumerate(symbols):
            out, at = [], 0
            while at < len(line):
                two = at + 1 < len(line) and line[at] + line[at + 1] == best
                out.append(best if two else line[at])
                at += 2 if two else 1
            symbols[row] = out
    return pieces + [[c, 1, -1000.0 - n] for n, (c, count) in enumerate(sorted(counts.items())) if count > 3 and c not in known and c != "\0"]


def digest(all_ids):
    sums = [zlib.crc32(struct.pack(f"<{len(ids)}i", *ids)) & 0xFFFFFF for ids in all_ids]
    return base64.b64encode(b"".join(struct.pack("<I", s)[:3] for s in sums)).decode()


class Parameters(ctypes.Structure):
    """llama_model_params, which is shorter: passed by value, in memory."""

    _fields_ = [("words", ctypes.c_uint64 * 64)]


VOCAB_ONLY = 72 // 8  # the word whose lowest byte is the flag


def llama_cpp(path, texts, special=False):
    library = ctypes.CDLL("libllama.so.0")
    pointer = ctypes.c_void_p
    library.llama_model_default_params.restype = Parameters
    library.llama_model_load_from_file.restype = pointer
    library.llama_model_load_from_file.argtypes = [ctypes.c_char_p, Parameters]
    library.llama_model_get_vocab.restype = pointer
    library.llama_model_get_vocab.argtypes = [pointer]
    library.llama_vocab_get_add_bos.restype = ctypes.c_bool
    library.llama_vocab_get_add_bos.argtypes = [pointer]
    library.llama_tokenize.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, ctypes.c_int32, ctypes.c_bool, ctypes.c_bool]
    parameters = library.llama_model_default_params()
    parameters.words[VOCAB_ONLY] |= 1
    vocabulary = library.llama_model_get_vocab(library.llama_model_load_from_file(path.encode(), parameters))
    found = []
    for text in texts:
        utf8 = well_formed(text).encode()
        out = (ctypes.c_int32 * 8192)()
        count = library.llama_tokenize(vocabulary, utf8, len(utf8), out, 8192, False, special)
        assert count >= 0
        found.append(list(out[:count]))
    return found, library.llama_vocab_get_add_bos(vocabulary)


def write_pieces(path, prefix, reference):
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _, _ in reference["pieces"]])
    writer.add_token_types([kind for _, kind, _ in reference["pieces"]])
    writer.add_token_scores([score for _, _, score in reference["pieces"]])
    writer.add_eos_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_unk_token_id(3)
    writer.add_add_space_prefix(prefix)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def write(path, pre, reference):
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    tokens = tokens_of(reference["merges"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in MARKERS else 1 for token in tokens])
    writer.add_token_merges(reference["merges"])
    writer.add_bos_token_id(tokens.index(MARKERS[0]))
    writer.add_eos_token_id(tokens.index(MARKERS[1]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


KINDS = [
    "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
    "smaug-bpe dbrx glm4 chatglm-bpe",
    "qwen2 deepseek-r1-qwen",
    "stablelm2 kormo f2llmv2 megrez hunyuan solar-open grok-2",
    "smollm refact starcoder command-r codeshell exaone minerva-7b mellum2",
    "gpt-2 phi-2 mpt olmo jais trillion granite-docling gigachat a.x-4.0 mellum exaone4",
    "tekken",
    "gpt-4o llama4 kanana2 talkie minimax-m2",
    "default",
]
COMPOSING = ["qwen2", "deepseek-r1-qwen"]


def by_llama_cpp(reference, vocabularies):
    reference["llama.cpp"] = {}
    reference["names"] = {}
    for kind in KINDS:
        names = kind.split(" ")
        results = []
        for pre in names:
            path = tempfile.mkdtemp() + "/vocabulary.gguf"
            write(path, pre, reference)
            texts = reference["texts"]
            if pre in COMPOSING:
                texts = [unicodedata.normalize("NFC", text) for text in texts]
            ids, adds_bos = llama_cpp(path, texts)
            results.append((digest(ids), adds_bos))
        assert len(set(results)) == 1, kind  # names of one kind
        reference["llama.cpp"][names[0]], adds_bos = results[0]
        reference["names"][names[0]] = [adds_bos, names]
    for prefix in (False, True):
        path = tempfile.mkdtemp() + "/vocabulary.gguf"
        write_pieces(path, prefix, reference)
        reference["llama.cpp"]["pieces-" + ("each" if prefix else "never")] = [digest(llama_cpp(path, reference["texts"], special)[0]) for special in (False, True)]
    reference["vocabularies"] = {}
    for path in vocabularies:
        reference["vocabularies"][os.path.basename(path)] = [digest(llama_cpp(path, reference["texts"], special)[0]) for special in (False, True)]


WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def cased(contractions, number):
    prefix = r"[^\r\n\p{L}\p{N}]?"
    return (
        f"{prefix}{UPPER}*{LOWER}+{contractions}|{prefix}{UPPER}+{LOWER}*{contractions}|{number}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


def by_tokenizers(reference):
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    def split(expression):
        return [pre_tokenizers.Split(Regex(expression), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]

    qwen2 = split(WORDS.replace("{1,3}", ""))
    gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    steps = {
        "llama-bpe": split(WORDS),
        "smaug-bpe": split(WORDS),
        "qwen2": qwen2,
        "stablelm2": qwen2,
        "smollm": [pre_tokenizers.Digits(individual_digits=True), gpt2],
        "gpt-2": [gpt2],
        "tekken": split(cased("", r"\p{N}")),
        "gpt-4o": split(cased("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", r"\p{N}{1,3}")),
    }
    vocabulary = {token: n for n, token in enumerate(tokens_of(reference["merges"]))}
    merges = [tuple(merge.split(" ")) for merge in reference["merges"]]
    reference["tokenizers"] = {}
    for pre, sequence in steps.items():
        tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=pre in ("llama-bpe", "tekken")))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(sequence)
        if pre in COMPOSING:
            tokenizer.normalizer = normalizers.NFC()
        reference["tokenizers"][pre] = digest([tokenizer.encode(well_formed(text)).ids for text in reference["texts"]])


def main(command, out, *more):
    reference = {}
    if command != "texts":
        with gzip.open(out, "rt", encoding="ascii") as file:
            reference = json.load(file)
    if command == "texts":
        texts = drawn()
        reference = {"texts": texts, "merges": learned(texts[::2]), "extra": EXTRA, "pieces": sentence_pieces(texts[::2])}
    elif command == "llama.cpp":
        by_llama_cpp(reference, more)
    else:
        by_tokenizers(reference)
    with open(out, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(json.dumps(reference, separators=(",", ":")).encode("ascii"))


main(*sys.argv[1:])
