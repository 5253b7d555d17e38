/// Llama models: load one ([dev.quern.llama.LlamaModel]), open a session
/// ([dev.quern.llama.LlamaSession]), stream tokens.
package dev.quern.llama;
