package dev.quern.llama;

import dev.quern.Kernels;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.LlamaWeights;

/// What of a model computes.
///
/// @param context positions of a session's KV cache, which the operators are chosen for
/// @param weightBytes that the weights take in memory
/// @param kernels where operators and weights came from
record Network(
    LlamaConfig config,
    int context,
    long weightBytes,
    Kernels kernels,
    ForwardPass.Operators operators,
    LlamaWeights weights) {}
