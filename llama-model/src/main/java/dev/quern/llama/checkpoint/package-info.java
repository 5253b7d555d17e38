/// Named arrays out of model folders: safetensors, in one file or in shards, and PyTorch's `.pth`.
///
/// As with GGUF, the files come from strangers: every count, length, offset and type is checked
/// against the file before it is used, and whatever is wrong ends in a
/// [dev.quern.llama.checkpoint.CheckpointException] of one line. Nothing in such a file is
/// executed.
package dev.quern.llama.checkpoint;
