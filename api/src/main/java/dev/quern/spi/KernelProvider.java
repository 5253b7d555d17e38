package dev.quern.spi;

/// Makes kernels, and is found by [java.util.ServiceLoader]. Its JAR names it both in `module-info`
/// (`provides dev.quern.spi.KernelProvider with ...`) and in `META-INF/services`, and so works on
/// the module path and on the class path.
///
/// The class itself must load anywhere: it touches no incubator type and no native symbol. It keeps
/// nothing of what it was asked: all that depends on a platform is in the [KernelSet] that was
/// opened for it. Where nothing does, it may be that set itself.
///
/// @since 0.1
/// @stability contract
public interface KernelProvider {
  /// The name that users select it by: a letter, then letters, digits, `-` or `_`, all lower case.
  String name();

  /// Its place under `auto`, the highest first: 0 scalar, 100 vector, 200 native. Two ready
  /// providers with the same priority are an error.
  int priority();

  /// Always `return Spec.VERSION;`, which records what the JAR was built against. It is asked
  /// first, and nothing else of a JAR that was built against another major version.
  int specVersion();

  /// Opens its kernels for a platform, or says why they can't run there. Cheap and total: it never
  /// throws. It may be called again while sets that it opened before are open, for the same
  /// platform or for another. Whoever calls it closes what it opens.
  Availability open(Platform platform);
}
