package dev.quern.provider.x86.asm;

import dev.quern.provider.x86.asm.Form.Encoding;
import dev.quern.provider.x86.asm.Slot.Kind;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Map;

/// The bytes of one instruction: prefixes, opcode, ModRM, SIB, displacement, immediate (SDM
/// volume 2, chapter 2).
///
///     legacy   [66|F2|F3] [REX]        [0F [38|3A]] opcode  ModRM [SIB] [disp] [imm]
///     VEX      C5 RvvvvLpp  |  C4 RXBmmmmm WvvvvLpp
///     EVEX     62 RXBR'0mmm Wvvvv1pp zL'LbV'aaa
///
/// R, X, B, R', V' and vvvv are stored inverted in VEX and EVEX.
final class Encoder {
  private final Instruction instruction;
  private final Form form;
  private final int offset;
  private final Map<Label, Integer> labels;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream(16);

  private int reg;
  private int vvvv;
  private Operand rm;
  private int opcodeRegister;
  private boolean byteRegister;

  private Encoder(Instruction instruction, int offset, Map<Label, Integer> labels) {
    this.instruction = instruction;
    this.form = instruction.form();
    this.offset = offset;
    this.labels = labels;
  }

  /// @param offset where it will be
  /// @param labels where they are; the value of one that is absent does not matter yet
  static byte[] encode(Instruction instruction, int offset, Map<Label, Integer> labels) {
    return new Encoder(instruction, offset, labels).bytes();
  }

  private byte[] bytes() {
    place();
    switch (form.encoding()) {
      case LEGACY -> legacy();
      case VEX -> vex();
      case EVEX -> evex();
    }
    out.write(form.opcode() + (opcodeRegister & 7));
    if (form.digit() != Form.NO_MODRM) {
      modRm();
    }
    immediate();
    return out.toByteArray();
  }

  private void place() {
    reg = Math.max(0, form.digit());
    List<Slot> slots = form.slots();
    for (int i = 0; i < slots.size(); i++) {
      Operand operand = instruction.operand(i);
      byteRegister |= operand instanceof Gp r && r.bits() == 8 && r.number() >= 4;
      switch (slots.get(i).place()) {
        case REG -> reg = number(operand);
        case VVVV -> vvvv = number(operand);
        case RM -> rm = operand instanceof Broadcast b ? b.memory() : operand;
        case OPCODE -> opcodeRegister = number(operand);
        case IMMEDIATE, REGISTER_IMMEDIATE, NOWHERE -> {}
      }
    }
  }

  private static int number(Operand operand) {
    if (operand instanceof Register r) {
      return r.number();
    }
    throw new IllegalStateException(operand + " is no register");
  }

  /// Bit 3 of the base's number, or of the register in its place.
  private int bitB() {
    return rm instanceof Mem m
        ? m.base() == null ? 0 : m.base().number() >> 3
        : rm == null ? opcodeRegister >> 3 : number(rm) >> 3 & 1;
  }

  /// Bit 3 of the index's number; bit 4 of a vector register in ModRM.rm (EVEX).
  private int bitX() {
    return rm instanceof Mem m
        ? m.index() == null ? 0 : m.index().number() >> 3
        : rm == null ? 0 : number(rm) >> 4;
  }

  private void legacy() {
    if (form.prefix() != 0) {
      out.write(form.prefix());
    }
    int rex = form.w() << 3 | (reg >> 3) << 2 | bitX() << 1 | bitB();
    if (rex != 0 || byteRegister) {
      out.write(0x40 | rex);
    }
    if (form.map() > 0) {
      out.write(0x0F);
    }
    if (form.map() > 1) {
      out.write(form.map() == 2 ? 0x38 : 0x3A);
    }
  }

  private int pp() {
    return switch (form.prefix()) {
      case 0x66 -> 1;
      case 0xF3 -> 2;
      case 0xF2 -> 3;
      default -> 0;
    };
  }

  private void vex() {
    int r = ~reg >> 3 & 1;
    int last = (~vvvv & 15) << 3 | (instruction.lengthBits() == 256 ? 4 : 0) | pp();
    if (form.map() == 1 && form.w() == 0 && bitX() == 0 && bitB() == 0) {
      out.write(0xC5);
      out.write(r << 7 | last);
    } else {
      out.write(0xC4);
      out.write(r << 7 | (1 - bitX()) << 6 | (1 - bitB()) << 5 | form.map());
      out.write(form.w() << 7 | last);
    }
  }

