package dev.quern.cli.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.Quern;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What happens to what commands print.
class OutputTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "run --prompt Once -n 3",
        "tokenize --ids hello",
        "tokenize hello",
        "logits --tokens 1,2",
        "inspect",
        "explain",
        "bench --prompt-tokens 4 --gen-tokens 4 --repetitions 1 --warmup 0",
        "--help",
        "--version",
        "help run",
        "run --help",
        "bench --version",
      })
  void aFailureOfStandardOutputEndsEveryCommand(String command) {
    for (int taken : new int[] {0, 5}) {
      Result full = run(new FullStream(taken), StandardStream.FILE, command);
      assertEquals(1, full.code, command);
      assertTrue(full.err.endsWith("quern: standard output: No space left on device\n"), full.err);
      Result closed = run(new FullStream(taken), StandardStream.PIPE, command);
      assertEquals(141, closed.code, command);
      assertEquals(-1, closed.err.indexOf("quern: "), closed.err);
    }
  }

  @Test
  void aFailureEndsAGenerationAtOnce() {
    Result result =
        run(new FullStream(30), StandardStream.PIPE, "run --prompt Once -n 300 --temperature 1");
    assertEquals(141, result.code);
    assertEquals("", result.err, "no metrics of a generation that did not end");
  }

  @Test
  void aFailureOfStandardErrorEndsNothing() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Console console =
        new Console(
            InputStream.nullInputStream(),
            out,
            new FullStream(0),
            StandardStream.CLOSED,
            StandardStream.FILE);
    int code = Quern.run(console, "run --prompt Once -n 2".split(" "));
    assertEquals(0, code);
    assertTrue(out.toString(StandardCharsets.UTF_8).startsWith("Once"));
  }

  @ParameterizedTest
  @CsvSource({
    "'a\u001b[31mred','a\\u001b[31mred'",
    "'\u009b31m\u0085','\\u009b31m\\u0085'",
    "'\u007f\u0000\u0008','\\u007f\\u0000\\u0008'",
    "'over\rwritten','over\\rwritten'",
    "'line\r\nend\n\t','line\r\nend\n\t'",
    "'\r\r\n','\\r\r\n'",
    "'Grüße, 日本 ¢ € 😀','Grüße, 日本 ¢ € 😀'",
    "'Â\u0080','Â\\u0080'",
  })
  void controlCharactersAreShownAndNotObeyed(String text, String shown) {
    for (int piece : new int[] {1, 3, 100}) { // however it comes
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      PrintStream out = new PrintStream(new TerminalFilter(bytes), true, StandardCharsets.UTF_8);
      int[] points = text.codePoints().toArray();
      for (int i = 0; i < points.length; i += piece) {
        out.print(new String(points, i, Math.min(piece, points.length - i)));
        out.flush();
      }
      assertEquals(shown, bytes.toString(StandardCharsets.UTF_8));
    }
  }

  @Test
  void generatedTextIsCleanedForATerminalOnly() {
    String escape = "x\u001b[31m";
    String[] run = {"run", "-n", "0", "--prompt", escape};
    String[] raw = {"run", "-n", "0", "--raw", "--prompt", escape};
    assertEquals("x\\u001b[31m", to(StandardStream.TERMINAL, run));
    assertEquals(escape, to(StandardStream.TERMINAL, raw));
    assertEquals(escape, to(StandardStream.FILE, run));
    assertEquals(escape, to(StandardStream.PIPE, run));
  }

  @Test
  void messagesNeverCommandATerminal() {
    Quern result = Quern.run("inspect", "no\u001b[31msuch\nfile\u009b");
    assertEquals(1, result.code());
    assertEquals(1, result.err().lines().count(), result.err());
    assertEquals(-1, result.err().indexOf('\u001b'), result.err());
    Quern usage = Quern.run("run", "--kv", "\u001b[31m\nf17");
    assertEquals(2, usage.code());
    assertEquals(2, usage.err().lines().count(), usage.err());
    assertEquals(-1, usage.err().indexOf('\u001b'), usage.err());
  }

  private static String to(StandardStream output, String... args) {
    return Quern.run(InputStream.nullInputStream(), StandardStream.CLOSED, output, args).out();
  }

  private record Result(int code, String err) {}

  private static Result run(OutputStream out, StandardStream kind, String command) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code =
        Quern.run(
            new Console(InputStream.nullInputStream(), out, err, StandardStream.CLOSED, kind),
            command.split(" "));
    return new Result(code, err.toString(StandardCharsets.UTF_8));
  }
}
