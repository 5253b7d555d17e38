package dev.quern;

/// What Quern throws on purpose, and whoever calls it may want to show: what was asked for can't be
/// done, a file can't be used, or a provider failed. The message is for the user: what, where, what
/// was expected, and the remedy if there is one; in one line, but for a [SelectionException].
///
/// A wrong argument is an [IllegalArgumentException], and a call at the wrong time an
/// [IllegalStateException]: those are mistakes of the program that calls. Files that can't be read
/// or written are [java.io.IOException]s.
///
/// @since 0.1
/// @stability api
public abstract class QuernException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  protected QuernException(String message) {
    super(message);
  }

  protected QuernException(String message, Throwable cause) {
    super(message, cause);
  }

  /// Whose failure it is. Unless a class says otherwise, a file, a machine or an installation can't
  /// do what is asked of it.
  public Blame blame() {
    return Blame.SETUP;
  }
}
