package dev.quern.cli.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.Quern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/// What is wrong is said before anything is served.
class ServeCommandTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--tls-cert x                | 2 | --tls-cert and --tls-key: expected both, or none",
        "--draft-tokens 3            | 2 | --draft-tokens: expected --draft too",
        "--draft x -m a=a -m b=b     | 2 | --draft: expected one --model",
        "--drain -1                  | 2 | --drain -1: expected seconds >= 0",
        "--max-body 8G               | 2 | --max-body: expected at most 2147483647 bytes",
        "--memory lots               | 2 | expected bytes, such as 8000000, 512M or 8G",
        "--port 70000                | 1 | serve: port=70000, expected 0 (any) to 65535",
        "--idle 0                    | 1 | serve: idle timeout=PT0S, expected >= 1 s",
        "--cors example.org          | 1 | serve: cors=example.org, expected an origin",
        "--parallel 0                | 1 | engine: sequences=0, expected >= 1",
        "-m a=x -m a=y               | 1 | serve: model=a, expected each name once"
      })
  void mistakesAreOneLine(String options, int code, String message) {
    Quern run = Quern.run(("serve " + options).split(" +"));
    assertEquals(code, run.code(), run.err());
    assertTrue(run.err().contains(message), run.err());
    assertEquals("", run.out());
  }

  @Test
  void bytesHaveUnits() {
    ByteCount count = new ByteCount();
    assertEquals(8_000_000, count.convert("8000000"));
    assertEquals(512L << 20, count.convert("512M"));
    assertEquals(8L << 30, count.convert("8g"));
    assertEquals(1024, count.convert("1kB"));
    assertThrows(CommandLine.TypeConversionException.class, () -> count.convert("9999999999T"));
    assertThrows(CommandLine.TypeConversionException.class, () -> count.convert("-1"));
  }
}
