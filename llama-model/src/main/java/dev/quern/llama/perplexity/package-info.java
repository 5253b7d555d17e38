/// How well a model predicts a text, and how far its predictions are from another model's, by the
/// protocol of llama.cpp's `llama-perplexity`.
package dev.quern.llama.perplexity;
