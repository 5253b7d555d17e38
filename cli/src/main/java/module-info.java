module dev.quern.cli {
  requires dev.quern.llama;
}
