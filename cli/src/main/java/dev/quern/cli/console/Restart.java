package dev.quern.cli.console;

import dev.quern.SelectionException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The way back from a start that leaves out what one provider makes needless (launcher/alone.sh):
/// where that provider declines, the launcher begins anew with all of them, in this process's
/// place. Who started it sees one process, with its number, terminal and input.
public final class Restart {
  private static final String ALL = "QUERN_ALL_PROVIDERS";

  private Restart() {}

  /// The provider that a start is left with; empty where all are there.
  public static Optional<String> alone() {
    return Optional.ofNullable(System.getProperty("quern.alone"));
  }

  /// What begins anew has to read what was read before.
  static InputStream recording(InputStream in) {
    return alone().isPresent() ? new RecordedInput(in) : in;
  }

  /// Whether a command failed for want of a provider that was left out.
  public static boolean isDue(Throwable t) {
    return alone().isPresent() && t instanceof SelectionException;
  }

  /// Does not return, unless it fails.
  ///
  /// @param args of this process
  /// @return the exit code
  public static int withAllProviders(Throwable why, String[] args, Console console) {
    String launcher = System.getenv("QUERN_LAUNCHER");
    String reason = why.getMessage().lines().findFirst().orElse("");
    console
        .err()
        .println(
            "quern: starting again with all providers ("
                + ALL
                + "=1 does at once), since not all of it runs on "
                + alone().orElseThrow()
                + ": "
                + reason);
    Optional<byte[]> read = console.recorded();
    console.out().flush();
    console.err().flush();
    if (launcher == null || read.isEmpty()) {
      console.err().println("quern: can't start again by itself: set " + ALL + "=1");
      return Failures.USER_ERROR;
    }
    List<String> words = new ArrayList<>(List.of("env", ALL + "=1", launcher));
    words.addAll(List.of(args));
    try (Arena arena = Arena.ofConfined()) {
      SystemCalls calls = new SystemCalls(arena);
      if (read.get().length > 0) {
        calls.setInput(read.get());
      }
      calls.execute("/usr/bin/env", words);
    } catch (Throwable t) { // of a method handle
      throw new IllegalStateException("can't start again: set " + ALL + "=1", t);
    }
    console.err().println("quern: can't start again by itself: set " + ALL + "=1");
    return Failures.USER_ERROR;
  }

  /// Functions of the C library, on Linux.
  private record SystemCalls(Arena arena) {
    private static final Charset NAMES = Charset.forName(System.getProperty("sun.jnu.encoding"));
    private static final FunctionDescriptor OF_POINTERS =
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
    private static final FunctionDescriptor OF_NUMBERS =
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);

    @SuppressWarnings("restricted") // granted by the launcher, which is the only one to come here
    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
    }

    /// execv(3): returns only if it fails.
    void execute(String program, List<String> words) throws Throwable {
      MemorySegment vector = arena.allocate(ValueLayout.ADDRESS, words.size() + 1L); // ends in null
      for (int i = 0; i < words.size(); i++) {
        vector.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(words.get(i), NAMES));
      }
      int _ = (int) function("execv", OF_POINTERS).invokeExact(arena.allocateFrom(program), vector);
    }

    /// A file without a name, memfd_create(2), in the place of standard input.
    void setInput(byte[] bytes) throws Throwable {
      FunctionDescriptor create =
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
      int file =
          (int) function("memfd_create", create).invokeExact(arena.allocateFrom("quern-input"), 0);
      FunctionDescriptor writing =
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG);
      MethodHandle write = function("write", writing);
      MemorySegment rest = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      while (rest.byteSize() > 0) {
        long written = (long) write.invokeExact(file, rest, rest.byteSize());
        if (written <= 0) {
          throw new IllegalStateException("what was read can't be kept");
        }
        rest = rest.asSlice(written);
      }
      FunctionDescriptor seeking =
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT);
      long _ = (long) function("lseek", seeking).invokeExact(file, 0L, 0);
      int _ = (int) function("dup2", OF_NUMBERS).invokeExact(file, 0);
    }
  }
}