  private void evex() {
    Masked masked = instruction.masked();
    out.write(0x62);
    out.write(
        (~reg >> 3 & 1) << 7
            | (1 - bitX()) << 6
            | (1 - bitB()) << 5
            | (~reg >> 4 & 1) << 4
            | form.map());
    out.write(form.w() << 7 | (~vvvv & 15) << 3 | 4 | pp());
    out.write(
        (masked != null && masked.zeroing() ? 0x80 : 0)
            | (instruction.lengthBits() >> 8) << 5 // 128, 256, 512 bits: 0, 1, 2
            | (broadcasts() ? 0x10 : 0)
            | (~vvvv >> 4 & 1) << 3
            | (masked == null ? 0 : masked.mask().number()));
  }

  private boolean broadcasts() {
    for (Operand operand : instruction.operands()) {
      if (operand instanceof Broadcast) {
        return true;
      }
    }
    return false;
  }

  private void modRm() {
    if (!(rm instanceof Mem m)) {
      out.write(0xC0 | (reg & 7) << 3 | (rm == null ? 0 : number(rm) & 7));
      return;
    }
    if (m.label() != null) {
      out.write((reg & 7) << 3 | 5);
      long end = offset + out.size() + 4 + immediateBytes();
      int32(Math.toIntExact(labels.getOrDefault(m.label(), 0) + m.displacement() - end));
      return;
    }
    // disp8*N: see Form.
    int n = form.encoding() == Encoding.EVEX ? memoryBytes() : 1;
    int low = m.base().number() & 7;
    int mod =
        m.displacement() == 0 && low != 5
            ? 0
            : m.displacement() % n == 0 && (byte) (m.displacement() / n) == m.displacement() / n
                ? 1
                : 2;
    boolean sib = low == 4 || m.index() != null || sibAlways();
    out.write(mod << 6 | (reg & 7) << 3 | (sib ? 4 : low));
    if (sib) {
      int index = m.index() == null ? 4 : m.index().number() & 7;
      out.write(Integer.numberOfTrailingZeros(m.scale()) << 6 | index << 3 | low);
    }
    if (mod == 1) {
      out.write(m.displacement() / n);
    } else if (mod == 2) {
      int32(m.displacement());
    }
  }

  private boolean sibAlways() {
    for (Slot slot : form.slots()) {
      if (slot.kind() == Kind.SIB) {
        return true;
      }
    }
    return false;
  }

  private int memoryBytes() {
    for (int i = 0; i < form.slots().size(); i++) {
      if (form.slots().get(i).takesMemory()) {
        return instruction.memoryBytes(i);
      }
    }
    throw new IllegalStateException(instruction + " has no memory operand");
  }

  private int immediateBytes() {
    int bytes = 0;
    for (Slot slot : form.slots()) {
      switch (slot.place()) {
        case IMMEDIATE -> bytes += slot.registerBits() / 8;
        case REGISTER_IMMEDIATE -> bytes++;
        default -> {}
      }
    }
    return bytes;
  }

  private void immediate() {
    for (int i = 0; i < form.slots().size(); i++) {
      Slot slot = form.slots().get(i);
      switch (slot.place()) {
        case IMMEDIATE -> {
          int bytes = slot.registerBits() / 8;
          long value = immediate(instruction.operand(i), offset + out.size() + bytes);
          for (int b = 0; b < bytes; b++) {
            out.write((int) (value >> 8 * b));
          }
        }
        case REGISTER_IMMEDIATE -> out.write(number(instruction.operand(i)) << 4);
        default -> {}
      }
    }
  }

  /// @param end where the next instruction begins
  private long immediate(Operand operand, int end) {
    if (operand instanceof Imm imm) {
      return imm.value();
    }
    if (operand instanceof Label label) {
      return labels.getOrDefault(label, 0) - (long) end;
    }
    throw new IllegalStateException(operand + " is no immediate");
  }

  private void int32(int value) {
    for (int b = 0; b < 4; b++) {
      out.write(value >> 8 * b);
    }
  }
}
