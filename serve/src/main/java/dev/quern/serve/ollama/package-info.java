/// Ollama's protocol. What changes models on disk is refused.
package dev.quern.serve.ollama;
