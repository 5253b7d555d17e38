package dev.quern.provider.x86.interpreter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Instruction;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.RunnableCases;
import dev.quern.provider.x86.memory.ExecutableMemory;
import dev.quern.provider.x86.memory.NativeFunction;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// The interpreter and the CPU do the same: each form that this CPU has, on random operands with
/// special values among them.
class HardwareTest {
  private static final int ROUNDS = 20;

  private record Case(Instruction instruction, Code code, int offset) {}

  @Test
  void everyFormThatThisCpuHas() throws Exception {
    compareAll(Host.features(), ROUNDS);
  }

  /// As if this CPU had no more than that.
  @Test
  void everyFormOfAvx2() throws Exception {
    Set<String> features = new TreeSet<>(Set.of("avx", "avx2", "fma", "f16c"));
    features.retainAll(Host.features());
    compareAll(features, 4);
  }

  private static void compareAll(Set<String> features, int rounds) throws Exception {
    if (!features.contains("avx2")) {
      Host.leftOut("the CPU lacks avx2, so no form is compared with it");
    }
    List<Case> cases = new ArrayList<>();
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    Set<String> lacking = new TreeSet<>();
    for (Op op : Op.values()) {
      if (elsewhere(op)) {
        continue;
      }
      List<Instruction> instructions = RunnableCases.of(op, features);
      if (instructions.isEmpty()) {
        lacking.add(op.toString());
      }
      for (Instruction instruction : instructions) {
        Code code = Trial.code(instruction, features);
        assertTrue(features.containsAll(code.features()), code::listing);
        cases.add(new Case(instruction, code, all.size()));
        all.writeBytes(code.bytes());
        all.writeBytes(new byte[-all.size() & 63]);
      }
    }
    if (!lacking.isEmpty()) {
      System.out.println(
          "[quern] not compared with hardware, for want of CPU features: " + lacking);
    }
    System.out.println("[quern] instructions compared with hardware: " + cases.size());
    Map<Op, String> differences = new TreeMap<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment loaded = ExecutableMemory.load(all.toByteArray(), arena);
      for (Case one : cases) {
        if (!differences.containsKey(one.instruction.op())) {
          String difference = compare(one, new NativeFunction(loaded.asSlice(one.offset)), rounds);
          if (!difference.isEmpty()) {
            differences.put(one.instruction.op(), one.instruction + ": " + difference);
          }
        }
      }
    }
    assertEquals("", String.join("\n", differences.values()));
    assertTrue(cases.size() > 2000, () -> "few cases: " + cases.size());
  }

  /// Control flow is in [ProgramsTest], tiles are in [TilesTest].
  private static boolean elsewhere(Op op) {
    return op.name().startsWith("J")
        || op.name().startsWith("T") && op != Op.TEST
        || Set.of(Op.LDTILECFG, Op.RET, Op.PUSH, Op.POP, Op.VZEROUPPER).contains(op);
  }

  private static String compare(Case one, NativeFunction function, int rounds) {
    Random random = new Random(one.instruction.toString().hashCode());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment hardware = Trial.block(arena);
      MemorySegment own = Trial.block(arena);
      Interpreter interpreter =
          new Interpreter(one.code, List.of(new Region("block", own, true)), 1000);
      for (int round = 0; round < rounds; round++) {
        Trial.fill(hardware, random);
        Trial.copy(hardware, own);
        function.call(hardware);
        String difference;
        try {
          interpreter.call(own.address());
          difference = Trial.difference(one.instruction, hardware, own);
        } catch (Fault e) {
          difference = e.getMessage();
        }
        if (!difference.isEmpty()) {
          return difference + " from" + Trial.inputs(own);
        }
      }
    }
    return "";
  }
}
