package dev.quern.provider.x86.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Optional;

/// Linux's permission to use the tiles of AMX, which enlarge what a context switch saves. It is
/// asked for once a process, for all its threads, those that exist already too (the kernel's
/// `Documentation/arch/x86/xstate.rst`).
public final class AmxPermission {
  /// `asm/unistd_64.h`.
  private static final long ARCH_PRCTL = 158;

  /// `asm/prctl.h`: permission for one component of the extended state.
  private static final long ARCH_REQ_XCOMP_PERM = 0x1023;

  /// The component of the tiles' data (SDM volume 1, 13.1).
  private static final long TILE_DATA = 18;

  /// Asks the system, so that a test can refuse.
  interface Call {
    /// arch_prctl(2): 0, or a negative errno.
    int ask(long operation, long component);
  }

  private AmxPermission() {}

  /// Asks; what refuses, as one line. Empty where it is granted.
  public static Optional<String> refusal() {
    return refusal(AmxPermission::archPrctl);
  }

  static Optional<String> refusal(Call call) {
    int result = call.ask(ARCH_REQ_XCOMP_PERM, TILE_DATA);
    if (result == 0) {
      return Optional.empty();
    }
    String why =
        switch (-result) {
          case 1 -> "EPERM";
          case 16 -> "EBUSY: a signal stack of this process is too small for them";
          case 22 -> "EINVAL: this kernel or this virtual machine does not know them";
          case 38 -> "ENOSYS";
          case 95 -> "EOPNOTSUPP: this CPU or this virtual machine has none";
          default -> "errno " + -result;
        };
    return Optional.of(
        String.format(
            Locale.ROOT,
            "the system does not permit AMX tiles: arch_prctl(ARCH_REQ_XCOMP_PERM, %d): %s",
            TILE_DATA,
            why));
  }

  @SuppressWarnings("restricted")
  private static int archPrctl(long operation, long component) {
    Linker linker = Linker.nativeLinker();
    MethodHandle syscall =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("syscall"),
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            Linker.Option.firstVariadicArg(1),
            Linker.Option.captureCallState("errno"));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
      long result = (long) syscall.invokeExact(state, ARCH_PRCTL, operation, component);
      long errno =
          Linker.Option.captureStateLayout()
              .byteOffset(MemoryLayout.PathElement.groupElement("errno"));
      return result == 0 ? 0 : -state.get(JAVA_INT, errno);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a downcall of syscall threw " + e, e);
    }
  }
}
