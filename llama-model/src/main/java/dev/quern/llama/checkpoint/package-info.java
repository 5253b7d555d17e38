/// Models on disk. [dev.quern.llama.checkpoint.Checkpoint] is one in whatever container: a GGUF
/// file, or a folder with safetensors, in one file or in shards, or PyTorch's `.pth`. Below it are
/// the named arrays out of folders ([dev.quern.llama.checkpoint.TensorStore]).
///
/// As with GGUF, the files come from strangers: every count, length, offset and type is checked
/// against the file before it is used, and whatever is wrong ends in a
/// [dev.quern.llama.checkpoint.CheckpointException] of one line; what is sound, but no Llama model
/// as Quern runs it, in a [dev.quern.llama.error.LlamaException]. Nothing in such a file is
/// executed.
package dev.quern.llama.checkpoint;
