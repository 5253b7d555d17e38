package dev.quern.provider.x86.interpreter;

import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.memory.Routine;
import dev.quern.provider.x86.memory.WideRoutine;
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

  /// As a [dev.quern.provider.x86.memory.WideRoutineLoader].
  public static List<WideRoutine> loadWide(List<Code> codes) {
    return codes.stream().map(c -> wide(c, LIMIT)).toList();
  }

  /// With five operands. Those that may be written come first, since others may be views of them.
  public static WideRoutine wide(Code code, long limit) {
    return (arguments, first, second, third, fourth, fifth) -> {
      List<Region> regions =
          List.of(
              new Region("the first operand", first, true),
              new Region("the fifth operand", fifth, true),
              new Region("the second operand", second, false),
              new Region("the third operand", third, false),
              new Region("the fourth operand", fourth, false));
      new Interpreter(code, regions, limit).call(arguments);
    };
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
