package dev.quern.provider.x86.activation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.EmittedFault;
import dev.quern.provider.x86.interpreter.Fault;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.memory.WideRoutine;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.DynamicTest;

/// Breaks each instruction of a code in several ways, and demands that the reference's bits or the
/// interpreter's rules tell: there is no instruction that could as well be another.
final class Faults {
  private static final long LIMIT = 100_000;

  /// How often a fault is tried: by chance a register's neighbour may be as good.
  private static final int SEEDS = 16;

  private Faults() {}

  /// A call with operands of a seed.
  @FunctionalInterface
  interface Trial {
    /// Where it differs from the reference; empty if nowhere.
    String difference(WideRoutine routine, int seed);
  }

  /// @param alike faults that are none, as regular expressions
  static DynamicTest test(String what, Code code, List<String> alike, Trial trial) {
    return DynamicTest.dynamicTest(what, () -> check(what, code, alike, trial));
  }

  private static void check(String what, Code code, List<String> alike, Trial trial) {
    for (int seed = 0; seed < SEEDS; seed++) {
      assertEquals("", trial.difference(InterpretedRoutine.wide(code, LIMIT), seed));
    }
    List<EmittedFault> faults = EmittedFault.of(code);
    List<String> alive = new ArrayList<>();
    int none = 0;
    for (EmittedFault fault : faults) {
      if (alike.stream().anyMatch(fault.name()::matches)) {
        none++;
      } else if (!found(trial, InterpretedRoutine.wide(fault.code(), LIMIT))) {
        alive.add(fault.name());
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%s: %d faults in emitted code, %d of them found, %d are none%n",
        what,
        faults.size(),
        faults.size() - none - alive.size(),
        none);
    assertTrue(alive.isEmpty(), () -> what + ":\n" + String.join("\n", alive));
  }

  private static boolean found(Trial trial, WideRoutine routine) {
    for (int seed = 0; seed < SEEDS; seed++) {
      try {
        if (!trial.difference(routine, seed).isEmpty()) {
          return true;
        }
      } catch (Fault e) {
        return true;
      }
    }
    return false;
  }
}
