package dev.quern.cli;

import java.io.PrintStream;

/// Where a command prints.
///
/// @param out results: text, JSON, tables
/// @param err metrics, progress, messages
record Console(PrintStream out, PrintStream err) {
  /// Whether a person watches the standard streams.
  boolean interactive() {
    return System.console() != null && System.console().isTerminal();
  }
}
