package dev.quern.llama;

import dev.quern.KernelOptions;

/// The scalar provider on two threads, whose bits depend neither on these nor on what else is
/// computed: for tests that compare one way to a text with another.
final class InvariantScalar {
  private InvariantScalar() {}

  static LoadOptions options() {
    KernelOptions kernels =
        KernelOptions.fromSystem()
            .with("quern.provider", "scalar")
            .with("quern.numerics", "invariant");
    return LoadOptions.defaults().withKernels(kernels).withThreads(2);
  }
}
