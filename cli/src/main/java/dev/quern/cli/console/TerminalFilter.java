package dev.quern.cli.console;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// Keeps text from commanding a terminal: control characters but tab and line ends are written as
/// escapes, `\u001b` for ESC. Works on UTF-8, where a character of C1 is 0xC2 and a byte below
/// 0xA0.
final class TerminalFilter extends OutputStream {
  private static final int C1_LEAD = 0xC2;
  private static final int NONE = -1;

  private final OutputStream out;
  private int held = NONE; // a byte whose meaning depends on the next one

  TerminalFilter(OutputStream out) {
    this.out = out;
  }

  @Override
  public void write(int b) throws IOException {
    int value = b & 0xff;
    int before = held;
    held = NONE;
    if (before == C1_LEAD && value >= 0x80 && value < 0xA0) {
      escape(value);
      return;
    }
    if (before == C1_LEAD || before == '\r' && value == '\n') {
      out.write(before);
    } else if (before == '\r') { // alone it would let text write over its own line
      out.write('\\');
      out.write('r');
    }
    if (value == C1_LEAD || value == '\r') {
      held = value;
    } else if (value == 0x7f || value < 0x20 && value != '\n' && value != '\t') {
      escape(value);
    } else {
      out.write(value);
    }
  }

  @Override
  public void write(byte[] bytes, int from, int length) throws IOException {
    for (int i = from; i < from + length; i++) {
      write(bytes[i]);
    }
  }

  @Override
  public void flush() throws IOException {
    out.flush();
  }

  private void escape(int control) throws IOException {
    out.write(String.format(Locale.ROOT, "\\u%04x", control).getBytes(StandardCharsets.US_ASCII));
  }
}
