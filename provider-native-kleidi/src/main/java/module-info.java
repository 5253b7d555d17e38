module dev.quern.provider.kleidi {
  requires dev.quern.api;
}
