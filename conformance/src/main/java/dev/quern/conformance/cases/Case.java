package dev.quern.conformance.cases;

import java.util.List;

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

  /// A size of the call.
  ///
  /// @param name as SPEC.md has it: `inputs`
  record Size(String name, int value) {}

  /// Its sizes besides rows and workers.
  List<Size> sizes();

  /// What an integer of the case is a multiple of: inputs come in blocks.
  ///
  /// @param component its name
  default int unit(String component) {
    return 1;
  }

  /// Changes, for [CaseText#with], that make it a small call in which whatever a kernel keeps would
  /// show: what is called thousands of times.
  String small();

  /// The same, where it is called tens of thousands of times: one kind of call, if kinds differ in
  /// nothing that a kernel could keep.
  default String soaked() {
    return small();
  }

  /// Changes that make it as large as a model's where a kernel may begin to keep something (a long
  /// row, a wide norm, a far position), and small otherwise.
  String longRow();

  /// Changes, one at a time, that make it a case of another spec, the least there are: what a
  /// provider mixes up that goes by a part of the spec.
  List<String> otherSpecs();

  /// The class of shapes that reports count this case under.
  default String shapeClass() {
    return rows() == 1 ? "1 row" : rows() <= 8 ? "2-8 rows" : "9+ rows";
  }
}
