package dev.quern.provider.x86.memory;

/// The system gives no memory for code. Its message is one line: the reason, then the remedy.
public final class RefusedException extends Exception {
  private static final long serialVersionUID = 1;

  private final String reason;
  private final String remedy;

  RefusedException(String reason, String remedy) {
    super(reason + "; " + remedy);
    this.reason = reason;
    this.remedy = remedy;
  }

  public String reason() {
    return reason;
  }

  /// What the user can do.
  public String remedy() {
    return remedy;
  }
}
