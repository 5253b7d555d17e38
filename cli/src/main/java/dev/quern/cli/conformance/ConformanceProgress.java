package dev.quern.cli.conformance;

import dev.quern.cli.console.Console;
import dev.quern.conformance.CellResult;
import dev.quern.conformance.Comparison.Difference;
import dev.quern.llama.text.Printable;
import java.util.Locale;

/// Shows on a terminal what the suite is at, in one line that is written over.
final class ConformanceProgress implements AutoCloseable {
  private static final String ERASE = "\r\u001b[K";

  private final Console console;
  private final boolean enabled;
  private long cases;
  private long failures;

  ConformanceProgress(Console console) {
    this.console = console;
    this.enabled = console.interactive();
  }

  void tested(CellResult cell) {
    cases += cell.tries();
    failures += cell.failures();
    show(cell.operator() + " " + cell.subject() + " " + cell.testName());
  }

  void compared(Difference difference) {
    cases += difference.cases();
    show(difference.operator() + " " + difference.subject());
  }

  private void show(String what) {
    if (enabled) {
      console
          .progress()
          .printf(
              Locale.ROOT,
              "%s%,d cases, %,d failed: %s",
              ERASE,
              cases,
              failures,
              Printable.escaped(what));
      console.progress().flush();
    }
  }

  @Override
  public void close() {
    if (enabled) {
      console.progress().print(ERASE);
      console.progress().flush();
    }
  }
}
