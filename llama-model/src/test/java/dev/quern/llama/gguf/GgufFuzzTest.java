package dev.quern.llama.gguf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/// Mutated files: whatever they hold, they are read or end in a [GgufException], and what is
/// allocated stays in proportion to their size.
///
/// - `quern.fuzz.mutations`: how many (20,000)
/// - `quern.fuzz.seed`: where to begin (a fixed number, so that builds are alike)
/// - `quern.fuzz.case`: the one case to repeat, as a failure prints it
class GgufFuzzTest {
  private static final int MUTATIONS = Integer.getInteger("quern.fuzz.mutations", 20_000);
  private static final long SEED = Long.getLong("quern.fuzz.seed", 2026);

  // One call, be it opening the file or reading one value, allocates at most this much for every
  // byte of the file (the smallest entries are the costliest: a key of a few bytes becomes a String
  // and a node of a hash table), and this much for a message and its stack trace.
  private static final long BYTES_PER_BYTE = 24;
  private static final long BYTES = 32 * 1024;

  // One case in so many is also opened from a file, its tensors mapped.
  private static final int FILE_EVERY = 50;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final List<GgufBytes> samples = GgufSamples.all();

  @TempDir Path folder;

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES) // only against a hang
  void mutationsAreReadOrRefused() throws IOException {
    for (GgufBytes sample : samples) {
      assertTrue(check(sample.bytes(), true, 0), "samples are sound");
    }
    Long one = Long.getLong("quern.fuzz.case");
    if (one != null) {
      run(one, true);
      return;
    }
    System.out.println("[quern] GgufFuzzTest: " + MUTATIONS + " mutations, seed " + SEED);
    int read = 0;
    SplittableRandom seeds = new SplittableRandom(SEED);
    for (int i = 0; i < MUTATIONS; i++) {
      read += run(seeds.nextLong(), i % FILE_EVERY == 0) ? 1 : 0;
    }
    System.out.println("[quern] GgufFuzzTest: " + read + " of them were read, the others refused");
    // Both ways must be taken often, or the mutations are too tame or too wild to find anything.
    assertTrue(read > MUTATIONS / 50 && read < MUTATIONS / 2, read + " of " + MUTATIONS);
  }

  private boolean run(long seed, boolean fromFile) throws IOException {
    byte[] bytes = new GgufMutator(new SplittableRandom(seed), samples).next();
    return check(bytes, fromFile, seed);
  }

  /// Whether the bytes were read.
  private boolean check(byte[] bytes, boolean fromFile, long seed) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment file = GgufBytes.offHeap(bytes, arena);
      GgufHeader[] header = new GgufHeader[1];
      measured(seed, bytes.length, () -> header[0] = GgufHeader.parse("f.gguf", file, 0));
      if (header[0] != null) {
        readAll(header[0].metadata(), bytes.length, seed);
        for (GgufTensor t : header[0].tensors()) {
          if (t.offset() < 0 || t.offset() + Math.max(t.byteSize(), 1) > bytes.length) {
            fail(replay(seed) + t + " lies outside the file");
          }
        }
      }
      if (fromFile) {
        openFile(bytes, header[0] != null, seed);
      }
      return header[0] != null;
    }
  }

  private static void readAll(GgufMetadata metadata, long fileBytes, long seed) {
    // Enough: keys beyond that come from the sample that has hundreds of the same kind.
    for (String key : metadata.keys().stream().limit(40).toList()) {
      List<Consumer<String>> getters =
          List.of(
              metadata::string,
              metadata::integer,
              metadata::number,
              metadata::bool,
              metadata::strings,
              metadata::ints,
              metadata::floats,
              metadata::describe);
      getters.forEach(getter -> measured(seed, fileBytes, () -> getter.accept(key)));
    }
  }

  private void openFile(byte[] bytes, boolean sound, long seed) throws IOException {
    Path path = Files.write(folder.resolve("f.gguf"), bytes);
    try (GgufFile file = GgufFile.open(path);
        Arena arena = Arena.ofConfined()) {
      for (GgufTensor tensor : file.tensors()) {
        readData(file, tensor, arena, seed);
      }
    } catch (GgufException e) {
      // A sound file can be refused here only as a shard that lacks the others.
      if (sound && !e.getMessage().contains("split.count")) {
        throw new AssertionError(replay(seed) + "sound, yet not opened", e);
      }
    }
  }

  private static void readData(GgufFile file, GgufTensor tensor, Arena arena, long seed) {
    orRefused(
        seed, () -> file.map(tensor, arena).get(JAVA_BYTE, Math.max(tensor.byteSize() - 1, 0)));
    orRefused(seed, () -> file.weights(tensor, arena));
    orRefused(seed, () -> file.vector(tensor));
  }

  private static void measured(long seed, long fileBytes, Executable action) {
    long most = fileBytes * BYTES_PER_BYTE + BYTES;
    long allocated = allocated(seed, action);
    if (allocated > most) {
      allocated = allocated(seed, action); // classes that the first call loaded do not count
    }
    if (allocated > most) {
      fail(replay(seed) + "allocated " + allocated + " bytes, expected at most " + most);
    }
  }

  private static long allocated(long seed, Executable action) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    orRefused(seed, action);
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  private static void orRefused(long seed, Executable action) {
    try {
      action.execute();
    } catch (GgufException e) {
      String message = e.getMessage();
      if (message.length() > 700 || message.codePoints().anyMatch(Character::isISOControl)) {
        fail(replay(seed) + "not one line: " + message);
      }
    } catch (Throwable t) {
      throw new AssertionError(replay(seed) + "something else than a GgufException", t);
    }
  }

  private static String replay(long seed) {
    return "repeat with -Dquern.fuzz.case=" + seed + ": ";
  }
}
