/// The KleidiAI provider: linear operators on Arm's KleidiAI micro-kernels, called through the
/// Foreign Function and Memory API. It needs an aarch64 CPU with dot product instructions, a shared
/// library of KleidiAI, and `--enable-native-access=dev.quern.provider.kleidi`.
module dev.quern.provider.kleidi {
  requires dev.quern.api;

  provides dev.quern.spi.KernelProvider with
      dev.quern.provider.kleidi.KleidiProvider;
}
