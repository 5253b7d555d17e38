package dev.quern.checked;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.Kernel;
import dev.quern.spi.Variant;
import dev.quern.text.Failures;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;

/// What the checks of all operators share (SPEC.md, P15 and P17), and who is named where one fails:
/// `linear: x.columns=4095, expected inputs=4096 (spec LinearSpec[...], provider
/// kleidi/neon_i8mm)`.
///
/// Checks run on every call, so they allocate nothing until one fails.
///
/// @param operator the operator's name
/// @param spec the spec as text
/// @param provider name of the provider that runs it
/// @param variants its variants, by rising `minRows`
/// @param closed whether the [dev.quern.Kernels] that it was taken from are closed
/// @param defects makes the exception for a provider that broke the contract
public record Site(
    String operator,
    String spec,
    String provider,
    List<Variant> variants,
    AtomicBoolean closed,
    Defects defects) {
  /// The façade's exception, which is above these checks.
  @FunctionalInterface
  public interface Defects {
    /// @param cause what the provider threw, or null
    RuntimeException of(String message, Throwable cause);
  }

  private static final Logger LOG = System.getLogger("dev.quern");

  /// Stands for the worker threads, which are not known here: memory that a thread other than the
  /// caller may not touch would fail inside a task. Never started; keeps no class loader alive.
  private static final Thread A_WORKER = aWorker();

  private static Thread aWorker() {
    Thread thread = Thread.ofPlatform().inheritInheritableThreadLocals(false).unstarted(() -> {});
    thread.setContextClassLoader(null);
    return thread;
  }

  /// A failed check of a call with that many rows; 0 where rows are not known.
  IllegalArgumentException error(int rows, String problem) {
    return new IllegalArgumentException(message(rows, problem));
  }

  /// A provider that broke the contract.
  RuntimeException defect(int rows, String problem) {
    return defects.of(blame(rows, problem), null);
  }

  /// What a provider's code threw, with its name on it.
  ///
  /// @param call the method that was called
  /// @param memory what it worked on
  /// @param callers the objects of the caller's that it was given to call, such as workers
  /// @throws Throwable the same, where it is not the provider's: an error of the JVM, memory that
  ///   was closed during the call, or something that the caller's own objects threw
  RuntimeException failure(
      String call, int rows, Throwable thrown, List<MemorySegment> memory, Object... callers) {
    boolean ofTheJvm =
        thrown instanceof VirtualMachineError && !(thrown instanceof StackOverflowError);
    if (ofTheJvm
        || memory.stream().anyMatch(m -> !m.scope().isAlive())
        || !(thrown instanceof LinkageError)
            && (thrownBy(Site.class, thrown)
                || Arrays.stream(callers).anyMatch(c -> thrownBy(c.getClass(), thrown)))) {
      throw Site.<RuntimeException>unchecked(thrown);
    }
    RuntimeException failure = defects.of(blame(rows, call + " " + Failures.threw(thrown)), thrown);
    LOG.log(Level.DEBUG, failure.getMessage(), thrown);
    return failure;
  }

  /// Whether a class threw it, itself or by way of the JDK, and not what it called.
  private static boolean thrownBy(Class<?> type, Throwable thrown) {
    return Arrays.stream(thrown.getStackTrace())
        .map(StackTraceElement::getClassName)
        .filter(name -> !name.startsWith("java.") && !name.startsWith("jdk."))
        .findFirst()
        .filter(type.getName()::equals)
        .isPresent();
  }

  @SuppressWarnings("unchecked") // a checked exception passes as it is, too
  private static <E extends Throwable> E unchecked(Throwable thrown) throws E {
    throw (E) thrown;
  }

  private String blame(int rows, String problem) {
    return message(rows, problem)
        + "; this is a defect of the provider: report it to its author, and run without it until"
        + " then (quern.provider)";
  }

  private String message(int rows, String problem) {
    return String.format(
        Locale.ROOT, "%s: %s (spec %s, provider %s)", operator, problem, spec, who(rows));
  }

  /// The provider with the variant that runs that many rows.
  private String who(int rows) {
    String variant = "";
    for (Variant v : variants) {
      if (v.minRows() <= rows) {
        variant = "/" + v.name();
      }
    }
    return provider + variant;
  }

  /// Checks that what the provider opened is not closed: native code may be gone.
  void open() {
    if (closed.get()) {
      throw new IllegalStateException(message(0, "the Kernels that it was taken from are closed"));
    }
  }

  void notNull(Object operand, String name) {
    if (operand == null) {
      throw error(0, name + " is null");
    }
  }

  /// Checks an operand that is read.
  ///
  /// @param expectedName what the spec calls the expected columns
  void input(F32Matrix m, String name, int rows, int columns, String expectedName) {
    notNull(m, name);
    if (m.columns() != columns) {
      throw error(
          rows, name + ".columns=" + m.columns() + ", expected " + expectedName + "=" + columns);
    }
    if (m.rows() != rows) {
      throw error(rows, name + ".rows=" + m.rows() + ", expected " + rows);
    }
    reachable(m.data(), name, rows);
  }

  /// Checks an operand that is written.
  void output(F32Matrix m, String name, int rows, int columns, String expectedName) {
    input(m, name, rows, columns, expectedName);
    writable(m.data(), name, rows);
  }

  void writable(MemorySegment segment, String name, int rows) {
    if (segment.isReadOnly()) {
      throw error(rows, name + " is read-only memory, expected memory that can be written");
    }
  }

  /// Checks that memory is alive and that worker threads may touch it.
  void reachable(MemorySegment segment, String name, int rows) {
    if (!segment.scope().isAlive()) {
      throw error(
          rows, name + " is in a closed arena, expected memory that lives for the whole call");
    }
    if (!segment.isAccessibleBy(A_WORKER)) {
      throw error(
          rows,
          name
              + " is in a confined arena, expected memory that worker threads may touch:"
              + " use Arena.ofShared(), ofAuto() or global()");
    }
  }

  void offHeap(MemorySegment segment, String name, int rows) {
    if (!segment.isNative()) {
      throw error(
          rows, name + " is on the Java heap, expected off-heap memory: allocate it from an Arena");
    }
  }

  /// Checks that a call's positions lie within what there is room for.
  void positions(String name, int first, int rows, String roomName, int room) {
    if (first < 0) {
      throw error(rows, name + "=" + first + ", expected >= 0");
    }
    if ((long) first + rows > room) {
      throw error(
          rows,
          name
              + "="
              + first
              + " with rows="
              + rows
              + " ends at "
              + ((long) first + rows)
              + ", expected at most "
              + roomName
              + "="
              + room);
    }
  }

  /// Checks scratch and workers, and returns the bytes of scratch that the kernel may write.
  long workspace(Kernel kernel, Workspace w, int rows) {
    notNull(w, "workspace");
    int parallelism = w.workers().parallelism();
    if (parallelism < 1) {
      throw error(rows, "workers.parallelism=" + parallelism + ", expected >= 1");
    }
    long bytes = scratchBytes(kernel, rows, parallelism);
    MemorySegment scratch = w.scratch();
    if (scratch.byteSize() < bytes) {
      throw error(
          rows,
          String.format(
                  Locale.ROOT,
                  "scratch holds %d bytes, expected at least %d: allocate scratchBytes(%d, %d) bytes",
                  scratch.byteSize(),
                  bytes,
                  rows,
                  parallelism)
              + ", the kernel's answer for these rows and this parallelism (or more of either)");
    }
    offHeap(scratch, "scratch", rows);
    if (scratch.address() % Workspace.SCRATCH_ALIGNMENT != 0) {
      throw error(
          rows,
          String.format(
              Locale.ROOT,
              "scratch starts at address 0x%x, expected a multiple of %d: allocate(bytes, %d)",
              scratch.address(),
              Workspace.SCRATCH_ALIGNMENT,
              Workspace.SCRATCH_ALIGNMENT));
    }
    writable(scratch, "scratch", rows);
    reachable(scratch, "scratch", rows);
    return bytes;
  }

  /// The kernel's answer, checked on both sides.
  long scratchBytes(Kernel kernel, int rows, int parallelism) {
    if (rows < 1 || parallelism < 1) {
      throw error(
          0,
          "scratchBytes(rows=" + rows + ", parallelism=" + parallelism + "), expected both >= 1");
    }
    open();
    long bytes;
    try {
      bytes = kernel.scratchBytes(rows, parallelism);
    } catch (Throwable e) { // foreign code
      throw failure("scratchBytes", rows, e, List.of());
    }
    if (bytes < 0) {
      throw defect(rows, "scratchBytes is " + bytes + ", expected >= 0 (P10)");
    }
    return bytes;
  }

  void disjoint(F32Matrix a, String aName, F32Matrix b, String bName) {
    if (Overlap.of(a, b)) {
      throw overlap(a.rows(), aName, bName);
    }
  }

  void disjoint(F32Matrix a, String aName, MemorySegment b, String bName) {
    disjoint(a, aName, b, b.byteSize(), bName);
  }

  /// Checks against the first `bytes` bytes of a segment.
  void disjoint(F32Matrix a, String aName, MemorySegment b, long bytes, String bName) {
    if (Overlap.of(a, b, bytes)) {
      throw overlap(a.rows(), aName, bName);
    }
  }

  /// Checks an output that may be exactly an input, as rules N5 and S4 say.
  void sameOrDisjoint(F32Matrix y, F32Matrix x, String xName) {
    if (!Overlap.same(y, x) && Overlap.of(y, x)) {
      throw error(
          y.rows(),
          "y overlaps " + xName + ", expected exactly " + xName + " or no memory in common");
    }
  }

  private IllegalArgumentException overlap(int rows, String aName, String bName) {
    return error(rows, aName + " overlaps " + bName + ", expected no memory in common");
  }

  @Override
  public String toString() {
    return operator + " " + provider + " " + spec;
  }
}
