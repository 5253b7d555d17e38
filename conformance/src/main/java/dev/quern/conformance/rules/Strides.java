package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;

/// Cases whose rows lie far apart.
public final class Strides {
  private Strides() {}

  /// The case with all its pads (`xPad`, `tablePad`, ...) between 13 and some 5,000 floats, which
  /// is pages, and no two alike. A smaller pad gives a smaller one, so that they shrink.
  public static <C extends Record> C wide(C c) {
    List<String> changes = new ArrayList<>();
    for (RecordComponent component : c.getClass().getRecordComponents()) {
      if (component.getName().endsWith("Pad")) {
        int pad = pad(component, c);
        changes.add(component.getName() + "=" + (13 * (pad + 1) * (pad + 1) + 7 * changes.size()));
      }
    }
    return CaseText.with(c, String.join(",", changes));
  }

  /// The case with no more than three rows.
  static <C extends Record & Case> C few(C c) {
    return c.rows() <= 3 ? c : CaseText.with(c, "rows=3");
  }

  /// The case with the same pad everywhere.
  static <C extends Record> C equal(C c, int pad) {
    List<String> changes = new ArrayList<>();
    for (RecordComponent component : c.getClass().getRecordComponents()) {
      if (component.getName().endsWith("Pad")) {
        changes.add(component.getName() + "=" + pad);
      }
    }
    return CaseText.with(c, String.join(",", changes));
  }

  private static int pad(RecordComponent component, Record c) {
    try {
      return (int) component.getAccessor().invoke(c);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
