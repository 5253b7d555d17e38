package dev.quern.provider.x86.interpreter;

import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.memory.Routine;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Code that is interpreted, which may access its operands and nothing else.
///
/// @param limit instructions until it counts as endless
public record InterpretedRoutine(Code code, long limit) implements Routine {
  /// More than any case here takes.
  private static final long LIMIT = 50_000_000;

  /// As a [dev.quern.provider.x86.memory.RoutineLoader].
  public static List<Routine> load(List<Code> codes) {
    return codes.stream().<Routine>map(c -> new InterpretedRoutine(c, LIMIT)).toList();
  }

  @Override
  public void call(long arguments, MemorySegment first, MemorySegment second, MemorySegment third) {
    List<Region> regions =
        List.of(
            new Region("the first operand", first, true),
            new Region("the second operand", second, false),
            new Region("the third operand", third, true));
    new Interpreter(code, regions, limit).call(arguments);
  }
}
