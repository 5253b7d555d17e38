package dev.quern.provider.x86.interpreter;

/// What interpreted code must not do: an access outside of its operands, a broken convention, an
/// instruction whose meaning is not known for its operands.
public final class Fault extends RuntimeException {
  private static final long serialVersionUID = 1;

  Fault(String message) {
    super(message);
  }
}
