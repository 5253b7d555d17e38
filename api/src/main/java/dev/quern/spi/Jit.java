package dev.quern.spi;

/// What runs hot code in this JVM.
///
/// @since 0.1
/// @stability contract
public enum Jit {
  /// The optimising compiler: vector code becomes vector instructions.
  C2,
  /// Only the client compiler.
  C1,
  /// No compiler.
  INTERPRETER,
  /// Another JVM, of which nothing is known.
  UNKNOWN
}
