package dev.quern.cli.text;

import dev.quern.cli.console.Json;
import dev.quern.cli.console.UserException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// The results of a file of prompts, a line each, in the order in which they ended. Each has the
/// number and the hash of its prompt's line, and a fingerprint of the options, so that a later run
/// knows what is there.
final class ResultFile implements AutoCloseable {
  private static final String BEGIN = "{\"id\":";

  private final Path path;
  private final String options;
  private final FileChannel channel;

  /// A result that is there.
  ///
  /// @param line of the prompt, from 1
  /// @param input hash of that line
  /// @param failed whether it has an error in place of a text
  record Known(long line, String input, boolean failed) {}

  /// Opens a file, or makes it.
  ///
  /// @param options their fingerprint
  /// @throws UserException if another process writes it
  ResultFile(Path path, String options) throws IOException {
    this.path = path;
    this.options = options;
    channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    boolean locked = false;
    try {
      locked = channel.tryLock() != null;
    } catch (OverlappingFileLockException _) {
      // this process has it: no lock either
    } finally {
      if (!locked) {
        channel.close();
      }
    }
    if (!locked) {
      throw new UserException(path + ": another quern writes it");
    }
  }

  /// Cuts off a last line that was not written to its end.
  ///
  /// @return whether there was one
  /// @throws UserException if it is not the beginning of a result
  boolean mend() throws IOException {
    OptionalLong torn = OptionalLong.empty();
    ByteLines lines = lines();
    for (Optional<ByteLines.Line> l = lines.next(); l.isPresent(); l = lines.next()) {
      if (!l.get().whole()) {
        String text = new String(l.get().bytes(), StandardCharsets.UTF_8);
        if (!text.startsWith(BEGIN) && !BEGIN.startsWith(text)) {
          throw foreign(l.get().number());
        }
        torn = OptionalLong.of(l.get().begin());
      }
    }
    if (torn.isPresent()) {
      channel.truncate(torn.getAsLong());
    }
    return torn.isPresent();
  }

  /// All of it, from the beginning; not to be closed. Through this channel: to close another one of
  /// the same file would give back the lock.
  ByteLines lines() throws IOException {
    return new ByteLines(path, Channels.newInputStream(channel.position(0)));
  }

  /// What a line of the file says.
  ///
  /// @throws UserException if it is no result, or one of other options
  Known known(ByteLines.Line line) {
    Object tree;
    try {
      tree = Json.read(line.text(), path.toString());
    } catch (UserException _) {
      throw foreign(line.number());
    }
    if (!(tree instanceof Map<?, ?> result)
        || !(result.get("line") instanceof Number number)
        || !(result.get("input") instanceof String input)
        || !(result.get("options") instanceof String theirs)) {
      throw foreign(line.number());
    }
    if (!theirs.equals(options)) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "%s: line %d was made with other options or another model (%s, and these are %s); go on with those, or name another file",
              path,
              line.number(),
              theirs,
              options));
    }
    return new Known(number.longValue(), input, result.containsKey("error"));
  }

  /// Of a line of the file.
  UserException foreign(long number) {
    return new UserException(
        String.format(
            Locale.ROOT,
            "%s: line %d is no result of run --prompts; name another file",
            path,
            number));
  }

  /// Appends a result, as a whole and at once.
  ///
  /// @param id null where a line has none
  /// @param result what is told of it
  synchronized void write(Object id, ByteLines.Line line, Map<String, Object> result)
      throws IOException {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("id", id);
    json.putAll(result);
    json.put("line", line.number());
    json.put("input", line.hash());
    json.put("options", options);
    channel.position(channel.size());
    ByteBuffer bytes = ByteBuffer.wrap((Json.line(json) + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close(); // which gives back the lock
  }
}
