package dev.quern.conformance.cases;

/// One call of a kernel with everything it needs, as a short record: shapes, distributions, and the
/// seed that the operands are generated from. [CaseText] writes it on one line and reads it back.
public interface Case {
  /// The operator's spec.
  Object spec();

  /// Rows of the call.
  int rows();

  /// The threads of the call.
  Schedule schedule();

  /// What operands are generated from (see [Mix]).
  long seed();

  /// What an integer of the case is a multiple of: inputs come in blocks.
  ///
  /// @param component its name
  default int unit(String component) {
    return 1;
  }

  /// The class of shapes that reports count this case under.
  default String shapeClass() {
    return rows() == 1 ? "1 row" : rows() <= 8 ? "2-8 rows" : "9+ rows";
  }
}
