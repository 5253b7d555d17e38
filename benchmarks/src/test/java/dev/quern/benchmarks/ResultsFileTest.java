package dev.quern.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Files of results: what is written is read, and nothing else.
class ResultsFileTest {
  private static final Result RESULT =
      new Result(
          Instant.parse("2026-11-22T10:00:00Z"),
          "Some CPU, \"the\" fast",
          "",
          "x86",
          Workload.byName("cold").orElseThrow(),
          "a,b\nc é.gguf",
          new Summary(2.5, 2, 3),
          new Summary(1.25, 1, 123456),
          new Summary(2, 0.00123456, 3),
          5,
          new LlamaCppEngine.Build("7", "libggml-cpu-haswell.so"));

  @TempDir Path folder;
  private ResultsFile file;

  @BeforeEach
  void nameFile() {
    file = new ResultsFile(folder.resolve("results.csv"));
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    file.prepare();
    assertEquals(List.of(), file.read());
    file.append(RESULT);
    file.prepare();
    file.append(RESULT);
    assertEquals(List.of(RESULT, RESULT), file.read());
  }

  @Test
  void aLastLineWithoutAnEndStaysALine() throws IOException {
    file.prepare();
    file.append(RESULT);
    Files.writeString(file.path(), Files.readString(file.path()).stripTrailing());
    file.prepare();
    file.append(RESULT);
    assertEquals(List.of(RESULT, RESULT), file.read());
  }

  @ParameterizedTest
  @CsvSource({
    "',libggml-cpu-haswell.so', ''", // a cell less
    "'s,', 's,1,'", // a cell more
    "2.5, fast",
    "2.5, NaN",
    "2.5, 1", // the median below the smallest
    "2026-11-22T10:00:00Z, yesterday",
    "cold, warm",
    "',s,', ',tok/s,'"
  })
  void aLineThatIsNoResultIsNamed(String text, String other) throws IOException {
    file.prepare();
    file.append(RESULT);
    file.append(RESULT);
    String good = Files.readString(file.path());
    int second = good.lastIndexOf("2026-");
    String line = good.substring(second);
    assertTrue(line.contains(text), line);
    Files.writeString(file.path(), good.substring(0, second) + line.replace(text, other));
    String message = assertThrows(CompareException.class, file::read).getMessage();
    assertTrue(message.contains("results.csv, result 2: "), message);
    assertEquals(1, message.lines().count(), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "date,cpu\n", "\uFEFFdate", "<svg>"})
  void aFileWithAnotherHeadIsRefused(String text) throws IOException {
    Files.writeString(file.path(), text);
    String message = assertThrows(CompareException.class, file::read).getMessage();
    assertTrue(message.contains("its first line is '"), message);
    assertEquals(1, message.lines().count(), message);
  }

  @Test
  void aFolderAndBytesThatAreNoTextAreRefused() throws IOException {
    assertThrows(CompareException.class, new ResultsFile(folder)::prepare);
    Files.write(file.path(), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertThrows(CompareException.class, file::prepare);
  }
}
