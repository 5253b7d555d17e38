/// The x86 provider: kernels as x86-64 machine code that Java assembles when a model is loaded,
/// called through the Foreign Function and Memory API. It needs Linux on an x86-64 CPU with AVX2,
/// and `--enable-native-access=dev.quern.provider.x86`.
@SuppressWarnings("module") // a name that ends in a digit, as the provider's does
module dev.quern.provider.x86 {
  requires dev.quern.api;

  provides dev.quern.spi.KernelProvider with
      dev.quern.provider.x86.X86Provider;
}
