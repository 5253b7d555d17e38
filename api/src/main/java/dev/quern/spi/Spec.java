package dev.quern.spi;

/// The version of SPEC.md that this API states.
///
/// @since 0.1
/// @stability contract
public final class Spec {
  /// `major * 1000 + minor`. A compile-time constant on purpose: a provider that returns it from
  /// [KernelProvider#specVersion()] carries the version that its JAR was built against.
  public static final int VERSION = 2_000;

  private Spec() {}

  /// The major version: a provider must have been built against the same.
  public static int major(int version) {
    return version / 1000;
  }

  /// The minor version: a provider must not have been built against a newer one.
  public static int minor(int version) {
    return version % 1000;
  }

  /// The version as people write it, for example `2.0`.
  public static String text(int version) {
    return major(version) + "." + minor(version);
  }
}
