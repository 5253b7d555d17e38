package dev.quern.provider.x86.interpreter;

import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Instruction;
import dev.quern.provider.x86.asm.Item;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Runs code instruction by instruction, from each one's definition in the manual, on any machine
/// that runs Java. It is the second witness beside a CPU, and the only one where there is none.
///
/// Beyond what a CPU does it holds code to the convention of its callers: memory within the given
/// regions, callee-saved registers kept, upper halves of vectors clean and tiles released at the
/// end, no jump on flags that are undefined, an end within a number of instructions.
///
/// Operands that lie side by side hide an access that leaves one for the other: allocate them with
/// gaps.
///
/// MXCSR is the JVM's: rounds to nearest even, no subnormals flushed, exceptions masked.
public final class Interpreter {
  private static final List<Gp> KEPT =
      List.of(Gp.RBX, Gp.RBP, Gp.RSP, Gp.R12, Gp.R13, Gp.R14, Gp.R15);
  private static final int STACK_BYTES = 4096;
  private static final Map<Op, Meaning> MEANINGS = Meaning.all();

  private final Code code;
  private final List<Region> regions;
  private final long limit;
  private final byte[] bytes;
  private final Map<Label, Integer> places = new HashMap<>();

  /// @param regions what it may access besides its stack and its own constants
  /// @param limit instructions until it counts as endless
  public Interpreter(Code code, List<Region> regions, long limit) {
    this.code = code;
    this.regions = List.copyOf(regions);
    this.limit = limit;
    this.bytes = code.bytes();
    for (int i = 0; i < code.items().size(); i++) {
      if (code.items().get(i) instanceof Item.Place p) {
        places.put(p.label(), i);
      }
    }
  }

  /// Calls the code with its arguments' address in rdi.
  ///
  /// @return how many instructions were executed
  /// @throws Fault if it does what it must not; the message names the instruction and its offset
  public long call(long rdi) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment stack = arena.allocate(STACK_BYTES, 64).fill((byte) -1); // left by others
      MemorySegment constants = arena.allocate(bytes.length, 64);
      constants.copyFrom(MemorySegment.ofArray(bytes));
      List<Region> all = new ArrayList<>(regions);
      all.add(new Region("stack", stack, true));
      all.add(new Region("code", constants, false));
      Machine m = new Machine(code, constants.address(), new Memory(all), new Random(1));
      m.gp[Gp.RDI.number()] = rdi;
      // At a function's first instruction rsp is 8 below a multiple of 16.
      m.gp[Gp.RSP.number()] = stack.address() + STACK_BYTES - 8;
      return run(m);
    }
  }

  private long run(Machine m) {
    long[] before = m.gp.clone();
    int at = 0;
    long done = 0;
    while (true) {
      if (at == code.items().size()) {
        throw new Fault("it runs past its end");
      }
      switch (code.items().get(at)) {
        case Instruction i -> {
          if (++done > limit) {
            throw new Fault("no end after " + limit + " instructions");
          }
          execute(m, i, code.offset(at));
          if (i.op() == Op.RET) {
            checkReturn(m, before);
            return done;
          }
          at = m.jump == null ? at + 1 : places.get(m.jump);
        }
        case Item.Data d -> throw new Fault("it runs into its constants");
        case Item.Place p -> at++;
        case Item.Align a -> at++;
      }
    }
  }

  private static void execute(Machine m, Instruction i, int offset) {
    Meaning meaning = MEANINGS.get(i.op());
    if (meaning == null) {
      throw new Fault(i.op() + ": no meaning of it is defined");
    }
    m.begin(i);
    try {
      meaning.run(m);
    } catch (Fault e) {
      Fault named = new Fault(Integer.toHexString(offset) + ": " + i + ": " + e.getMessage());
      named.initCause(e);
      throw named;
    }
  }

  private static void checkReturn(Machine m, long[] before) {
    for (Gp r : KEPT) {
      if (m.gp[r.number()] != before[r.number()]) {
        throw new Fault("it returns with another " + r);
      }
    }
    if (m.dirtyUpper) {
      throw new Fault("it returns without vzeroupper");
    }
    if (m.tiles.configured()) {
      throw new Fault("it returns without tilerelease");
    }
  }
}
