/// GGUF, the model file format of ggml: reading (versions 2 and 3, shards) and writing.
///
/// Model files come from strangers. Every count, length, offset and type is checked against the
/// file before it is used; what is allocated grows with what the file holds, never with what it
/// claims to hold. Whatever is wrong with a file ends in a [dev.quern.llama.gguf.GgufException].
///
/// The format is described in `docs/gguf.md` of the ggml repository. The limits that this package
/// adds are constants of the classes that apply them.
package dev.quern.llama.gguf;
