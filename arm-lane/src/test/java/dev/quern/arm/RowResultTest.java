package dev.quern.arm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a row wrote is what its report says, also where its process ended in a test.
class RowResultTest {
  private static final RowResult PASSED =
      new RowResult(RowResult.Status.PASSED, 12, "a.RowTest", "first", "");
  private static final RowResult FAILED =
      new RowResult(RowResult.Status.FAILED, 3, "a.RowTest", "kernels: \t", "a\\b\r\n\tat c");

  @TempDir private Path folder;

  @Test
  void aTestThatEndedIsReadAsItWasWritten() throws IOException {
    assertEquals(
        List.of(PASSED, FAILED),
        read(
            RowResult.begun("a.RowTest", "first"),
            PASSED,
            RowResult.begun("a.RowTest", "kernels: \t"),
            FAILED));
  }

  @Test
  void aTestThatOnlyBeganHasFailed() throws IOException {
    assertEquals(
        List.of(
            PASSED,
            new RowResult(
                RowResult.Status.FAILED, 0, "a.RowTest", "second", "no end: exit status 132")),
        read(
            RowResult.begun("a.RowTest", "first"), PASSED, RowResult.begun("a.RowTest", "second")));
  }

  @Test
  void aRowThatWroteNothingHasNoResults() throws IOException {
    assertEquals(List.of(), RowResult.read(folder.resolve("absent"), "exit status 1"));
  }

  private List<RowResult> read(RowResult... written) throws IOException {
    Path file = folder.resolve("results.tsv");
    Files.write(file, List.of(written).stream().map(RowResult::line).toList());
    return RowResult.read(file, "exit status 132");
  }
}
