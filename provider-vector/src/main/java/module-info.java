/// The vector provider: kernels on the Java Vector API. On the module path it brings the incubator
/// module along; on the class path the JVM needs `--add-modules jdk.incubator.vector`.
module dev.quern.provider.vector {
  requires dev.quern.api;
  requires jdk.incubator.vector;
  requires jdk.management; // so that Platform.flags() is there, which JvmFlags asks

  provides dev.quern.spi.KernelProvider with
      dev.quern.provider.vector.VectorProvider;
}
