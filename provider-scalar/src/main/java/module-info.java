module dev.quern.provider.scalar {
  requires dev.quern.api;
}
