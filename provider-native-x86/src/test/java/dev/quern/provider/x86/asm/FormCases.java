package dev.quern.provider.x86.asm;

import static dev.quern.provider.x86.asm.Gp.R12;
import static dev.quern.provider.x86.asm.Gp.R13;
import static dev.quern.provider.x86.asm.Gp.R15;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RBP;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RSP;
import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.provider.x86.asm.Form.Encoding;
import java.util.ArrayList;
import java.util.List;

/// Instructions of every form, with operands at the edges of the encodings: registers whose numbers
/// need another bit, bases that need a SIB byte or a displacement, displacements around disp8*N.
final class FormCases {
  private static final List<Integer> REGISTERS = List.of(0, 7, 8, 15, 16, 31, 4, 5, 12, 13);

  private FormCases() {}

  /// All forms of one instruction.
  static List<Instruction> of(Op op) {
    List<Instruction> cases = new ArrayList<>();
    for (Form form : op.forms()) {
      for (int length : form.lengths()) {
        for (List<Operand> operands : operands(form, length)) {
          if (chosen(op, form, operands, length)) {
            cases.add(new Instruction(op, operands, form, length));
          }
        }
      }
    }
    return cases;
  }

  /// Whether no form before it, of the same encoding, takes the operands too: no text could ask for
  /// the later one.
  private static boolean chosen(Op op, Form form, List<Operand> operands, int length) {
    for (Form before : op.forms()) {
      if (before == form) {
        return form.length(operands) == length;
      }
      if (before.encoding() == form.encoding() && before.length(operands) != 0) {
        return false;
      }
    }
    throw new IllegalStateException();
  }

  private static List<List<Operand>> operands(Form form, int length) {
    List<List<Operand>> registers = new ArrayList<>();
    List<Operand> memory = new ArrayList<>();
    int memoryAt = -1;
    for (int i = 0; i < form.slots().size(); i++) {
      Slot slot = form.slots().get(i);
      registers.add(registersOf(slot, form, length));
      if (slot.takesMemory()) {
        memoryAt = i;
        int bytes = slot.memoryBytes(length);
        addresses(Math.max(1, bytes)).forEach(m -> memory.add(m.sized(bytes)));
        if (form.broadcastBytes() > 0) {
          addresses(form.broadcastBytes()).forEach(m -> memory.add(m.broadcast()));
        }
      }
    }
    List<List<Operand>> all = new ArrayList<>();
    product(registers, new ArrayList<>(), all);
    for (int m = 0; m < memory.size(); m++) {
      List<Operand> one = new ArrayList<>();
      for (int i = 0; i < registers.size(); i++) {
        List<Operand> choice = registers.get(i);
        one.add(i == memoryAt ? memory.get(m) : choice.get((m * (2 * i + 1) + i) % choice.size()));
      }
      all.add(one);
    }
    if (form.elementBytes() > 0) {
      int plain = all.size();
      for (int i = 0; i < plain; i += 3) {
        all.add(masked(all.get(i), i));
      }
    }
    return all;
  }

  private static List<Operand> masked(List<Operand> operands, int seed) {
    List<Operand> masked = new ArrayList<>(operands);
    Operand first = operands.get(0);
    masked.set(
        0, new Masked(first, new Mask(1 + seed % 7), first instanceof Vec && seed / 3 % 2 == 1));
    return masked;
  }

  private static void product(
      List<List<Operand>> choices, List<Operand> chosen, List<List<Operand>> all) {
    if (chosen.size() == choices.size()) {
      all.add(List.copyOf(chosen));
      return;
    }
    for (Operand choice : choices.get(chosen.size())) {
      chosen.add(choice);
      product(choices, chosen, all);
      chosen.removeLast();
    }
  }

  private static List<Operand> registersOf(Slot slot, Form form, int length) {
    return switch (slot.kind()) {
      case GP ->
          (slot.place() == Slot.Place.NOWHERE
                  ? List.of(0)
                  : REGISTERS.stream().filter(n -> n < 16).toList())
              .stream().<Operand>map(n -> new Gp(n, slot.registerBits())).toList();
      case VECTOR ->
          REGISTERS.subList(0, form.encoding() == Encoding.EVEX ? 6 : 4).stream()
              .<Operand>map(n -> new Vec(n, slot.registerBits(length)))
              .toList();
      case MASK -> List.of(new Mask(0), new Mask(5), new Mask(7));
      case TILE -> List.of(new Tile(0), new Tile(3), new Tile(4), new Tile(7));
      case SIGNED ->
          switch (slot.registerBits()) {
            case 8 -> immediates(0, 1, -1, 127, -128);
            case 32 -> immediates(128, -129, 1 << 20, Integer.MAX_VALUE, Integer.MIN_VALUE);
            default -> immediates(1L << 31, 0xFFFFFFFFL, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE);
          };
      case UNSIGNED -> immediates(0, 1, 2, 0x88, 255);
      case ONE -> immediates(1);
      case RELATIVE, MEMORY, SIB -> List.of();
    };
  }

  private static List<Operand> immediates(long... values) {
    List<Operand> all = new ArrayList<>();
    for (long value : values) {
      all.add(new Imm(value));
    }
    return all;
  }

  /// @param n what a displacement of 8 bits counts under EVEX
  private static List<Mem> addresses(int n) {
    List<Long> displacements = new ArrayList<>(List.of(0L, 1L, -1L, 127L, 128L, -128L, -129L));
    for (long edge : List.of(1L, -1L, 127L, 128L, -128L, -129L)) {
      displacements.add(edge * n);
      displacements.add(edge * n + 1);
    }
    displacements.addAll(List.of(0x12345678L, (long) Integer.MIN_VALUE));
    List<Mem> all = new ArrayList<>();
    for (Gp base : List.of(RAX, RDI, R8, R15, RSP, RBP, R12, R13)) {
      all.add(ptr(base));
      all.add(ptr(base, n));
      all.add(ptr(base, 1000));
      for (Gp index : List.of(RAX, RBP, R12, R13, R15)) {
        int scale = 1 << all.size() % 4;
        all.add(ptr(base, index, scale));
        all.add(ptr(base, index, scale, -n));
      }
    }
    for (long displacement : displacements) {
      all.add(ptr(RDI, displacement));
      all.add(ptr(R12, displacement));
      all.add(ptr(R13, R15, 8, displacement));
    }
    return all;
  }
}
