/// The scalar provider: every operator and every standard format in plain Java, with no flags. It
/// is the slowest and completes what other providers decline.
module dev.quern.provider.scalar {
  requires dev.quern.api;

  provides dev.quern.spi.KernelProvider with
      dev.quern.provider.scalar.ScalarProvider;
}
