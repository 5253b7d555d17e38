package dev.quern.cli.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.Quern;
import dev.quern.llama.gguf.GgufException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What users hear of what ended a command.
class FailuresTest {
  @Test
  void theOperatingSystemsWordsAreSentences() {
    Map<Exception, String> expected =
        Map.of(
            new NoSuchFileException("a\n\u202e.gguf"), "a\\n\\u202e.gguf: no such file or folder",
            new AccessDeniedException("a.gguf"), "a.gguf: permission denied",
            new FileAlreadyExistsException("a.gguf"), "a.gguf: exists already",
            new NotDirectoryException("a.gguf"), "a.gguf: not a folder",
            new FileSystemLoopException("a.gguf"), "a.gguf: links in a circle",
            new FileSystemException("a.gguf", null, "File name too long"),
                "a.gguf: File name too long",
            new InvalidPathException("a\0b", "Nul character not allowed"),
                "Nul character not allowed: a\\u0000b, expected a file's name",
            new MalformedInputException(1), "a file is not UTF-8; convert it",
            new IOException("No space left on device"), "No space left on device",
            new IOException(), "IOException");
    expected.forEach((e, words) -> {
      assertMistake(e, words);
      if (e instanceof IOException io) {
        assertMistake(new UncheckedIOException(io), words);
      }
    });
  }

  @Test
  void memoryThatRanOutIsNoDefect() {
    OutOfMemoryError heap = new OutOfMemoryError("Java heap space");
    BootstrapMethodError alongside = new BootstrapMethodError("while another thread filled it");
    alongside.addSuppressed(heap);
    NoClassDefFoundError recorded = new NoClassDefFoundError("Could not initialize class X");
    recorded.initCause(
        new ExceptionInInitializerError(
            "Exception java.lang.OutOfMemoryError: Java heap space [in thread \"main\"]"));
    BootstrapMethodError circle = new BootstrapMethodError(new IllegalStateException());
    circle.getCause().initCause(circle);
    circle.addSuppressed(heap);
    for (Error e :
        List.of(
            heap,
            new BootstrapMethodError(heap),
            new ExceptionInInitializerError(new IllegalStateException(heap)),
            alongside,
            recorded,
            circle)) {
      assertMistake(
          e,
          "out of memory (Java heap space); choose a smaller --context or model, or give the JVM more"
              + " (QUERN_JAVA_OPTS=-Xmx4g)");
    }
  }

  /// What failed by itself is said, not what failed beside it.
  @Test
  void memoryThatRanOutBesideAnotherFault() {
    GgufException cut = new GgufException("m.gguf: cut short");
    cut.addSuppressed(new OutOfMemoryError("Java heap space"));
    assertMistake(cut, "m.gguf: cut short");
  }

  @Test
  void filesThatRanOutAreNoDefect() {
    String words = "lib.so: Too many open files";
    for (Throwable t : List.of(new UnsatisfiedLinkError(words), new IOException(words))) {
      assertMistake(t, words + "; raise the limit (ulimit -n)");
    }
    assertEquals(Failures.DEFECT, report(new UnsatisfiedLinkError("no such symbol")).code);
  }

  @Test
  void everythingElseIsADefectAndShowsWhere() {
    for (Throwable t :
        List.of(
            new IllegalStateException("x"),
            new IllegalArgumentException("x"),
            new NullPointerException(),
            new StackOverflowError(),
            new InternalError("x"))) {
      Report report = report(t);
      assertEquals(Failures.DEFECT, report.code);
      assertTrue(report.text.startsWith("quern: a defect in Quern; please report"), report.text);
      assertTrue(report.text.contains("\tat "), report.text);
    }
  }

  @Test
  void anErrorInsideACommandIsReportedToo() {
    Console console =
        new Console(
            java.io.InputStream.nullInputStream(),
            new java.io.OutputStream() {
              @Override
              public void write(int b) {
                throw new OutOfMemoryError("Java heap space");
              }
            },
            new ByteArrayOutputStream(),
            StandardStream.CLOSED,
            StandardStream.FILE);
    assertEquals(Failures.USER_ERROR, Quern.run(console, "inspect"));
  }

  private static void assertMistake(Throwable t, String words) {
    Report report = report(t);
    assertEquals("quern: " + words + "\n", report.text);
    assertEquals(Failures.USER_ERROR, report.code);
  }

  private record Report(int code, String text) {}

  private static Report report(Throwable t) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code =
        Failures.report(t, new PrintStream(new TerminalFilter(err), true, StandardCharsets.UTF_8));
    return new Report(code, err.toString(StandardCharsets.UTF_8));
  }
}
