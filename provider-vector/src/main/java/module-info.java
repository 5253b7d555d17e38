module dev.quern.provider.vector {
  requires dev.quern.api;
}
