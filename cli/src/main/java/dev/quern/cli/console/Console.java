package dev.quern.cli.console;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Where a command reads and prints: all of it UTF-8, which models speak, whatever the terminal's
/// locale says.
///
/// A failure of standard output ends the command (see [StandardOutput]); one of standard error does
/// not, since nobody would hear of it.
public final class Console {
  private final InputStream in;
  private final PrintStream out;
  private final PrintStream rawOut;
  private final PrintStream err;
  private final PrintStream rawErr;
  private final StandardStream input;
  private final boolean quiet;

  /// The process's own.
  public static Console ofProcess() {
    StandardStream input = StandardStream.of(0);
    return new Console(
        input == StandardStream.CLOSED
            ? InputStream.nullInputStream()
            : Restart.recording(new FileInputStream(FileDescriptor.in)),
        new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)),
        new BufferedOutputStream(new FileOutputStream(FileDescriptor.err)),
        input,
        StandardStream.of(1));
  }

  /// @param input what `in` is
  /// @param output what `out` is
  public Console(
      InputStream in,
      OutputStream out,
      OutputStream err,
      StandardStream input,
      StandardStream output) {
    this.in = in;
    this.input = input;
    OutputStream checked = new StandardOutput(out, output);
    rawOut = utf8(checked);
    this.out = output == StandardStream.TERMINAL ? utf8(new TerminalFilter(checked)) : rawOut;
    rawErr = utf8(err);
    this.err = utf8(new TerminalFilter(err));
    quiet = false;
  }

  private Console(Console loud) {
    in = loud.in;
    input = loud.input;
    out = loud.out;
    rawOut = loud.rawOut;
    rawErr = loud.rawErr;
    err = loud.err;
    quiet = true;
  }

  /// This console, for results and errors and nothing else.
  public Console quiet() {
    return new Console(this);
  }

  private static PrintStream utf8(OutputStream stream) {
    return new PrintStream(stream, true, StandardCharsets.UTF_8);
  }

  /// Standard input, as bytes; [TextInput] makes text of it.
  InputStream in() {
    return in;
  }

  /// What was read of standard input so far, nothing where it is closed; empty where that is not
  /// known.
  Optional<byte[]> recorded() {
    return in instanceof RecordedInput recorded ? recorded.bytes() : Optional.of(new byte[0]);
  }

  /// Whether there is something to read that a person does not type.
  public boolean inputIsGiven() {
    return input == StandardStream.PIPE || input == StandardStream.FILE;
  }

  /// Results: text, JSON, tables. On a terminal control characters are shown, not obeyed.
  public PrintStream out() {
    return out;
  }

  /// Results as they are, on a terminal too.
  public PrintStream rawOut() {
    return rawOut;
  }

  /// Metrics and messages. Control characters are shown, not obeyed.
  public PrintStream err() {
    return err;
  }

  /// Messages that a user may do without; nowhere on a console that is quiet.
  public PrintStream notes() {
    return quiet ? utf8(OutputStream.nullOutputStream()) : err;
  }

  /// Whether how far work is may be shown: a person watches, and wants to see it.
  public boolean showsProgress() {
    return interactive() && !quiet;
  }

  /// Lines of progress, which are written over by control sequences of ours.
  public PrintStream progress() {
    return rawErr;
  }

  /// Whether a person watches the standard streams.
  public boolean interactive() {
    return System.console() != null && System.console().isTerminal();
  }
}
