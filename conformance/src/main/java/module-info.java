module dev.quern.conformance {
  requires dev.quern.api;
}
