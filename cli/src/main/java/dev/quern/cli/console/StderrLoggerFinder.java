package dev.quern.cli.console;

import dev.quern.llama.text.Printable;
import java.text.MessageFormat;
import java.util.Locale;
import java.util.ResourceBundle;

/// Prints log records as single lines on stderr, so that a warning of a provider looks like any
/// other message of the command line. Warnings and errors by default; `-Dquern.log=info` or `debug`
/// for more.
public final class StderrLoggerFinder extends System.LoggerFinder {
  public StderrLoggerFinder() {}

  @Override
  public System.Logger getLogger(String name, Module module) {
    return new StderrLogger(name);
  }

  /// What is asked for, read when there is something to say: loggers are made with the classes that
  /// use them, some of them before `-Dquern.log` behind a command is known.
  private static final class Threshold {
    static final System.Logger.Level LEVEL = threshold(System.getProperty("quern.log", "warning"));
  }

  private static System.Logger.Level threshold(String level) {
    for (System.Logger.Level l : System.Logger.Level.values()) {
      if (l.name().equals(level.toUpperCase(Locale.ROOT))) {
        return l;
      }
    }
    System.err.printf(
        Locale.ROOT,
        "quern: quern.log=%s, expected error, warning, info, debug or off; using warning%n",
        level);
    return System.Logger.Level.WARNING;
  }

  private record StderrLogger(String getName) implements System.Logger {
    @Override
    public boolean isLoggable(Level level) {
      // Only Quern's own records below WARNING: the JDK logs much at INFO and DEBUG.
      return (level.getSeverity() >= Level.WARNING.getSeverity() || getName.startsWith("dev.quern"))
          && level.getSeverity() >= Threshold.LEVEL.getSeverity();
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String message, Throwable thrown) {
      if (isLoggable(level)) {
        System.err.println(
            "quern: " + level.name().toLowerCase(Locale.ROOT) + ": " + Printable.escaped(message));
        if (thrown != null) {
          thrown.printStackTrace();
        }
      }
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String format, Object... params) {
      boolean plain = params == null || params.length == 0;
      log(
          level,
          bundle,
          plain ? format : new MessageFormat(format, Locale.ROOT).format(params),
          (Throwable) null);
    }
  }
}
