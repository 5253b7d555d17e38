package dev.quern;

/// A kernel of a provider failed: a defect of that provider, and not of the application or of
/// Quern. The message names operator, spec, provider and variant; the cause is what the provider
/// threw (SPEC.md, P18).
///
/// Errors of the JVM ([OutOfMemoryError], [InternalError] where a mapped file was cut) come as they
/// are, since they are seldom the fault of the code that they meet.
///
/// @since 0.1
/// @stability api
public final class ProviderException extends QuernException {
  private static final long serialVersionUID = 1L;

  ProviderException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public Blame blame() {
    return Blame.DEFECT;
  }
}
