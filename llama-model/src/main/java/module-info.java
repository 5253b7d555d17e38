module dev.quern.llama {
  requires dev.quern.api;
}
