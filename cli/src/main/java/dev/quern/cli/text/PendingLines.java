package dev.quern.cli.text;

import dev.quern.cli.console.UserException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The lines of a file of prompts that have no result yet. Results are compared with their prompts
/// by reading both files side by side, so that what is kept is no more than were being run at once.
final class PendingLines implements AutoCloseable {
  /// Lines that ran at once, with those that a run before has left; no run has more.
  private static final int MOST_KEPT = 100_000;

  private final Path prompts;
  private final ByteLines lines;
  private final Deque<ByteLines.Line> before = new ArrayDeque<>(); // those that results passed over
  private long done;
  private long failed;

  /// @param results what is there already
  /// @throws UserException if that is of other prompts
  PendingLines(Path prompts, ResultFile results) throws IOException {
    this.prompts = prompts;
    lines = new ByteLines(prompts);
    try {
      before.addAll(withoutResult(results));
    } catch (Throwable t) { // rethrown: only what was opened here is closed
      lines.close();
      throw t;
    }
  }

  private Collection<ByteLines.Line> withoutResult(ResultFile results) throws IOException {
    ByteLines known = results.lines();
    Map<Long, ByteLines.Line> open = new LinkedHashMap<>();
    long last = 0;
    for (Optional<ByteLines.Line> r = known.next(); r.isPresent(); r = known.next()) {
      ResultFile.Known result = results.known(r.get());
      while (last < result.line()) {
        ByteLines.Line line = lines.next().orElseThrow(() -> changed(result.line()));
        last = line.number();
        if (!line.isBlank()) {
          open.put(last, line);
        }
        if (open.size() > MOST_KEPT) {
          throw results.foreign(r.get().number());
        }
      }
      ByteLines.Line line = open.remove(result.line());
      if (line == null || !line.hash().equals(result.input())) {
        throw changed(result.line());
      }
      done++;
      failed += result.failed() ? 1 : 0;
    }
    return open.values();
  }

  private UserException changed(long line) {
    return new UserException(
        String.format(
            Locale.ROOT,
            "%s: line %d is not the one that --out has a result of; go on with the file as it was, or name another --out",
            prompts,
            line));
  }

  /// Results that were there.
  long done() {
    return done;
  }

  /// Of these, those with an error.
  long failed() {
    return failed;
  }

  /// The next one that is not blank; empty at the end.
  Optional<ByteLines.Line> next() throws IOException {
    while (true) {
      Optional<ByteLines.Line> line =
          before.isEmpty() ? lines.next() : Optional.of(before.removeFirst());
      if (line.isEmpty() || !line.get().isBlank()) {
        return line;
      }
    }
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
