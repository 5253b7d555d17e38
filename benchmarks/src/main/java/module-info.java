module dev.quern.benchmarks {
  requires dev.quern.api;
}
