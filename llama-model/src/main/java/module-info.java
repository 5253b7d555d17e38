/// Llama models: their files, tokenizers, forward pass and sampling.
@SuppressWarnings("module") // dev.quern.cli is compiled later
module dev.quern.llama {
  requires jdk.jfr;
  requires transitive dev.quern.api;
  requires com.fasterxml.jackson.core;
  // An artifact of its own; whoever loads the demo model adds it.
  requires static dev.quern.demo;

  exports dev.quern.llama;
  exports dev.quern.llama.chat;
  exports dev.quern.llama.checkpoint;
  exports dev.quern.llama.constrain;
  exports dev.quern.llama.error;
  exports dev.quern.llama.gguf;
  exports dev.quern.llama.perplexity;
  exports dev.quern.llama.quantize;
  exports dev.quern.llama.sampling;
  exports dev.quern.llama.text to
      dev.quern.cli,
      dev.quern.serve;
  exports dev.quern.llama.tokenizer;
}
