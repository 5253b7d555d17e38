module dev.quern.llama {
  requires dev.quern.api;

  exports dev.quern.llama.sampling;
  exports dev.quern.llama.tokenizer;
}
