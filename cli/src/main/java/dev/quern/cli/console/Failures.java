package dev.quern.cli.console;

import dev.quern.QuernException;
import dev.quern.SelectionException;
import dev.quern.files.OutputException;
import dev.quern.llama.text.Printable;
import dev.quern.llama.text.RanOutOfMemory;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import java.util.function.Function;

/// What ends a command before its end, and what the user hears of it: one line and exit code 1 for
/// a mistake in what was asked for, a file that can't be used, or a resource that ran out; a stack
/// trace and exit code 70 for everything else, which is a defect of Quern.
public final class Failures {
  public static final int USER_ERROR = 1;
  static final int DEFECT = 70; // EX_SOFTWARE of sysexits.h
  private static final int READER_GONE = 128 + 13; // what shells show for SIGPIPE

  /// Exceptions of a kind, and how to say them in words.
  private record Row<T extends Throwable>(Class<T> type, Function<T, String> words) {
    static <T extends Throwable> Row<T> of(Class<T> type, Function<T, String> words) {
      return new Row<>(type, words);
    }

    boolean fits(Throwable t) {
      return type.isInstance(t);
    }

    String words(Throwable t) {
      return words.apply(type.cast(t));
    }
  }

  /// The first that fits is the one.
  private static final List<Row<?>> MISTAKES =
      List.of(
          // Our own: their messages say what, where, expected, and the remedy.
          Row.of(QuernException.class, Throwable::getMessage),
          Row.of(OutputException.class, Throwable::getMessage),
          // The operating system's, whose messages are a bare path often enough.
          Row.of(NoSuchFileException.class, e -> e.getFile() + ": no such file or folder"),
          Row.of(AccessDeniedException.class, e -> e.getFile() + ": permission denied"),
          Row.of(FileAlreadyExistsException.class, e -> e.getFile() + ": exists already"),
          Row.of(NotDirectoryException.class, e -> e.getFile() + ": not a folder"),
          Row.of(FileSystemLoopException.class, e -> e.getFile() + ": links in a circle"),
          Row.of(FileSystemException.class, e -> withRemedy(e.getMessage())),
          Row.of(InvalidPathException.class, e -> e.getMessage() + ", expected a file's name"),
          Row.of(CharacterCodingException.class, _ -> "a file is not UTF-8; convert it"),
          Row.of(
              IOException.class,
              e ->
                  e.getMessage() == null
                      ? e.getClass().getSimpleName()
                      : withRemedy(e.getMessage())),
          Row.of(
              OutOfMemoryError.class,
              e ->
                  "out of memory ("
                      + e.getMessage()
                      + "); choose a smaller --context or model, or give the JVM more"
                      + " (QUERN_JAVA_OPTS=-Xmx4g)"));

  private Failures() {}

  private static String withRemedy(String words) {
    return isOutOfFiles(words) ? words + "; raise the limit (ulimit -n)" : words;
  }

  private static boolean isOutOfFiles(String words) {
    return words != null && words.endsWith("Too many open files");
  }

  /// What the system says of a file, in words, for those who go on without it.
  public static String words(IOException e) {
    return MISTAKES.stream()
        .filter(row -> row.fits(e))
        .map(row -> String.valueOf(row.words(e)))
        .findFirst()
        .orElseThrow(); // there is a row for every one
  }

  /// Says what happened and returns the exit code.
  public static int report(Throwable thrown, PrintStream err) {
    Throwable t = thrown instanceof UncheckedIOException e ? e.getCause() : thrown;
    if (t instanceof Error) { // exceptions say what went wrong themselves
      t = RanOutOfMemory.behind(t).map(Throwable.class::cast).orElse(t);
    }
    if (t instanceof StandardOutput.Failure f && f.readerGone) {
      return READER_GONE;
    }
    for (Row<?> row : MISTAKES) {
      if (row.fits(t)) {
        String words = String.valueOf(row.words(t));
        // One line, whatever a path or a file holds; a selection's message has a table.
        err.println(
            "quern: " + (t instanceof SelectionException ? words : Printable.escaped(words)));
        return USER_ERROR;
      }
    }
    // The JVM opens its own libraries when they are first needed.
    if (t instanceof UnsatisfiedLinkError && isOutOfFiles(t.getMessage())) {
      err.println("quern: " + withRemedy(t.getMessage()));
      return USER_ERROR;
    }
    err.println("quern: a defect in Quern; please report it with what follows");
    thrown.printStackTrace(err);
    return DEFECT;
  }
}
