package dev.quern.provider.x86.linear;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.EmittedFault;
import dev.quern.provider.x86.interpreter.Fault;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.memory.Routine;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Breaks each instruction of a routine in several ways: a trial of the broken one, or the
/// interpreter's rules, must tell.
public final class FaultHunt {
  private static final long LIMIT = 100_000;

  /// How often a fault is tried: by chance a register's neighbour may be as good.
  public static final int SEEDS = 8;

  private FaultHunt() {}

  /// A trial of a routine.
  @FunctionalInterface
  public interface Trial {
    /// Where it differs from the reference; empty if nowhere.
    String difference(Routine routine, int seed);
  }

  /// @param what for messages
  /// @param alike faults that are none, as regular expressions of their names
  public static void check(String what, Code code, List<String> alike, Trial trial) {
    for (int seed = 0; seed < SEEDS; seed++) {
      assertEquals("", trial.difference(new InterpretedRoutine(code, LIMIT), seed));
    }
    List<EmittedFault> faults = EmittedFault.of(code);
    List<String> alive = new ArrayList<>();
    int none = 0;
    for (EmittedFault fault : faults) {
      if (alike.stream().anyMatch(fault.name()::matches)) {
        none++;
      } else if (!found(trial, new InterpretedRoutine(fault.code(), LIMIT))) {
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

  private static boolean found(Trial trial, Routine routine) {
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
