package dev.quern.conformance.hostile;

import dev.quern.conformance.Hunt;
import java.util.Locale;
import java.util.Optional;

/// What became of a provider in the suite.
///
/// @param id the provider's
/// @param how whether it died, and how
/// @param check what it died of: `L5_exact_f32`; empty if it lives
/// @param subject on what: `F32 exact-f32`
/// @param tries cases of that check on that subject until then
/// @param seconds from the first check until then
record Death(String id, How how, String check, String subject, int tries, double seconds) {

  enum How {
    /// A case fails.
    KILLED,
    /// The process ends with a signal, beside a guard page for example.
    ENDS_THE_PROCESS,
    /// A check does not come to an end, and the suite does not end it.
    HANGS,
    /// The suite itself ends with an exception.
    ABORTS,
    SURVIVES
  }

  static Death of(String id, Optional<Hunt.Kill> kill, double seconds) {
    return kill.map(k -> new Death(id, How.KILLED, k.check(), k.subject(), k.tries(), seconds))
        .orElseGet(() -> new Death(id, How.SURVIVES, "", "", 0, seconds));
  }

  /// Whether the suite has found it. A run that hangs or aborts has found nothing: it has no
  /// verdict.
  boolean died() {
    return how == How.KILLED || how == How.ENDS_THE_PROCESS;
  }

  /// The rule's id of the check.
  String rule() {
    return check.contains("_") ? check.substring(0, check.indexOf('_')) : check;
  }

  /// Columns with a tab between, for another process.
  String line() {
    return String.format(
        Locale.ROOT, "%s\t%s\t%s\t%s\t%d\t%.3f", id, how, check, subject, tries, seconds);
  }

  static Death parse(String line) {
    String[] columns = line.split("\t", -1);
    return new Death(
        columns[0],
        How.valueOf(columns[1]),
        columns[2],
        columns[3],
        Integer.parseInt(columns[4]),
        Double.parseDouble(columns[5]));
  }
}
