package dev.quern.llama.gguf;

import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One file of a model, open. A model of several files is split as `gguf-split` of llama.cpp does
/// it: `NAME-00001-of-00003.gguf` has all metadata; every file has `split.no` (from 0),
/// `split.count` and `split.tensors.count` (of the whole model), and the table of its own tensors.
///
/// @param path the file, or what one in memory is called
/// @param source its bytes, until [#closeAll]
/// @param arena of the mapping that the metadata is decoded from
/// @param header parsed and checked
record GgufShard(Path path, GgufSource source, Arena arena, GgufHeader header) {
  static final String COUNT_KEY = "split.count";
  static final String NUMBER_KEY = "split.no";
  static final String TENSORS_KEY = "split.tensors.count";

  private static final Pattern NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

  private static final int MAX_COUNT = 99_999; // five digits

  /// Opens a file and, where it is the first of several, the others, and checks that they make up
  /// one model.
  static List<GgufShard> openAll(Path path) throws IOException {
    List<GgufShard> shards = new ArrayList<>();
    try {
      GgufShard first = open(path, 0);
      shards.add(first);
      long count = first.header.metadata().integer(COUNT_KEY).orElse(1);
      if (count > 1) {
        List<Path> paths = first.paths(count);
        for (int i = 1; i < paths.size(); i++) {
          shards.add(open(paths.get(i), i));
        }
        for (int i = 0; i < shards.size(); i++) {
          shards.get(i).require(NUMBER_KEY, i);
          shards.get(i).require(COUNT_KEY, count);
        }
        long tensors = shards.stream().mapToLong(s -> s.header.tensors().size()).sum();
        shards.forEach(s -> s.require(TENSORS_KEY, tensors));
        requireDistinctTensors(shards);
      }
      return shards;
    } catch (Throwable t) {
      try {
        closeAll(shards);
      } catch (IOException e) {
        t.addSuppressed(e);
      }
      throw t;
    }
  }

  /// Closes all shards; the first failure is thrown when all were tried.
  static void closeAll(List<GgufShard> shards) throws IOException {
    IOException failure = null;
    for (GgufShard shard : shards) {
      if (shard.arena.scope().isAlive()) { // closing twice is harmless
        shard.arena.close();
      }
      try {
        shard.source.close();
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /// Maps a tensor's data.
  MemorySegment map(GgufTensor tensor, Arena arena) throws IOException {
    if (tensor.byteSize() == GgufTensor.UNKNOWN_SIZE) {
      throw fail(tensor, "its type's block size is unknown", "a type of known size");
    }
    long size = source.size();
    if (tensor.byteSize() > size - tensor.offset()) {
      throw fail(
          tensor,
          "the file has shrunk to " + size + " bytes",
          "it unchanged since it was opened: open the model again");
    }
    return source.map(tensor.offset(), tensor.byteSize(), arena);
  }

  /// What messages call this file.
  String name() {
    return Printable.escaped(path.toString());
  }

  GgufException fail(GgufTensor tensor, String actual, String expected) {
    return new GgufException(
        String.format(
            Locale.ROOT,
            "%s: byte %d, tensor %s: %s, expected %s",
            name(),
            tensor.offset(),
            tensor,
            actual,
            expected));
  }

  private static GgufShard open(Path path, int index) throws IOException {
    String name = Printable.escaped(path.toString());
    if (!Files.isRegularFile(path)) {
      throw new GgufException(
          String.format(
              Locale.ROOT,
              "%s: %s, expected a GGUF file",
              name,
              Files.exists(path) ? "not a regular file" : "no such file"));
    }
    return open(path, GgufSource.of(FileChannel.open(path, StandardOpenOption.READ)), index);
  }

  /// @param source is closed if the file can't be used
  static GgufShard open(Path path, GgufSource source, int index) throws IOException {
    String name = Printable.escaped(path.toString());
    Arena arena = Arena.ofShared(); // metadata may be decoded by any thread
    try {
      MemorySegment bytes = source.map(0, source.size(), arena);
      return new GgufShard(path, source, arena, GgufHeader.parse(name, bytes, index));
    } catch (Throwable t) {
      arena.close();
      try {
        source.close();
      } catch (IOException e) {
        t.addSuppressed(e);
      }
      throw t;
    }
  }

  /// The paths of all shards of the model that this is the first one of.
  private List<Path> paths(long count) {
    if (count > MAX_COUNT) {
      throw header.metadata().fail(COUNT_KEY, count + " shards", "at most " + MAX_COUNT);
    }
    Matcher name = NAME.matcher(path.getFileName().toString());
    if (!name.matches()) {
      throw header
          .metadata()
          .fail(
              COUNT_KEY,
              count + " shards",
              String.format(
                  Locale.ROOT,
                  "a file named %s: give the shards their names back",
                  fileName("NAME", 1, count)));
    }
    String stem = name.group(1);
    Path first = path.resolveSibling(fileName(stem, 1, count));
    if (!path.equals(first)) {
      throw new GgufException(
          String.format(
              Locale.ROOT,
              "%s: file name: shard %s of %s, expected shard 1 of %d: open %s",
              name(),
              name.group(2),
              name.group(3),
              count,
              Printable.escaped(first.toString())));
    }
    List<Path> paths = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      Path shard = path.resolveSibling(fileName(stem, i, count));
      if (!Files.isRegularFile(shard)) {
        throw new GgufException(
            String.format(
                Locale.ROOT,
                "%s: shard %d of %d: missing, expected it beside the first: get it from where that one came",
                Printable.escaped(shard.toString()),
                i,
                count));
      }
      paths.add(shard);
    }
    return paths;
  }

  private static String fileName(String stem, int number, long count) {
    return String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", stem, number, count);
  }

  private void require(String key, long expected) {
    OptionalLong actual = header.metadata().integer(key);
    if (actual.isEmpty()) {
      throw new GgufException(
          String.format(
              Locale.ROOT,
              "%s: metadata key '%s': absent, expected %d: not a shard of this model",
              name(),
              key,
              expected));
    }
    if (actual.getAsLong() != expected) {
      throw header
          .metadata()
          .fail(
              key,
              Long.toString(actual.getAsLong()),
              expected + ": the shards are not of one model, or one was renamed");
    }
  }

  private static void requireDistinctTensors(List<GgufShard> shards) {
    Map<String, GgufShard> owners = new HashMap<>();
    for (GgufShard shard : shards) {
      for (GgufTensor tensor : shard.header.tensors()) {
        GgufShard other = owners.putIfAbsent(tensor.name(), shard);
        if (other != null) {
          throw shard.fail(
              tensor, "also in " + other.name(), "each tensor in one shard of the model");
        }
      }
    }
  }
}
