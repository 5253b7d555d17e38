package dev.quern;

/// The operators that are chosen one by one.
public enum Operator {
  LINEAR("linear"),
  ATTENTION("attention"),
  RMSNORM("rmsnorm"),
  ROPE("rope"),
  SWIGLU("swiglu");

  private final String id;

  Operator(String id) {
    this.id = id;
  }

  /// The name that properties, messages and reports use.
  public String id() {
    return id;
  }

  /// The property that chooses providers for this operator alone.
  public String property() {
    return KernelOptions.PROVIDER + "." + id;
  }

  @Override
  public String toString() {
    return id;
  }
}
