/// The choice of the next token from a model's logits. Begin with
/// [dev.quern.llama.sampling.Sampler].
package dev.quern.llama.sampling;
