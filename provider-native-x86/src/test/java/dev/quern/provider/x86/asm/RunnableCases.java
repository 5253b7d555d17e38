package dev.quern.provider.x86.asm;

import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.provider.x86.asm.Form.Encoding;
import dev.quern.provider.x86.asm.Slot.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Instructions of every form that a CPU has, to be executed: vectors are xmm1 to xmm4 or xmm17 to
/// xmm20, masks k1 to k3, numbers rax and rdx, memory `[rsi + 4 rcx + 64]`.
public final class RunnableCases {
  private static final Mem MEMORY = ptr(RSI, RCX, 4, 64);
  private static final Mem ANYWHERE = ptr(RDX, RCX, 8, -3);
  private static final List<Long> SHIFTS =
      List.of(0L, 1L, 4L, 7L, 8L, 15L, 16L, 31L, 32L, 63L, 64L, 255L);
  private static final List<Long> CONTROLS =
      List.of(0L, 1L, 2L, 3L, 0x11L, 0x1BL, 0x31L, 0x39L, 0x4EL, 0x88L, 0x96L, 0xE4L, 0xFFL);

  private RunnableCases() {}

  /// All forms of one instruction.
  ///
  /// @param features of the CPU
  public static List<Instruction> of(Op op, Set<String> features) {
    List<Instruction> cases = new ArrayList<>();
    for (Form form : op.forms()) {
      for (int length : form.lengths()) {
        if (features.containsAll(form.needs(length))) {
          for (List<Operand> operands : operands(op, form, length)) {
            cases.add(new Instruction(op, operands, form, length));
          }
        }
      }
    }
    return cases;
  }

  private static List<List<Operand>> operands(Op op, Form form, int length) {
    List<List<Operand>> unmasked = new ArrayList<>();
    for (long number : numbers(op, form)) {
      unmasked.add(one(form, length, number, null, false));
      unmasked.add(one(form, length, number, null, true));
      for (Slot slot : form.slots()) {
        if (slot.takesMemory()) {
          Mem m = slot.memoryBytes(length) == 0 ? ANYWHERE : MEMORY;
          unmasked.add(one(form, length, number, m.sized(slot.memoryBytes(length)), false));
          if (form.broadcastBytes() > 0) {
            unmasked.add(one(form, length, number, MEMORY.broadcast(), false));
          }
        }
      }
    }
    unmasked.removeIf(operands -> form.length(operands) != length);
    List<List<Operand>> all = new ArrayList<>(unmasked);
    if (form.elementBytes() > 0) {
      for (List<Operand> operands : unmasked) {
        all.add(masked(operands, false));
        if (operands.get(0) instanceof Vec) {
          all.add(masked(operands, true));
        }
      }
    }
    return all;
  }

  private static List<Operand> masked(List<Operand> operands, boolean zeroing) {
    List<Operand> masked = new ArrayList<>(operands);
    masked.set(0, new Masked(operands.get(0), new Mask(1), zeroing));
    return masked;
  }

  /// @param memory what stands where memory can; null for a register
  /// @param same whether all registers are one
  private static List<Operand> one(
      Form form, int length, long number, Operand memory, boolean same) {
    List<Operand> operands = new ArrayList<>();
    int first = form.encoding() == Encoding.EVEX ? 17 : 1;
    for (Slot slot : form.slots()) {
      int next = same ? 0 : operands.size();
      operands.add(
          memory != null && slot.takesMemory()
              ? memory
              : switch (slot.kind()) {
                case GP ->
                    new Gp(
                        (slot.place() == Place.NOWHERE || next == 0 ? RAX : RDX).number(),
                        slot.registerBits());
                case VECTOR -> new Vec(first + next, slot.registerBits(length));
                case MASK -> new Mask(2 + next);
                case TILE -> new Tile(next);
                case SIGNED, UNSIGNED, ONE -> new Imm(number);
                // None there, so that the form does not take it.
                case MEMORY, SIB, RELATIVE -> new Imm(0);
              });
    }
    return operands;
  }

  private static List<Long> numbers(Op op, Form form) {
    for (Slot slot : form.slots()) {
      switch (slot.kind()) {
        case SIGNED:
          return List.of(-1L, 0L, 1L, 5L, -128L, 1000L, -100_000L, 0x0123_4567_89AB_CDEFL);
        case ONE:
          return List.of(1L);
        case UNSIGNED:
          return switch (op) {
            case VCMPPS -> java.util.stream.LongStream.range(0, 32).boxed().toList();
            case VCVTPS2PH -> List.of(0L, 4L);
            case VROUNDPS -> List.of(0L, 1L, 2L, 3L, 4L, 8L, 11L);
            case VRNDSCALEPS -> List.of(0L, 1L, 2L, 3L, 4L, 8L, 0x10L, 0x31L, 0x7AL, 0xF4L);
            case SHL, SHR, SAR -> SHIFTS;
            default ->
                op.name().startsWith("VPS") && !op.name().startsWith("VPSHUF") ? SHIFTS : CONTROLS;
          };
        default:
      }
    }
    return List.of(0L);
  }
}
